/** What a checkpoint holds of partition commits. Plain JSON; bounded by the partitions that are not announced yet. */

/** Rows are visible, and its time has not come. */
export interface PendingPartition {
  readonly bucketId: string;
  /** When its first part that is not announced was begun, milliseconds since 1970. */
  readonly firstMs: number;
  readonly rows: number;
  readonly parts: number;
}

/** Has to be announced, whatever happens: whether it was is not known before a later checkpoint lacks it. */
export interface PromisedPartition {
  readonly bucketId: string;
  readonly rows: number;
  readonly parts: number;
  /** The checkpoint that promised it. */
  readonly checkpoint: number;
  /** How often it failed in the run that wrote this, and why the last time. */
  readonly attempts: number;
  readonly error: string | null;
}

export interface PartitionState {
  readonly pending: readonly PendingPartition[];
  readonly promised: readonly PromisedPartition[];
  /** The source was read to its end (a backfill), and every partition promised whatever its time. Left out: it was not. */
  readonly atEnd?: true;
}

export const NO_PARTITIONS: PartitionState = { pending: [], promised: [] };
