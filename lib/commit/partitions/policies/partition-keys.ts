/** Partitions as a metastore sees them. */
import { type CommittedPartition, HIVE_DEFAULT_PARTITION } from '../../../core/partition-commit.ts';

export interface MetastoreKey {
  /** Metastores keep names of columns in lower case. */
  readonly key: string;
  /** As a metastore stores it: it has no null. */
  readonly metastoreValue: string;
}

/** @throws Error where the bucket's folders are not all `key=value` */
export function keysOf({ keys, partition }: CommittedPartition): MetastoreKey[] {
  if (keys === null) throw new Error(`a metastore needs key=value folders, and there is '${partition}'`);
  return keys.map(({ key, value }) => ({
    key: key.toLowerCase(),
    metastoreValue: value ?? HIVE_DEFAULT_PARTITION,
  }));
}

/** @param location of the table as the engine sees it; null: `file://` and the sink's path */
export function locationOf(
  { partition }: CommittedPartition,
  location: string | null,
  sinkPath: string,
): string {
  return `${(location ?? (sinkPath.startsWith('/') ? `file://${sinkPath}` : sinkPath)).replace(/\/+$/, '')}/${partition}`;
}
