import { heldBytes } from '../../lib/core/buffered-bytes.ts';
import type { Schema } from '../../lib/core/data-type.ts';
import { RowBuffer } from '../../lib/core/row-buffer.ts';

/** Row buffers kept for reuse: where thousands of parts come and go, fresh memory for each cost more than filling it. */
const MAX_BUFFERS = 256;
/** Rows with which a buffer is on its way to become as long as others. */
const LONG_ROWS = 16_384;
/** Of all rows, what goes to one buffer where they come in the order of their buckets, but for some stragglers. */
const ORDERED_SHARE = 0.75;
/** What it is given room for beyond the longest: a single row too many would double it. */
const MARGIN = 1.07;

interface IdleBuffer {
  readonly buffer: RowBuffer;
  readonly bytes: number;
}

/**
 * Empty row buffers that wait for their next part. Bounded: what does not fit is left to the garbage collector. A part
 * begins with a short one, since it may get a handful of late rows, and changes over to a long one as it grows.
 */
export class RowBufferPool {
  readonly #maxBytes: number;
  #schema: Schema | null = null;
  #short: IdleBuffer[] = [];
  #long: IdleBuffer[] = [];
  #idleBytes = 0;
  /** Of the longest buffer. Forgotten by half with each shorter one that comes back. */
  #longestRows = 0;
  /** Appended to any buffer. */
  #rows = 0;
  /** Of a buffer in use: #rows when it was taken. */
  readonly #takenAt = new WeakMap<RowBuffer, number>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  take(schema: Schema): RowBuffer {
    if (this.#schema !== schema) {
      this.#schema = schema;
      this.#short = [];
      this.#long = [];
      this.#idleBytes = 0;
    }
    const idle = this.#short.pop();
    this.#idleBytes -= idle?.bytes ?? 0;
    const buffer = idle?.buffer ?? new RowBuffer(schema);
    this.#takenAt.set(buffer, this.#rows);
    return buffer;
  }

  /**
   * Before rows are appended. A buffer that grows long goes on in an idle one that is long enough. Where there is none and rows
   * come in the order of their buckets, it is given room for as many rows as the longest had, about as far as the pool could
   * keep it. By doubling alone, 24 buckets of 167,000 rows each took fresh memory for 796 instead of 483 MB. Where rows come
   * mixed it doubles: the buffers that grow beside it need the memory now, and parts would be flushed for what none has used.
   * @returns what to append to: `buffer`, or another one with its rows
   */
  withRoomFor(buffer: RowBuffer, rows: number): RowBuffer {
    const needed = buffer.length + rows;
    this.#longestRows = Math.max(this.#longestRows, needed);
    this.#rows += rows;
    const isOurs = buffer.schema === this.#schema;
    if (!isOurs || buffer.length < LONG_ROWS || needed <= buffer.capacity) return buffer;
    const long = this.#takeLong(needed);
    if (long !== null) return this.#moveTo(long, buffer);
    if (this.#isFilledInOrder(buffer, rows)) {
      const affordableRows = (this.#maxBytes / heldBytes(buffer)) * buffer.capacity;
      const wanted = Math.floor(Math.min(this.#longestRows * MARGIN, affordableRows));
      if (wanted > needed) buffer.reserve(wanted);
    }
    return buffer;
  }

  /** The shortest that has room for so many rows. */
  #takeLong(rows: number): RowBuffer | null {
    let best: IdleBuffer | null = null;
    for (const idle of this.#long) {
      const { capacity } = idle.buffer;
      if (capacity >= rows && (best === null || capacity < best.buffer.capacity)) best = idle;
    }
    if (best === null) return null;
    this.#long.splice(this.#long.indexOf(best), 1);
    this.#idleBytes -= best.bytes;
    return best.buffer;
  }

  #moveTo(long: RowBuffer, buffer: RowBuffer): RowBuffer {
    long.appendRange(buffer, 0, buffer.length);
    this.#takenAt.set(long, this.#takenAt.get(buffer) ?? 0);
    buffer.clear();
    this.#keep(buffer);
    return long;
  }

  /** Whether rows come in the order of their buckets: it got most of those since it was taken, before the `rows` to come. */
  #isFilledInOrder(buffer: RowBuffer, rows: number): boolean {
    const since = this.#rows - rows - (this.#takenAt.get(buffer) ?? 0);
    return buffer.length >= since * ORDERED_SHARE;
  }

  /** Takes a buffer back; its rows are forgotten. */
  give(buffer: RowBuffer): void {
    this.#longestRows = Math.max(buffer.length, (this.#longestRows + buffer.length) / 2);
    buffer.clear();
    this.#keep(buffer);
  }

  #keep(buffer: RowBuffer): void {
    const bytes = heldBytes(buffer);
    const isLong = buffer.capacity > 2 * LONG_ROWS;
    const idle = isLong ? this.#long : this.#short;
    if (buffer.schema !== this.#schema || idle.length >= MAX_BUFFERS) return;
    // Short ones are soon made again.
    while (isLong && this.#idleBytes + bytes > this.#maxBytes && this.#short.length > 0)
      this.#idleBytes -= this.#short.pop()!.bytes;
    if (this.#idleBytes + bytes > this.#maxBytes) return;
    idle.push({ buffer, bytes });
    this.#idleBytes += bytes;
  }
}
