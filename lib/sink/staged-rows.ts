/**
 * Rows of several batches, put together before they are sorted into their buckets. Where a batch has a handful of rows
 * for each of a thousand buckets, going to a bucket costs more than the rows do: 2,000,000 rows over 10,000 buckets were
 * 1.4 rows a visit. Measured there with 131,072 rows put together: a third of the time.
 */
import { Batch } from '../core/batch.ts';
import type { BucketVector } from '../core/bucket-assigner.ts';
import { identityRows } from '../core/column.ts';
import type { Schema } from '../core/data-type.ts';
import { RowBuffer } from '../core/row-buffer.ts';

/** Rows for a bucket in a batch, on average, below which it is staged. */
const FEW_ROWS = 64;
/** As many rows for each bucket are waited for. */
const WANTED_ROWS = 32;
const MIN_ROWS = 32_768;
/**
 * Buckets from which on as many rows are put together as the memory holds. With fewer, gathering from too far apart costs
 * more than visits do: with 1,000 buckets 131,072 rows took longer than 32,768. With more, an open part's own memory is
 * what counts: it is flushed with the few rows that it got, and a row group of 20 rows has more metadata than data.
 */
const MANY_BUCKETS = 4096;
/** Row numbers are sorted by bucket in an array of this length. */
const MAX_ROWS = 1 << 20;

export class StagedRows {
  readonly #maxBytes: number;
  /** Null until the first batch: it has all columns of that, for encoders that look at more than the part's. */
  #buffer: RowBuffer | null = null;
  #codes = new Int32Array(0);
  #ids: string[] = [];
  readonly #codeOf = new Map<string, number>();
  #bytes = 0;
  /** Of the last batch. */
  #lastRows = 0;

  /** @param maxBytes memory that they may take */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether a batch should wait for others. Only columns can: source lines and objects are gone with their batch. */
  wants(batch: Batch, buckets: number): boolean {
    return (
      batch.length < buckets * FEW_ROWS &&
      buckets > 1 &&
      batch.lines === null &&
      batch.columns.length > 0 &&
      (this.rows === 0 || batch.schema === this.#buffer?.schema)
    );
  }

  get rows(): number {
    return this.#buffer?.length ?? 0;
  }

  /** Memory held. */
  get memoryBytes(): number {
    return this.#bytes;
  }

  get full(): boolean {
    const buckets = this.#ids.length;
    const wanted = buckets < MANY_BUCKETS ? Math.max(MIN_ROWS, buckets * WANTED_ROWS) : MAX_ROWS;
    return this.rows >= wanted || this.#bytes >= this.#maxBytes || this.#outgrows;
  }

  /** Another batch like the last one would not fit without growing, and grown the buffer would be too large. */
  get #outgrows(): boolean {
    const capacity = this.#buffer?.columns[0]?.capacity ?? 0;
    return this.rows + this.#lastRows > capacity && this.#bytes * 2 >= this.#maxBytes;
  }

  /** Copies a batch's rows. */
  add(batch: Batch, { codes, ids }: BucketVector): void {
    const start = this.rows;
    const { length } = batch;
    if (this.#codes.length < start + length) {
      const grown = new Int32Array(Math.max(start + length, this.#codes.length * 2));
      grown.set(this.#codes.subarray(0, start));
      this.#codes = grown;
    }
    const lasting = new Int32Array(ids.length);
    for (let code = 0; code < ids.length; code++) lasting[code] = this.#lastingCode(ids[code]!);
    translate(this.#codes, start, codes, lasting, length);
    const buffer = this.#bufferFor(batch.schema);
    buffer.append(batch, identityRows(length), 0, length);
    this.#bytes = buffer.memoryBytes + this.#codes.byteLength;
    this.#lastRows = length;
  }

  #bufferFor(schema: Schema): RowBuffer {
    if (this.#buffer?.schema !== schema) this.#buffer = new RowBuffer(schema);
    return this.#buffer;
  }

  #lastingCode(id: string): number {
    let code = this.#codeOf.get(id);
    if (code === undefined) {
      code = this.#ids.length;
      this.#ids.push(id);
      this.#codeOf.set(id, code);
    }
    return code;
  }

  /** The rows as one batch with its buckets, valid until `clear`; null where there are none. */
  take(): { readonly batch: Batch; readonly vector: BucketVector } | null {
    const buffer = this.#buffer;
    if (buffer === null || buffer.length === 0) return null;
    return {
      batch: new Batch(buffer.schema, buffer.columns, buffer.length),
      vector: { codes: this.#codes, ids: this.#ids },
    };
  }

  /** Forgets the rows and keeps the memory, if it is not more than it may be: text may take more than the rows before. */
  clear(): void {
    if (this.#bytes >= this.#maxBytes) {
      this.#buffer = null;
      this.#codes = new Int32Array(0);
      this.#bytes = 0;
    }
    this.#buffer?.clear();
    this.#ids = [];
    this.#codeOf.clear();
  }
}

function translate(
  target: Int32Array,
  start: number,
  codes: Int32Array,
  lasting: Int32Array,
  length: number,
): void {
  for (let row = 0, out = start; row < length; row++, out++) target[out] = lasting[codes[row]!]!;
}
