/** Extension point: which bucket (folder) a row goes to. Flink: BucketAssigner. */
import type { Batch } from './batch.ts';

/** What an assigner may look at besides the row (Flink: BucketAssigner.Context). */
export interface BucketContext {
  /** Milliseconds since 1970, the same for the whole batch. */
  readonly processingTimeMs: number;
  /** Milliseconds since 1970; -Infinity while there is none. */
  readonly watermarkMs: number;
  /** Event time of each row in milliseconds since 1970, NaN where it has none; null where the job has no event time. */
  readonly timestampsMs: Float64Array | null;
}

/** The buckets of a batch: row i goes to ids[codes[i]]. Codes are dense, and mean something in this batch only. */
export interface BucketVector {
  readonly codes: Int32Array;
  /** Bucket ids: folder relative to the sink's path, `/` between levels, '' for the path itself. */
  readonly ids: readonly string[];
}

export interface BucketAssigner {
  /**
   * Assigns every row of the batch by its own values. Called once a batch, on the hot path: no allocation a row.
   * The result is valid until the next call.
   * @throws SluiceError BAD_RECORD where a row has no bucket (an unparsable event time)
   */
  assign(batch: Batch, context: BucketContext): BucketVector;
  /** Columns whose values stand in the folder's name and so are left out of the part files. */
  readonly partitionColumns: readonly string[];
}

/** For assigners written row by row (Flink: BucketAssigner.getBucketId). */
export interface RowContext {
  readonly processingTimeMs: number;
  readonly watermarkMs: number;
  /** Event time of this row, or null. */
  readonly timestampMs: number | null;
}
