/**
 * The bytes of a split as a decoder wants them: a window [from, to) of a buffer, that starts with what the decoder left
 * and goes on with the next chunk, which was read while the decoder worked.
 *
 * Two buffers take turns: one holds the window, the other is being read into, each behind a headroom into which the
 * unfinished record of the chunk before is copied. So only that record is ever moved, and nothing writes into a window
 * while somebody looks at it. A record longer than the headroom collects in a buffer of its own, which doubles.
 */
import type { ByteSource } from '../core/byte-source.ts';

/** Bytes before a chunk for the unfinished record of the one before. */
const HEADROOM_BYTES = 64 * 1024;

interface Failure {
  readonly error: unknown;
}

interface Filled {
  readonly read: number;
  readonly failure: Failure | null;
}

export class ChunkReader {
  readonly #chunkBytes: number;
  readonly #headroom: number;
  #front: Uint8Array;
  #back: Uint8Array;
  #source: ByteSource | null = null;
  /** The read into `#back` that is under way. */
  #ahead: Promise<Filled> | null = null;
  /** What the source threw behind the window: a torn file has whole records before the tear. */
  #failure: Failure | null = null;

  /** The window. `bytes` stays as it is until the next call of `more`. */
  bytes: Uint8Array;
  from = 0;
  to = 0;
  /** No bytes follow the window. */
  ended = true;

  constructor(chunkBytes: number) {
    this.#chunkBytes = chunkBytes;
    this.#headroom = Math.min(HEADROOM_BYTES, chunkBytes);
    this.#front = new Uint8Array(this.#headroom + chunkBytes);
    this.#back = new Uint8Array(this.#headroom + chunkBytes);
    this.bytes = this.#front;
  }

  get length(): number {
    return this.to - this.from;
  }

  /** Begins a source, with an empty window. The one before has to be closed. */
  begin(source: ByteSource): void {
    this.#source = source;
    this.bytes = this.#front;
    this.from = this.#headroom;
    this.to = this.#headroom;
    this.ended = false;
    this.#failure = null;
    this.#readAhead();
  }

  /** Adds the next chunk to the window. @throws SluiceError what the source throws, once all before it was added */
  async more(): Promise<void> {
    if (this.#failure !== null) throw this.#failure.error;
    if (this.ended || this.#ahead === null) return;
    const { read, failure } = await this.#ahead;
    this.#ahead = null;
    this.#failure = failure;
    if (failure !== null && read === 0) throw failure.error;
    // The source filled what it could: less than a chunk is the end.
    this.ended = failure === null && read < this.#chunkBytes;
    if (this.length <= this.#headroom) this.#swap(read);
    else this.#collect(read);
    if (!this.ended && failure === null) this.#readAhead();
  }

  /** Closes the source. A read that is under way is waited for: it writes into our memory. Calls may repeat. */
  async close(): Promise<void> {
    const source = this.#source;
    this.#source = null;
    await this.#ahead;
    this.#ahead = null;
    this.#failure = null;
    this.ended = true;
    this.bytes = this.#front;
    this.from = 0;
    this.to = 0;
    await source?.close();
  }

  /** Memory held. */
  get memoryBytes(): number {
    const own = this.bytes === this.#front ? 0 : this.bytes.length;
    return this.#front.length + this.#back.length + own;
  }

  #readAhead(): void {
    const target = this.#back.subarray(this.#headroom, this.#headroom + this.#chunkBytes);
    this.#ahead = fill(this.#source!, target);
  }

  /** The common case: what is left goes before the new chunk, and the buffers change places. */
  #swap(read: number): void {
    const length = this.length;
    const from = this.#headroom - length;
    this.#back.set(this.bytes.subarray(this.from, this.to), from);
    // `bytes` may have been a collecting buffer, which is let go of here.
    [this.#front, this.#back] = [this.#back, this.#front];
    this.bytes = this.#front;
    this.from = from;
    this.to = this.#headroom + read;
  }

  /** A long record: the chunk is put behind it, in a buffer that doubles so that copying stays linear. */
  #collect(read: number): void {
    const length = this.length;
    if (this.bytes === this.#front || this.to + read > this.bytes.length) {
      const grown = new Uint8Array(Math.max(length * 2, length + this.#chunkBytes) + this.#chunkBytes);
      grown.set(this.bytes.subarray(this.from, this.to));
      this.bytes = grown;
      this.from = 0;
      this.to = length;
    }
    this.bytes.set(this.#back.subarray(this.#headroom, this.#headroom + read), this.to);
    this.to += read;
  }
}

/** Reads until the buffer is full, the source is at its end, or it throws: what came before that counts. Never rejects. */
async function fill(source: ByteSource, into: Uint8Array): Promise<Filled> {
  let read = 0;
  try {
    while (read < into.length) {
      const length = await source.read(into.subarray(read));
      if (length === 0) break;
      read += length;
    }
    return { read, failure: null };
  } catch (error) {
    return { read, failure: { error } };
  }
}
