/** Which columns of a table stand in the folders' names, and which in the files. */
import type { DataType, Schema } from '../lib/core/data-type.ts';
import type { BucketSpec } from '../lib/core/specs.ts';
import { parseDatetimePattern } from './datetime-pattern.ts';
import { parsePartition } from './partition-path.ts';

export interface PartitionColumn {
  /** The key of the folder. */
  readonly name: string;
  readonly type: DataType;
}

/**
 * The columns that folders make, outermost first. One that is a column's value has its type; others are text, so that
 * whoever compares `hour = '07'` gets what the folder says. Folders that are not all `key=value` make none.
 * @returns null for a custom assigner: nobody knows
 */
export function partitionColumns(bucket: BucketSpec, schema: Schema): readonly PartitionColumn[] | null {
  switch (bucket.type) {
    case 'base_path':
      return [];
    case 'fields':
      return bucket.fields.map(({ name, column, transform }) => {
        const found = schema.fields.find((field) => field.name === column);
        return { name, type: transform === 'value' && found !== undefined ? found.type : { kind: 'string' } };
      });
    case 'datetime':
      return (parsePartition(parseDatetimePattern(bucket.pattern).missing) ?? []).map(({ key }) => ({
        name: key,
        type: { kind: 'string' },
      }));
    case 'custom':
      return null;
  }
}

/** The columns that readers take from the files: not those of folders, nor those that folders alone hold. */
export function fileColumns(
  bucket: BucketSpec,
  schema: Schema,
  partitions: readonly Pick<PartitionColumn, 'name'>[],
): Schema {
  const names = new Set(partitions.map(({ name }) => name.toLowerCase()));
  const dropped =
    bucket.type === 'fields' && !bucket.keepFields
      ? bucket.fields.filter(({ transform }) => transform === 'value').map(({ column }) => column)
      : [];
  // A column that is in the folder's name too: engines take the folder's value.
  return {
    fields: schema.fields.filter(({ name }) => !dropped.includes(name) && !names.has(name.toLowerCase())),
  };
}
