/**
 * How a schema may change while a lake has parts of older ones: columns are added at the end, and nullable; types get
 * wider (int32 -> int64 -> float64 -> string); a column may become nullable. Readers then read old parts with nulls.
 */
import { type DataType, type Field, formatDataType, type Schema, sameType } from './data-type.ts';

export type SchemaChange =
  | { readonly kind: 'added'; readonly column: string; readonly type: string }
  | { readonly kind: 'widened'; readonly column: string; readonly from: string; readonly to: string }
  | { readonly kind: 'made nullable'; readonly column: string }
  /** Of columns as they are written only: the job's steps may change at any start. */
  | { readonly kind: 'removed'; readonly column: string }
  | { readonly kind: 'retyped'; readonly column: string; readonly from: string; readonly to: string };

/** One step in a schema's history. */
export interface SchemaVersion {
  /** 1, 2, 3 ... */
  readonly version: number;
  /** The checkpoint that was to come when it took effect: parts of it are of this one or later. */
  readonly checkpoint: number;
  readonly createdMs: number;
  /** Against the version before; of the first one, every column is added. */
  readonly changes: readonly SchemaChange[];
  /** The file that asked for it; null where the job file did, or the sample that the first one was inferred from. */
  readonly cause: string | null;
}

/** For people. */
export function describeChange(change: SchemaChange): string {
  switch (change.kind) {
    case 'added':
      return `${change.column} ${change.type} is new`;
    case 'widened':
    case 'retyped':
      return `${change.column} was ${change.from} and is ${change.to}`;
    case 'made nullable':
      return `${change.column} may be null`;
    case 'removed':
      return `${change.column} is not written any more`;
  }
}

/** Each takes what stands before it. */
const WIDENING: readonly string[] = ['int32', 'int64', 'float64', 'string'];

/** Whether every value of one type can be written as the other. */
export function isWider(wide: DataType, narrow: DataType): boolean {
  if (sameType(wide, narrow)) return true;
  if (wide.kind === 'string') return !['list', 'struct', 'binary', 'json'].includes(narrow.kind);
  if (narrow.kind === 'float32') return wide.kind === 'float64';
  if (wide.kind === 'struct' && narrow.kind === 'struct')
    return compareFields(narrow.fields, wide.fields, '').conflicts.length === 0;
  if (wide.kind === 'list' && narrow.kind === 'list') return isWider(wide.element, narrow.element);
  const from = WIDENING.indexOf(narrow.kind);
  return from !== -1 && WIDENING.indexOf(wide.kind) > from;
}

/** The narrowest type that takes values of both; null where there is none. */
export function commonType(a: DataType, b: DataType): DataType | null {
  if (isWider(a, b)) return a;
  if (isWider(b, a)) return b;
  if (a.kind === 'struct' && b.kind === 'struct')
    return { kind: 'struct', fields: mergeFields(a.fields, b.fields) };
  if (a.kind === 'list' && b.kind === 'list') {
    const element = commonType(a.element, b.element);
    return element === null ? null : { kind: 'list', element };
  }
  const text: DataType = { kind: 'string' };
  // Values of several kinds, where single values were expected: text holds those.
  if (b.kind === 'json' && isWider(text, a)) return text;
  return isWider(text, a) && isWider(text, b) ? text : null;
}

/** What `to` changes of `from`, and what of it is not allowed (sentences). */
export function compareSchemas(
  from: Schema,
  to: Schema,
): { readonly changes: readonly SchemaChange[]; readonly conflicts: readonly string[] } {
  return compareFields(from.fields, to.fields, '');
}

function compareFields(
  from: readonly Field[],
  to: readonly Field[],
  prefix: string,
): { changes: SchemaChange[]; conflicts: string[] } {
  const changes: SchemaChange[] = [];
  const conflicts: string[] = [];
  for (const [index, field] of from.entries()) {
    const column = prefix + field.name;
    const next = to.find((other) => other.name === field.name);
    if (next === undefined) {
      conflicts.push(`column '${column}' is gone`);
      continue;
    }
    if (to[index]?.name !== field.name) conflicts.push(`column '${column}' has another place`);
    if (field.nullable && !next.nullable) conflicts.push(`column '${column}' may not be null any more`);
    if (!field.nullable && next.nullable) changes.push({ kind: 'made nullable', column });
    if (sameType(field.type, next.type)) continue;
    const [before, after] = [formatDataType(field.type), formatDataType(next.type)];
    if (isWider(next.type, field.type)) changes.push({ kind: 'widened', column, from: before, to: after });
    else conflicts.push(`column '${column}' was ${before} and is ${after}`);
  }
  for (const field of to) {
    if (from.some((other) => other.name === field.name)) continue;
    const column = prefix + field.name;
    if (field.nullable) changes.push({ kind: 'added', column, type: formatDataType(field.type) });
    else conflicts.push(`column '${column}' is new and may not be null: rows before it have no value`);
  }
  return { changes, conflicts };
}

/** What `to` changes of `from`, whatever that is: steps of a job file may do what no source does. Order is none. */
export function writtenChanges(from: Schema, to: Schema): SchemaChange[] {
  const changes: SchemaChange[] = [];
  for (const field of from.fields) {
    const column = field.name;
    const next = to.fields.find((other) => other.name === column);
    if (next === undefined) {
      changes.push({ kind: 'removed', column });
      continue;
    }
    if (!field.nullable && next.nullable) changes.push({ kind: 'made nullable', column });
    if (sameType(field.type, next.type)) continue;
    const kind = isWider(next.type, field.type) ? 'widened' : 'retyped';
    changes.push({ kind, column, from: formatDataType(field.type), to: formatDataType(next.type) });
  }
  for (const { name, type } of to.fields)
    if (!from.fields.some((other) => other.name === name))
      changes.push({ kind: 'added', column: name, type: formatDataType(type) });
  return changes;
}

export interface MergeOptions {
  /** Whether columns that are new are added at the end. */
  readonly add: boolean;
  /** Whether types of known columns get wider. */
  readonly widen: boolean;
  /** Columns there may be. */
  readonly maxColumns: number;
}

/** `schema` with what `seen` has in addition, as far as the options allow. The same object where nothing changes. */
export function mergeSchemas(schema: Schema, seen: Schema, options: MergeOptions): Schema {
  const fields = schema.fields.map((field) => {
    const other = seen.fields.find((each) => each.name === field.name);
    if (other === undefined || sameType(field.type, other.type)) return field;
    const type = options.widen
      ? commonType(field.type, other.type)
      : withNewFields(field.type, other.type, options);
    return type === null || sameType(type, field.type) ? field : { ...field, type };
  });
  if (options.add) {
    for (const field of seen.fields) {
      if (fields.length >= options.maxColumns) break;
      if (!fields.some((each) => each.name === field.name)) fields.push({ ...field, nullable: true });
    }
  }
  const changed =
    fields.length !== schema.fields.length || fields.some((field, i) => field !== schema.fields[i]);
  return changed ? { fields } : schema;
}

/** A struct with the fields that another one has besides; types of known ones stay. */
function withNewFields(type: DataType, seen: DataType, { add }: MergeOptions): DataType {
  if (type.kind === 'list' && seen.kind === 'list')
    return {
      kind: 'list',
      element: withNewFields(type.element, seen.element, { add, widen: false, maxColumns: 0 }),
    };
  if (!add || type.kind !== 'struct' || seen.kind !== 'struct') return type;
  const options = { add, widen: false, maxColumns: Number.POSITIVE_INFINITY };
  return { kind: 'struct', fields: mergeSchemas(type, seen, options).fields };
}

function mergeFields(a: readonly Field[], b: readonly Field[]): readonly Field[] {
  const options = { add: true, widen: true, maxColumns: Number.POSITIVE_INFINITY };
  return mergeSchemas({ fields: a }, { fields: b }, options).fields;
}
