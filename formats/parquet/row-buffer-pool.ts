import type { Schema } from '../../lib/core/data-type.ts';
import { RowBuffer } from '../../lib/core/row-buffer.ts';
import { heldBytes } from './buffered-bytes.ts';

/** Row buffers kept for reuse: where thousands of parts come and go, fresh memory for each cost more than filling it. */
const MAX_BUFFERS = 256;

/** Empty row buffers that wait for their next part. Bounded: what does not fit is left to the garbage collector. */
export class RowBufferPool {
  readonly #maxBytes: number;
  #schema: Schema | null = null;
  #idle: { readonly buffer: RowBuffer; readonly bytes: number }[] = [];
  #idleBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  take(schema: Schema): RowBuffer {
    if (this.#schema !== schema) {
      this.#schema = schema;
      this.#idle = [];
      this.#idleBytes = 0;
    }
    const entry = this.#idle.pop();
    if (entry === undefined) return new RowBuffer(schema);
    this.#idleBytes -= entry.bytes;
    return entry.buffer;
  }

  /** Takes a buffer back; its rows are forgotten. */
  give(buffer: RowBuffer): void {
    buffer.clear();
    const bytes = heldBytes(buffer);
    if (buffer.schema !== this.#schema || this.#idle.length >= MAX_BUFFERS) return;
    if (this.#idleBytes + bytes > this.#maxBytes) return;
    this.#idle.push({ buffer, bytes });
    this.#idleBytes += bytes;
  }
}
