/** All rows into the base path itself. Flink: BasePathBucketAssigner. */
import type { BucketAssigner } from '../lib/core/bucket-assigner.ts';

export function basePathAssigner(): BucketAssigner {
  let codes = new Int32Array(0);
  const ids = [''];
  return {
    partitionColumns: [],
    assign(batch) {
      if (codes.length < batch.length) codes = new Int32Array(batch.length);
      return { codes, ids };
    },
  };
}
