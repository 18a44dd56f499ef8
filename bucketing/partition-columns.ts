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

/**
 * A column of the part files that readers would not see, since they take what a folder of the same name says. A column that
 * its own folder repeats as it is has the same values there.
 */
export function hiddenColumn(bucket: BucketSpec, schema: Schema): string | null {
  if (bucket.type !== 'fields') return null;
  const inFolders = bucket.fields.filter(({ transform }) => transform === 'value');
  const stays = schema.fields.filter(
    ({ name }) => bucket.keepFields || !inFolders.some(({ column }) => column === name),
  );
  const hidden = stays.find((field) =>
    bucket.fields.some(
      ({ name, column, transform }) =>
        name.toLowerCase() === field.name.toLowerCase() && !(transform === 'value' && column === field.name),
    ),
  );
  return hidden?.name ?? null;
}
