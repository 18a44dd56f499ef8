/** One schema of those that several files say they have. */
import { type DataType, type Field, formatDataType, type Schema } from './data-type.ts';
import { SluiceError } from './errors.ts';

export interface FileSchema {
  readonly path: string;
  readonly schema: Schema;
}

/**
 * The columns of all files, in the order of their first sight. Where types differ, the wider one that holds the values of
 * both; a column that a file lacks may be null.
 * @throws SluiceError SCHEMA_UNKNOWN where no type holds both
 */
export function schemaOfFiles(files: readonly FileSchema[]): Schema {
  let merged: readonly Field[] | null = null;
  for (const { path, schema } of files) {
    merged = merged === null ? schema.fields : mergeFields(merged, schema.fields, path, '');
  }
  return { fields: merged ?? [] };
}

function mergeFields(a: readonly Field[], b: readonly Field[], path: string, above: string): Field[] {
  const others = new Map(b.map((field) => [field.name, field]));
  const merged = a.map((field): Field => {
    const other = others.get(field.name);
    others.delete(field.name);
    if (other === undefined) return { ...field, nullable: true };
    return {
      name: field.name,
      type: mergeTypes(field.type, other.type, path, above + field.name),
      nullable: field.nullable || other.nullable,
    };
  });
  for (const field of others.values()) merged.push({ ...field, nullable: true });
  return merged;
}

const RANK: Readonly<Record<string, readonly string[]>> = {
  int32: ['int64', 'float64'],
  int64: [],
  float32: ['float64'],
  string: ['binary'],
  json: ['string', 'binary'],
};

function mergeTypes(a: DataType, b: DataType, path: string, column: string): DataType {
  if (a.kind === 'struct' && b.kind === 'struct')
    return { kind: 'struct', fields: mergeFields(a.fields, b.fields, path, `${column}.`) };
  if (a.kind === 'list' && b.kind === 'list')
    return { kind: 'list', element: mergeTypes(a.element, b.element, path, `${column}[]`) };
  if (a.kind === 'timestamp' && b.kind === 'timestamp')
    return { kind: 'timestamp', unit: a.unit === 'us' || b.unit === 'us' ? 'us' : 'ms' };
  if (a.kind === 'decimal' && b.kind === 'decimal') {
    const scale = Math.max(a.scale, b.scale);
    const precision = Math.max(a.precision - a.scale, b.precision - b.scale) + scale;
    if (precision <= 38) return { kind: 'decimal', precision, scale };
  } else if (a.kind === b.kind) return a;
  else if (RANK[a.kind]?.includes(b.kind)) return b;
  else if (RANK[b.kind]?.includes(a.kind)) return a;
  throw new SluiceError(
    'SCHEMA_UNKNOWN',
    `the column '${column}' is ${formatDataType(b)} in ${path}, and ${formatDataType(a)} in other files`,
    { hint: 'give the schema in the job file, or read the files with two jobs', details: { path, column } },
  );
}
