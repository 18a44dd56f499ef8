/**
 * An object's bytes, pulled: in ranges, of which the next is asked for while one is read, so that no round trip is
 * waited for between them. A connection that breaks, or an answer that ends too early, is taken up again at the byte.
 * Every range is asked for with the ETag of the first (If-Match), so bytes of two versions are never mixed.
 *
 * Memory: what node keeps of two responses, some 64 KiB each.
 */
import type { ByteSource } from '../../core/byte-source.ts';
import { SluiceError } from '../../core/errors.ts';
import { s3Location } from '../../core/location.ts';
import { isConnectionError, objectStoreError } from './errors.ts';
import { etagIdentity } from './etag.ts';
import type { ObjectBody, ObjectRef, ObjectStore } from './object-store.ts';
import { type RetryPolicy, withRetries } from './retrying-object-store.ts';

/** 128 requests a GB. */
const RANGE_BYTES = 8 * 1024 * 1024;

/** A range that is being read. */
interface Range {
  readonly body: ObjectBody;
  readonly chunks: AsyncIterator<Uint8Array>;
  /** Exclusive. */
  readonly to: number;
}

export interface ObjectSourceOptions {
  readonly store: ObjectStore;
  readonly ref: ObjectRef;
  readonly retry: RetryPolicy;
  /** What the object has to be; null: whatever it is when it is opened. */
  readonly identity: bigint | null;
  /** null: not known yet. */
  readonly sizeBytes: number | null;
}

export class ObjectSource implements ByteSource {
  readonly #options: ObjectSourceOptions;
  #at: number;
  /** Where reading ends: the object's size, once that is known, or less. */
  #endByte: number | null;
  #etag: string | null = null;
  #range: Range | null = null;
  #next: Promise<Range | null> | null = null;
  /** Received and not handed out. */
  #rest: Uint8Array = new Uint8Array(0);
  #closed = false;

  private constructor(options: ObjectSourceOptions, offset: number, endByte: number | null) {
    this.#options = options;
    this.#at = offset;
    this.#endByte = endByte ?? options.sizeBytes;
  }

  /** @param endByte null: the end of the object @throws SluiceError NOT_FOUND, FILE_MODIFIED */
  static async open(
    options: ObjectSourceOptions,
    offset: number,
    endByte: number | null = null,
  ): Promise<ObjectSource> {
    const source = new ObjectSource(options, offset, endByte);
    source.#range = await source.#begin(offset);
    source.#askAhead();
    return source;
  }

  async read(into: Uint8Array): Promise<number> {
    if (into.length === 0) return 0;
    if (this.#rest.length === 0) {
      // Only a failure that comes without a byte in between counts against the time limit.
      const chunk = await withRetries(this.#options.retry, () => this.#nextChunk());
      if (chunk === null) return 0;
      this.#rest = chunk;
    }
    const length = Math.min(into.length, this.#rest.length);
    into.set(length === this.#rest.length ? this.#rest : this.#rest.subarray(0, length));
    this.#rest = this.#rest.subarray(length);
    return length;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#endRange();
    this.#drop();
  }

  /** A body that was read to its end gives its connection back; one that is dropped takes it along. */
  async #endRange(): Promise<void> {
    if (this.#range === null || this.#at < this.#range.to) return;
    const { chunks } = this.#range;
    const ended = await chunks.next().then(
      ({ done }) => done === true,
      () => false,
    );
    if (ended) this.#range = null;
  }

  /** The next bytes that come; null at the end. Throws what may be tried again. */
  async #nextChunk(): Promise<Uint8Array | null> {
    for (;;) {
      if (this.#endByte !== null && this.#at >= this.#endByte) return null;
      this.#range ??= await this.#takeNext();
      if (this.#range === null) return null;
      const { chunks, to } = this.#range;
      const { done, value } = await chunks.next().catch((thrown: unknown) => {
        this.#drop();
        throw this.#broken(thrown);
      });
      if (done !== true) {
        // More than was asked for is another answer's bytes.
        const chunk = this.#at + value.length > to ? value.subarray(0, to - this.#at) : value;
        this.#at += chunk.length;
        if (chunk.length > 0) return chunk;
      } else if (this.#at >= to) this.#range = null;
      else {
        const at = this.#at;
        this.#drop();
        throw new SluiceError(
          'STORAGE_FAILED',
          `${this.#name} came incomplete: it ended at byte ${at} of ${to}`,
          {
            hint: 'check the network; nothing is lost: start again',
            retryable: true,
          },
        );
      }
    }
  }

  async #takeNext(): Promise<Range | null> {
    const next = this.#next;
    this.#next = null;
    const range = await (next ?? this.#begin(this.#at));
    this.#range = range;
    this.#askAhead();
    return range;
  }

  /** Asks for the range behind the present one. */
  #askAhead(): void {
    const to = this.#range?.to ?? null;
    if (to === null || this.#endByte === null || to >= this.#endByte || this.#closed) return;
    this.#next = this.#begin(to);
    // An error is thrown where the bytes are wanted; until then it must not count as unhandled.
    this.#next.catch(() => {});
  }

  async #begin(from: number): Promise<Range | null> {
    const { store, ref, identity } = this.#options;
    if (this.#endByte !== null && from >= this.#endByte) return null;
    const to = Math.min(from + RANGE_BYTES, this.#endByte ?? Number.POSITIVE_INFINITY);
    const answer = await store.get(ref, { from, to, ifMatch: this.#etag });
    if (answer === 'missing') {
      throw new SluiceError('NOT_FOUND', `${this.#name} does not exist (any more)`, {
        details: { path: this.#name },
      });
    }
    if (answer === 'changed') throw this.#replaced();
    if (answer === 'empty') {
      if (this.#endByte !== null && from < this.#endByte) throw this.#replaced();
      return null;
    }
    if (identity !== null && etagIdentity(answer.etag) !== identity) {
      answer.cancel();
      throw this.#replaced();
    }
    this.#etag ??= answer.etag;
    this.#endByte ??= answer.objectBytes;
    return {
      body: answer,
      chunks: answer.chunks[Symbol.asyncIterator](),
      to: Math.min(to, this.#endByte),
    };
  }

  #drop(): void {
    this.#range?.body.cancel();
    this.#range = null;
    void this.#next?.then((range) => range?.body.cancel()).catch(() => {});
    this.#next = null;
  }

  #broken(thrown: unknown): SluiceError {
    const error = objectStoreError(`cannot read ${this.#name}`, thrown);
    if (error.retryable || !isConnectionError(thrown)) return error;
    return new SluiceError('STORAGE_FAILED', error.message, { cause: thrown, retryable: true });
  }

  #replaced(): SluiceError {
    return new SluiceError('FILE_MODIFIED', `${this.#name} was replaced after it was listed`, {
      hint: 'write each object once, under a name of its own; source.modified says what is done with those that change',
      details: { path: this.#name },
    });
  }

  get #name(): string {
    return s3Location(this.#options.ref);
  }
}
