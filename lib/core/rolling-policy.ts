/** Extension point: when a part file is closed and the next one begun. Flink: RollingPolicy, PartFileInfo. */

/** A read-only view of an open part, or of one that is about to be opened for rows that wait: its `sizeBytes` is 0 then. */
export interface PartFileInfo {
  readonly bucketId: string;
  readonly creationTimeMs: number;
  readonly lastUpdateTimeMs: number;
  /** Bytes on storage: what is written, and for what is still buffered the size it is expected to take there. */
  readonly sizeBytes: number;
  readonly rows: number;
  /** When the time of its bucket is over, milliseconds since 1970; null where the bucket's folder tells no event time. */
  readonly bucketEndMs?: number | null;
}

/** Called for parts that have at least one row; must be quick and without side effects. */
export interface RollingPolicy {
  /** Asked before rows are written to an open part: true closes it first, and the rows begin a new one. */
  shouldRollOnEvent(part: PartFileInfo): boolean;
  /** Asked for each open part when a checkpoint is taken, before it is persisted. */
  shouldRollOnCheckpoint(part: PartFileInfo): boolean;
  /** Asked by the timer (bucket_check_interval), also when nothing arrives. `nowMs` is processing time. */
  shouldRollOnProcessingTime(part: PartFileInfo, nowMs: number): boolean;
  /**
   * Asked for each open part by the timer and before a checkpoint, once there is a watermark: no row older than it is
   * expected any more.
   */
  shouldRollOnWatermark?(part: PartFileInfo, watermarkMs: number): boolean;
  /** How many more rows the part takes before `shouldRollOnEvent` has to be asked again; Infinity where rows do not matter. */
  rowsUntilRoll?(part: PartFileInfo): number;
}
