/** Rows of a batch in the order of their buckets: a stable counting sort, without an object a row. */
export class RowGroups {
  /** Row numbers, bucket by bucket, ascending within one. */
  order = new Int32Array(0);
  /** Bucket code c has order[starts[c], starts[c + 1]). */
  starts = new Int32Array(0);

  /** Groups rows 0 .. length - 1 by their dense codes 0 .. buckets - 1. Valid until the next call. */
  group(codes: Int32Array, length: number, buckets: number): void {
    if (this.order.length < length) this.order = new Int32Array(length);
    if (this.starts.length < buckets + 2)
      this.starts = new Int32Array(Math.max(buckets + 2, this.starts.length * 2));
    const { order, starts } = this;
    starts.fill(0, 0, buckets + 2);
    // Counted two places up, so that while placing, starts[c + 1] runs from the start of c to its end.
    for (let row = 0; row < length; row++) starts[codes[row]! + 2]!++;
    for (let code = 2; code < buckets + 2; code++) starts[code]! += starts[code - 1]!;
    for (let row = 0; row < length; row++) order[starts[codes[row]! + 1]!++] = row;
  }
}
