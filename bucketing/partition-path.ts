/** What a bucket's `key=value` folders say: the other direction of hive-escape.ts. */
import { HIVE_DEFAULT_PARTITION } from '../lib/core/partition-commit.ts';

export interface PartitionKey {
  readonly key: string;
  /** Unescaped; null for Hive's default partition. */
  readonly value: string | null;
}

/** The keys and values of a bucket's folders, outermost first; null where a folder is not of that form, or there is none. */
export function parsePartition(bucketId: string): PartitionKey[] | null {
  if (bucketId === '') return null;
  const keys: PartitionKey[] = [];
  for (const folder of bucketId.split('/')) {
    const cut = folder.indexOf('=');
    if (cut < 1 || cut === folder.length - 1) return null;
    const value = folder.slice(cut + 1);
    keys.push({
      key: unescapeHive(folder.slice(0, cut)),
      value: value === HIVE_DEFAULT_PARTITION ? null : unescapeHive(value),
    });
  }
  return keys;
}

/** Hive's decoder works on single characters: `%C3%BC` is two of them, and never an ü. */
export function unescapeHive(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
