/**
 * What a column means, so that the same value can be recognised in JSON text, in CSV text and in Parquet. The oracle's
 * own small vocabulary: were it the product's, an error there would be judged by itself.
 */

export type ColumnKind =
  | 'text'
  | 'boolean'
  | 'integer'
  | 'real'
  /** ISO 8601 text (`T` or a blank, UTC where no offset is given), or microseconds since 1970 as bigint. */
  | 'instant'
  /** `yyyy-MM-dd`, or days since 1970. */
  | 'date'
  | 'json'
  | { readonly list: ColumnKind }
  | { readonly struct: ColumnKinds };

export type ColumnKinds = Readonly<Record<string, ColumnKind>>;

/** JSON text that is the same for equal values and differs for different ones; `null` for null and missing. */
export function canonical(value: unknown, kind: ColumnKind): string {
  if (value === null || value === undefined) return 'null';
  if (typeof kind === 'object') {
    return 'list' in kind ? canonicalList(value, kind.list) : canonicalStruct(value, kind.struct);
  }
  switch (kind) {
    case 'text':
      return JSON.stringify(expectType<string>(value, 'string', kind));
    case 'boolean':
      return value === 'true' || value === true
        ? 'true'
        : value === 'false' || value === false
          ? 'false'
          : misfit(value, kind);
    case 'integer':
      return canonicalInteger(value);
    case 'real':
      return canonicalReal(value);
    case 'instant':
      return typeof value === 'bigint' ? `${value}us` : `${microsecondsOf(value)}us`;
    case 'date':
      return typeof value === 'number'
        ? new Date(value * 86_400_000).toISOString().slice(0, 10)
        : expectType<string>(value, 'string', kind);
    case 'json':
      return canonicalJson(value);
  }
}

/** A whole row: one `name=value` for each column, in the order of `columns`. */
export function canonicalRow(row: Readonly<Record<string, unknown>>, columns: ColumnKinds): string {
  let text = '';
  for (const [name, kind] of Object.entries(columns)) {
    text += `${text === '' ? '' : ' '}${name}=${canonical(row[name], kind)}`;
  }
  return text;
}

function canonicalList(value: unknown, element: ColumnKind): string {
  const items = typeof value === 'string' ? JSON.parse(value) : value;
  if (!Array.isArray(items)) return misfit(value, 'list');
  return `[${items.map((item) => canonical(item, element)).join(',')}]`;
}

function canonicalStruct(value: unknown, fields: ColumnKinds): string {
  const record: unknown = typeof value === 'string' ? JSON.parse(value) : value;
  if (typeof record !== 'object' || record === null) return misfit(value, 'struct');
  return `{${Object.entries(fields)
    .map(([name, kind]) => `${name}:${canonical(Reflect.get(record, name), kind)}`)
    .join(',')}}`;
}

function canonicalInteger(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value.toString();
  if (typeof value === 'string' && /^[+-]?\d+$/.test(value)) return BigInt(value).toString();
  return misfit(value, 'integer');
}

function canonicalReal(value: unknown): string {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number === 'bigint') return Number(number).toString();
  if (typeof number !== 'number' || Number.isNaN(number)) return misfit(value, 'real');
  return Object.is(number, -0) ? '-0' : number.toString();
}

const INSTANT = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?$/;

/** Microseconds since 1970; further digits are cut. */
export function microsecondsOf(value: unknown): bigint {
  const match = INSTANT.exec(expectType<string>(value, 'string', 'instant'));
  if (match === null) return misfit(value, 'instant');
  const [, date, minutes, seconds = '00', fraction = '', zone = 'Z'] = match;
  const ms = Date.parse(`${date}T${minutes}:${seconds}${zone}`);
  if (Number.isNaN(ms)) return misfit(value, 'instant');
  return BigInt(ms) * 1000n + BigInt(fraction.slice(0, 6).padEnd(6, '0'));
}

/** Keys in order, so that two spellings of one object agree. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
  }
  return typeof value === 'bigint' ? value.toString() : (JSON.stringify(value) ?? 'null');
}

function expectType<T>(value: unknown, type: string, kind: string): T {
  return typeof value === type ? (value as T) : misfit(value, kind);
}

/** A value of another shape than its column's is a finding of its own, never a match. */
function misfit(value: unknown, kind: string): never {
  throw new Error(`${typeof value} ${String(value).slice(0, 60)} is no ${kind}`);
}
