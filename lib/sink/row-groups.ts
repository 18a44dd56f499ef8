/** Rows by their buckets, on their way from a batch, or many, to part files. */
import type { Batch } from '../core/batch.ts';
import { identityRows } from '../core/column.ts';

/** Rows of a batch by their buckets: bucket code c has rows[starts[c], starts[c + 1]). Codes from starts.length - 1 on have none. */
export interface GroupedRows {
  readonly batch: Batch;
  /** Row numbers, bucket by bucket, ascending within one. */
  readonly rows: Int32Array;
  readonly starts: Int32Array;
  /** That the rows came under, one behind the other: they tell which are late. */
  readonly watermarksMs: readonly number[];
  /** By row number, which of the watermarks it is; null where there is one only. */
  readonly watermarkOf: Int32Array | null;
}

/** Processing time of the first and the last of some rows, milliseconds since 1970. */
export interface RowTimes {
  readonly creationTimeMs: number;
  readonly lastUpdateTimeMs: number;
}

/** Code c of each of the groups is bucket ids[c]. Rows of a later group came later. */
export interface RowsByBucket {
  readonly ids: readonly string[];
  readonly groups: readonly GroupedRows[];
  readonly timesOf: (code: number) => RowTimes;
}

/** Where the rows from `from` on end that came under the same watermark as the first of them, `to` at the latest. */
export function sameWatermark({ rows, watermarkOf }: GroupedRows, from: number, to: number): number {
  if (watermarkOf === null) return to;
  const first = watermarkOf[rows[from]!]!;
  let end = from + 1;
  while (end < to && watermarkOf[rows[end]!] === first) end++;
  return end;
}

/** Of the rows at `at`, a place in `rows`. */
export function watermarkAt({ rows, watermarksMs, watermarkOf }: GroupedRows, at: number): number {
  return watermarksMs[watermarkOf === null ? 0 : watermarkOf[rows[at]!]!]!;
}

/** Rows in the order of their buckets: a stable counting sort, without an object a row. */
export class RowGroups {
  #order = new Int32Array(0);
  #starts = new Int32Array(0);

  /** Groups the rows of a batch by their dense codes 0 .. buckets - 1. Valid until the next call. */
  group(
    batch: Batch,
    codes: Int32Array,
    buckets: number,
    watermarksMs: readonly number[],
    watermarkOf: Int32Array | null = null,
  ): GroupedRows {
    const { length } = batch;
    if (buckets === 1) {
      const starts = Int32Array.of(0, length);
      return { batch, rows: identityRows(length), starts, watermarksMs, watermarkOf };
    }
    if (this.#order.length < length) this.#order = new Int32Array(length);
    if (this.#starts.length < buckets + 2)
      this.#starts = new Int32Array(Math.max(buckets + 2, this.#starts.length * 2));
    sort(codes, length, this.#order, this.#starts, buckets);
    const starts = this.#starts.subarray(0, buckets + 1);
    return { batch, rows: this.#order, starts, watermarksMs, watermarkOf };
  }
}

function sort(
  codes: Int32Array,
  length: number,
  order: Int32Array,
  starts: Int32Array,
  buckets: number,
): void {
  starts.fill(0, 0, buckets + 2);
  // Counted two places up, so that while placing, starts[c + 1] runs from the start of c to its end.
  for (let row = 0; row < length; row++) starts[codes[row]! + 2]!++;
  for (let code = 2; code < buckets + 2; code++) starts[code]! += starts[code - 1]!;
  for (let row = 0; row < length; row++) order[starts[codes[row]! + 1]!++] = row;
}
