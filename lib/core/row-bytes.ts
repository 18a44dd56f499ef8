/** Rows that are encoded already and wait for their part, and the form in which they go into a checkpoint. */
import { ByteBuffer } from './byte-buffer.ts';
import { SluiceError } from './errors.ts';
import type { FlushMemory } from './flush-memory.ts';

/** A saved tail begins with its number of rows, 32 bits. */
const TAIL_HEADER_BYTES = 4;

export class RowBytes {
  readonly buffer: ByteBuffer;
  rows = 0;
  /** Up to where the buffer was saved: the next `save` begins there. */
  #saved = { rows: 0, bytes: 0 };

  /**
   * @param capacity small: thousands of buckets may hold a buffer each
   * @param memory see ByteBuffer
   */
  constructor(capacity = 512, memory: FlushMemory | null = null) {
    this.buffer = new ByteBuffer(capacity, memory);
  }

  /** Forgets the rows and keeps the memory. */
  clear(): void {
    this.buffer.clear();
    this.rows = 0;
    this.#saved = { rows: 0, bytes: 0 };
  }

  /** The rows from `fromRow` on: 0, or where the last save ended. */
  save(fromRow: number): Uint8Array {
    const from = fromRow === 0 ? { rows: 0, bytes: 0 } : this.#saved;
    if (from.rows !== fromRow) {
      throw new SluiceError(
        'STEP_ILLEGAL',
        `rows saved from ${fromRow}, and the last save ended at ${from.rows}`,
      );
    }
    const bytes = this.buffer.view().subarray(from.bytes);
    const saved = new Uint8Array(TAIL_HEADER_BYTES + bytes.length);
    new DataView(saved.buffer).setUint32(0, this.rows - from.rows, true);
    saved.set(bytes, TAIL_HEADER_BYTES);
    this.#saved = { rows: this.rows, bytes: this.buffer.length };
    return saved;
  }

  /** Appends rows that `save` gave. @throws SluiceError STATE_CORRUPT */
  restore(saved: Uint8Array): void {
    if (saved.length < TAIL_HEADER_BYTES)
      throw new SluiceError('STATE_CORRUPT', 'a saved tail has no header');
    this.rows += new DataView(saved.buffer, saved.byteOffset).getUint32(0, true);
    this.buffer.push(saved.subarray(TAIL_HEADER_BYTES));
    this.#saved = { rows: this.rows, bytes: this.buffer.length };
  }
}
