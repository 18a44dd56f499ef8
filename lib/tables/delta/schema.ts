/**
 * A table's schema as Delta has it: Spark's JSON form of a struct.
 * https://github.com/delta-io/delta/blob/master/PROTOCOL.md#schema-serialization-format
 */
import type { PartitionColumn } from '../../../bucketing/index.ts';
import type { DataType, Field, Schema } from '../../core/data-type.ts';
import { SluiceError } from '../../core/errors.ts';

export type DeltaType = string | DeltaStruct | DeltaArray | { readonly type: 'map' };

interface DeltaStruct {
  readonly type: 'struct';
  readonly fields: readonly DeltaField[];
}

interface DeltaArray {
  readonly type: 'array';
  readonly elementType: DeltaType;
  readonly containsNull: boolean;
}

export interface DeltaField {
  readonly name: string;
  readonly type: DeltaType;
  readonly nullable: boolean;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/**
 * Columns of the files, then those of the folders.
 * @throws SluiceError TABLE_UNSUITABLE where two names differ in their case only
 */
export function deltaFields(columns: Schema, partitions: readonly PartitionColumn[]): DeltaField[] {
  const fields = [
    ...columns.fields.map(deltaField),
    ...partitions.map(({ name, type }) => deltaField({ name, type, nullable: true })),
  ];
  const seen = new Map<string, string>();
  for (const { name } of fields) {
    const other = seen.get(name.toLowerCase());
    if (other !== undefined)
      throw unsuitable(`the columns '${other}' and '${name}' are one to Delta`, 'rename one of them');
    seen.set(name.toLowerCase(), name);
  }
  return fields;
}

export function encodeFields(fields: readonly DeltaField[]): string {
  return JSON.stringify({ type: 'struct', fields });
}

/** @throws SluiceError TABLE_UNSUITABLE */
export function decodeFields(schemaString: string): readonly DeltaField[] {
  try {
    return (JSON.parse(schemaString) as DeltaStruct).fields;
  } catch (cause) {
    throw new SluiceError('TABLE_UNSUITABLE', 'the schema of the Delta table cannot be read', { cause });
  }
}

/**
 * A table's columns with what the job has besides. Those that only the table has stay: others may have added them.
 * @returns null where nothing changes
 * @throws SluiceError TABLE_UNSUITABLE where a column is of another type, or the table asks for one that we do not have
 */
export function mergeFields(table: readonly DeltaField[], job: readonly DeltaField[]): DeltaField[] | null {
  for (const { name, nullable, metadata } of table) {
    if (Object.keys(metadata).some((key) => key.startsWith('delta.')))
      throw unsuitable(`column '${name}' of the Delta table has a rule that sluice does not know`);
    if (!nullable && !job.some((field) => field.name === name))
      throw unsuitable(`column '${name}' of the Delta table may not be null, and the job does not have it`);
  }
  const merged = mergeStruct(table, job, '');
  return JSON.stringify(merged) === JSON.stringify(table) ? null : merged;
}

function mergeStruct(table: readonly DeltaField[], job: readonly DeltaField[], prefix: string): DeltaField[] {
  const fields = [...table];
  for (const wanted of job) {
    const at = fields.findIndex(({ name }) => name.toLowerCase() === wanted.name.toLowerCase());
    const known = fields[at];
    if (known === undefined) {
      fields.push({ ...wanted, nullable: true });
      continue;
    }
    const column = `${prefix}${wanted.name}`;
    if (known.name !== wanted.name)
      throw unsuitable(`the Delta table spells the column '${column}' as '${known.name}'`);
    const type = mergeType(known.type, wanted.type, column);
    fields[at] = { ...known, type, nullable: known.nullable || wanted.nullable };
  }
  return fields;
}

function mergeType(table: DeltaType, job: DeltaType, column: string): DeltaType {
  if (typeof table !== 'string' && typeof job !== 'string') {
    if (table.type === 'struct' && job.type === 'struct')
      return { ...table, fields: mergeStruct(table.fields, job.fields, `${column}.`) };
    if (table.type === 'array' && job.type === 'array')
      return { ...table, elementType: mergeType(table.elementType, job.elementType, `${column}[]`) };
  } else if (table === job) return table;
  throw unsuitable(
    `column '${column}' is ${typeName(table)} in the Delta table and ${typeName(job)} in the job`,
    'the parts that are there cannot be read as another type: give the job another sink.path',
  );
}

function typeName(type: DeltaType): string {
  return typeof type === 'string' ? type : type.type;
}

function deltaField({ name, type, nullable }: Field): DeltaField {
  return { name, type: deltaType(type), nullable, metadata: {} };
}

function deltaType(type: DataType): DeltaType {
  switch (type.kind) {
    case 'int32':
      return 'integer';
    case 'int64':
      return 'long';
    case 'float32':
      return 'float';
    case 'float64':
      return 'double';
    case 'json':
      return 'string';
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`;
    case 'list':
      return { type: 'array', elementType: deltaType(type.element), containsNull: true };
    case 'struct':
      return { type: 'struct', fields: type.fields.map(deltaField) };
    default:
      return type.kind;
  }
}

function unsuitable(message: string, hint?: string): SluiceError {
  return new SluiceError('TABLE_UNSUITABLE', message, hint === undefined ? {} : { hint });
}
