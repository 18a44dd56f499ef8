/** What the sink of a subtask is made of. */
import type { BucketAssigner } from '../core/bucket-assigner.ts';
import type { Clock } from '../core/clock.ts';
import type { Schema } from '../core/data-type.ts';
import type { BulkFormat } from '../core/encoder.ts';
import type { RollingPolicy } from '../core/rolling-policy.ts';
import type { StageClock } from '../core/stage-clock.ts';
import type { FileSystem } from '../storage/file-system.ts';
import type { PartNaming } from './part-name.ts';

export interface SinkConfig {
  /** Folder of all buckets, absolute. */
  readonly path: string;
  readonly staging: string | null;
  readonly naming: PartNaming;
  readonly subtask: number;
  /** Of the part files: partition columns are left out already. */
  readonly schema: Schema;
  readonly format: BulkFormat;
  readonly assigner: BucketAssigner;
  readonly policy: RollingPolicy;
  /** Budget for what this subtask buffers. */
  readonly memoryBytes: number;
  /** Memory of one part's buffered rows at which they are flushed. */
  readonly flushBytes: number;
  readonly fileSystem: FileSystem;
  readonly segmentsFolder: string;
  /** Tells the segments of a subtask's outputs apart; left out for the lake's. */
  readonly segmentLabel?: string;
  readonly runId: string;
  readonly clock: Clock;
  /** The newest checkpoint when the run began. */
  readonly checkpointId: number;
  /** The event time of buckets; null (default) where they tell none. */
  readonly bucketTimes?: BucketTimes | null;
  /** How far rows may be behind the newest event time and still be expected; 0 where left out. */
  readonly maxOutOfOrdernessMs?: number;
  /** Rows whose bucket's time is over; kept, and not counted, where left out. */
  readonly late?: LatePolicy;
  /** Time goes to the stages that it enters; what calls it says which one the rest belongs to. */
  readonly stages?: StageClock;
}

/** When a bucket's time is over, milliseconds since 1970 (bucketing/bucket-times.ts has them). */
export type BucketTimes = (bucketId: string) => { readonly endMs: number } | null;

export interface LatePolicy {
  readonly keep: boolean;
  /** How far the watermark may be behind the end of a bucket's time. */
  readonly allowedLatenessMs: number;
}

export interface LateRows {
  /** Rows that came after the time of their bucket was over. */
  readonly rows: number;
  /** Of these, the ones that were not written. */
  readonly dropped: number;
}
