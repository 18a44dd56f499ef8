/** Extension point: what tells the world that a partition is there. Flink: PartitionCommitPolicy. */

/** The Hive name of a partition whose value is missing. */
export const HIVE_DEFAULT_PARTITION = '__HIVE_DEFAULT_PARTITION__';

/** A partition with rows that were not announced before. Plain JSON: it is what webhooks and commands are given. */
export interface CommittedPartition {
  readonly job: string;
  /** 8 hex digits, in the names of the part files. */
  readonly jobId: string;
  /** The bucket: its folder relative to the sink's path, as it is spelled on storage. */
  readonly partition: string;
  /** Its folder, absolute. */
  readonly path: string;
  /** Keys and values, unescaped, null for Hive's default partition; null where the folders are not all `key=value`. */
  readonly keys: readonly { readonly key: string; readonly value: string | null }[] | null;
  /** Since it was announced last: rows, and the part files they are in. */
  readonly rows: number;
  readonly parts: number;
  /** The checkpoint that promised this announcement. Grows from one announcement of a partition to the next. */
  readonly checkpoint: number;
}

export interface PartitionCommitPolicy {
  /**
   * Announces partitions whose part files are visible. Called again with the same ones after a failure or a crash, even
   * when it was done: it has to be idempotent. Called with one partition where several at once failed.
   * @throws whatever went wrong: it is tried again, later and later
   */
  commit(partitions: readonly CommittedPartition[], signal: AbortSignal): Promise<void>;
}
