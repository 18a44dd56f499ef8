/** What a StreamingFileSink was built to do. */
import type { BucketAssigner } from '../core/bucket-assigner.ts';
import type { Schema } from '../core/data-type.ts';
import type { BulkFormat } from '../core/encoder.ts';
import type { RollingPolicy } from '../core/rolling-policy.ts';

export interface SinkDescription {
  readonly path: string;
  readonly format: BulkFormat;
  readonly flushBytes: number;
  /** Of the records; without fields where they are taken as they are. */
  readonly schema: Schema;
  readonly assigner: BucketAssigner;
  readonly policy: RollingPolicy;
  readonly prefix: string;
  readonly suffix: string;
  readonly bucketCheckIntervalMs: number;
}
