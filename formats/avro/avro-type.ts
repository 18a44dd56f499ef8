/**
 * The schema of an Avro file, names resolved, and the types its values have in columns.
 * https://avro.apache.org/docs/1.12.0/specification/
 */
import { type DataType, type Field, MAX_TYPE_DEPTH, type Schema } from '../../lib/core/data-type.ts';
import { corrupt } from '../corrupt.ts';

export type AvroType =
  | { readonly kind: 'null' | 'boolean' | 'float' | 'double' | 'string' }
  | { readonly kind: 'int'; readonly logical: string | null }
  | { readonly kind: 'long'; readonly logical: string | null }
  | { readonly kind: 'bytes'; readonly decimal: AvroDecimal | null }
  | { readonly kind: 'fixed'; readonly size: number; readonly decimal: AvroDecimal | null }
  | { readonly kind: 'enum'; readonly symbols: readonly Uint8Array[] }
  | { readonly kind: 'array'; readonly items: AvroType }
  | { readonly kind: 'map'; readonly values: AvroType }
  | { readonly kind: 'union'; readonly branches: readonly AvroType[] }
  /** Fields are filled in later where the record is part of itself. */
  | { readonly kind: 'record'; readonly fields: { readonly name: string; readonly type: AvroType }[] };

export interface AvroDecimal {
  readonly precision: number;
  readonly scale: number;
}

const PRIMITIVES = ['null', 'boolean', 'float', 'double', 'string'] as const;
const toUtf8 = new TextEncoder();

/** @throws SluiceError INPUT_CORRUPT where it is no schema */
export function parseAvroSchema(text: string): AvroType {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return corrupt('its schema is not JSON');
  }
  return new SchemaParser().parse(json, '', 0);
}

class SchemaParser {
  readonly #named = new Map<string, AvroType>();

  parse(json: unknown, namespace: string, depth: number): AvroType {
    if (depth > 64) corrupt('its schema is nested deeper than 64');
    if (typeof json === 'string') return this.#byName(json, namespace, {});
    if (Array.isArray(json)) {
      return { kind: 'union', branches: json.map((branch) => this.parse(branch, namespace, depth + 1)) };
    }
    if (typeof json !== 'object' || json === null) return corrupt('its schema has a part that is no type');
    const given: Readonly<Record<string, unknown>> = { ...json };
    switch (given.type) {
      case 'record':
      case 'error': {
        const fields: { name: string; type: AvroType }[] = [];
        const record: AvroType = { kind: 'record', fields };
        const inner = this.#name(given, namespace, record);
        if (!Array.isArray(given.fields)) return corrupt('a record of its schema has no fields');
        for (const field of given.fields) {
          const { name, type } = { ...field } as Record<string, unknown>;
          if (typeof name !== 'string') corrupt('a field of its schema has no name');
          fields.push({ name: String(name), type: this.parse(type, inner, depth + 1) });
        }
        return record;
      }
      case 'enum': {
        const symbols = Array.isArray(given.symbols)
          ? given.symbols.map((symbol) => toUtf8.encode(String(symbol)))
          : [];
        const type: AvroType = { kind: 'enum', symbols };
        this.#name(given, namespace, type);
        return type;
      }
      case 'fixed': {
        const size = Number(given.size);
        if (!Number.isSafeInteger(size) || size < 0) corrupt('a fixed type of its schema has no size');
        const type: AvroType = { kind: 'fixed', size, decimal: decimalOf(given) };
        this.#name(given, namespace, type);
        return type;
      }
      case 'array':
        return { kind: 'array', items: this.parse(given.items, namespace, depth + 1) };
      case 'map':
        return { kind: 'map', values: this.parse(given.values, namespace, depth + 1) };
      default:
        return typeof given.type === 'string'
          ? this.#byName(given.type, namespace, given)
          : this.parse(given.type, namespace, depth + 1);
    }
  }

  #byName(name: string, namespace: string, given: Readonly<Record<string, unknown>>): AvroType {
    const logical = typeof given.logicalType === 'string' ? given.logicalType : null;
    for (const kind of PRIMITIVES) if (name === kind) return { kind };
    if (name === 'int' || name === 'long') return { kind: name, logical };
    if (name === 'bytes') return { kind: 'bytes', decimal: decimalOf(given) };
    const full = name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
    return this.#named.get(full) ?? this.#named.get(name) ?? corrupt(`its schema has no type '${name}'`);
  }

  /** Remembers a named type. @returns the namespace within it */
  #name(given: Readonly<Record<string, unknown>>, outer: string, type: AvroType): string {
    const name = String(given.name ?? '');
    const dot = name.lastIndexOf('.');
    const namespace =
      dot !== -1 ? name.slice(0, dot) : typeof given.namespace === 'string' ? given.namespace : outer;
    const bare = name.slice(dot + 1);
    this.#named.set(namespace === '' ? bare : `${namespace}.${bare}`, type);
    return namespace;
  }
}

function decimalOf(given: Readonly<Record<string, unknown>>): AvroDecimal | null {
  if (given.logicalType !== 'decimal') return null;
  const precision = Number(given.precision);
  const scale = Number(given.scale ?? 0);
  // What is no valid decimal is bytes, says the specification; so are more digits than a column holds.
  const valid = Number.isInteger(precision) && Number.isInteger(scale) && precision >= 1 && precision <= 38;
  return valid && scale >= 0 && scale <= precision ? { precision, scale } : null;
}

/** The columns of a file. A file of other things than records has one column, `value`. */
export function schemaOfAvro(type: AvroType): Schema {
  return { fields: topFields(type).map(({ name, type: inner }) => fieldOf(name, inner, 0)) };
}

export function topFields(type: AvroType): readonly { readonly name: string; readonly type: AvroType }[] {
  return type.kind === 'record' ? type.fields : [{ name: 'value', type }];
}

function fieldOf(name: string, type: AvroType, depth: number): Field {
  return { name, type: dataTypeOf(type, depth), nullable: isNullable(type) };
}

export function isNullable(type: AvroType): boolean {
  return type.kind === 'null' || (type.kind === 'union' && type.branches.some(isNullable));
}

/** The type that holds every value. What has none of its own (a record within itself, a union of kinds) is json. */
function dataTypeOf(type: AvroType, depth: number): DataType {
  // A record that is part of itself has no end: its values are kept as json.
  if (isEndless(type)) return { kind: 'json' };
  switch (type.kind) {
    case 'null':
      return { kind: 'json' };
    case 'boolean':
      return { kind: 'boolean' };
    case 'int':
      return { kind: type.logical === 'date' ? 'date' : 'int32' };
    case 'long': {
      const unit = unitOf(type.logical);
      return unit === null ? { kind: 'int64' } : { kind: 'timestamp', unit: unit === 'ms' ? 'ms' : 'us' };
    }
    case 'float':
      return { kind: 'float32' };
    case 'double':
      return { kind: 'float64' };
    case 'string':
    case 'enum':
      return { kind: 'string' };
    case 'bytes':
    case 'fixed':
      return type.decimal === null ? { kind: 'binary' } : { kind: 'decimal', ...type.decimal };
    case 'array':
      return { kind: 'list', element: dataTypeOf(type.items, depth + 1) };
    case 'map':
      return { kind: 'list', element: mapEntry(dataTypeOf(type.values, depth + 1)) };
    case 'union':
      return unionType(type.branches, depth);
    case 'record':
      return {
        kind: 'struct',
        fields: type.fields.map((field) => fieldOf(field.name, field.type, depth + 1)),
      };
  }
}

export function mapEntry(value: DataType): DataType {
  return {
    kind: 'struct',
    fields: [
      { name: 'key', type: { kind: 'string' }, nullable: false },
      { name: 'value', type: value, nullable: true },
    ],
  };
}

const WIDENING: readonly (readonly [string, string, DataType])[] = [
  ['int32', 'int64', { kind: 'int64' }],
  ['float32', 'float64', { kind: 'float64' }],
  ['int32', 'float64', { kind: 'float64' }],
];

function unionType(branches: readonly AvroType[], depth: number): DataType {
  const types = branches
    .filter((branch) => branch.kind !== 'null')
    .map((branch) => dataTypeOf(branch, depth));
  const [first, second] = types;
  if (first === undefined) return { kind: 'json' };
  if (second === undefined) return first;
  if (types.length > 2) return { kind: 'json' };
  const wide = WIDENING.find(([a, b]) => [a, b].includes(first.kind) && [a, b].includes(second.kind));
  return wide?.[2] ?? (first.kind === 'string' && second.kind === 'string' ? first : { kind: 'json' });
}

/** Whether a type holds itself, or is nested deeper than columns may be. */
function isEndless(type: AvroType, depth = 0): boolean {
  if (depth >= MAX_TYPE_DEPTH) return true;
  switch (type.kind) {
    case 'array':
      return isEndless(type.items, depth + 1);
    case 'map':
      return isEndless(type.values, depth + 2);
    case 'union':
      return type.branches.some((branch) => isEndless(branch, depth + 1));
    case 'record':
      return type.fields.some((field) => isEndless(field.type, depth + 1));
    default:
      return false;
  }
}

export function unitOf(logical: string | null): 'ms' | 'us' | 'ns' | null {
  switch (logical) {
    case 'timestamp-millis':
    case 'local-timestamp-millis':
      return 'ms';
    case 'timestamp-micros':
    case 'local-timestamp-micros':
      return 'us';
    case 'timestamp-nanos':
    case 'local-timestamp-nanos':
      return 'ns';
    default:
      return null;
  }
}
