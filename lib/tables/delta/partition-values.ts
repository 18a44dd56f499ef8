/** Values of partition columns as a Delta log has them. */
import { type PartitionColumn, parsePartition } from '../../../bucketing/index.ts';
import { SluiceError } from '../../core/errors.ts';

/**
 * What a bucket's folders say. null stands for null and for '', which folders cannot tell apart.
 * @throws SluiceError TABLE_UNSUITABLE where a folder of the columns is missing
 */
export function partitionValues(
  bucketId: string,
  columns: readonly PartitionColumn[],
): Record<string, string | null> {
  const values: Record<string, string | null> = {};
  if (columns.length === 0) return values;
  const keys = parsePartition(bucketId);
  for (const [i, { name, type }] of columns.entries()) {
    const folder = keys?.[i];
    if (folder === undefined || folder.key !== name) {
      throw new SluiceError(
        'TABLE_UNSUITABLE',
        `the folder '${bucketId}' does not tell the column '${name}'`,
      );
    }
    const { value } = folder;
    values[name] = value !== null && type.kind === 'timestamp' ? isoTimestamp(value) : value;
  }
  return values;
}

/** `2026-11-22 13:14:15.5` as ISO 8601 in UTC, which every session's time zone reads alike. */
function isoTimestamp(text: string): string {
  const [whole = '', fraction = ''] = text.split('.');
  return `${whole.replace(' ', 'T')}.${fraction.padEnd(6, '0')}Z`;
}
