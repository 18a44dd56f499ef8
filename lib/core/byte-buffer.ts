/** A growable run of bytes that encoders append to. */
import type { FlushMemory } from './flush-memory.ts';

const encoder = new TextEncoder();

export class ByteBuffer {
  bytes: Uint8Array;
  /** The same memory as `bytes`, for hot loops that write several bytes at once at any index. */
  data: DataView;
  /** Bytes in use; `bytes` is longer. */
  length = 0;
  readonly #memory: FlushMemory | null;

  /** @param memory where it takes memory from, and leaves what it outgrows; what is in use stays its owner's to give back */
  constructor(capacity = 1024, memory: FlushMemory | null = null) {
    this.#memory = memory;
    this.bytes = this.#take(capacity);
    this.data = new DataView(this.bytes.buffer);
  }

  /** Whatever is in it. */
  #take(capacity: number): Uint8Array {
    const kept = this.#memory?.take(capacity) ?? null;
    return kept === null ? new Uint8Array(capacity) : new Uint8Array(kept);
  }

  /** Makes room for `size` more bytes, so that a hot loop may write `bytes[length++]` that often. */
  reserve(size: number): void {
    const need = this.length + size;
    if (need <= this.bytes.length) return;
    const grown = this.#take(Math.max(need, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.#memory?.give(this.bytes);
    this.bytes = grown;
    this.data = new DataView(grown.buffer);
  }

  push(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Appends from[start, end). */
  pushRange(from: Uint8Array, start: number, end: number): void {
    const size = end - start;
    this.reserve(size);
    if (size > 64) this.bytes.set(from.subarray(start, end), this.length);
    else for (let i = start, out = this.length; i < end; i++, out++) this.bytes[out] = from[i]!;
    this.length += size;
  }

  pushByte(byte: number): void {
    this.reserve(1);
    this.bytes[this.length++] = byte;
  }

  /** Appends text as UTF-8. */
  pushText(text: string): void {
    this.reserve(text.length * 3);
    this.length += encoder.encodeInto(text, this.bytes.subarray(this.length)).written;
  }

  /** A view of what is in use, valid until the next append. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** Empties the buffer and keeps its memory. */
  clear(): void {
    this.length = 0;
  }

  get memoryBytes(): number {
    return this.bytes.length;
  }
}
