/**
 * Single values in and out of columns, for rows as objects. The mapping:
 *
 *   boolean boolean · int32 float32 float64 number · int64 bigint (numbers accepted) · decimal string
 *   string string · binary Uint8Array · json its text · date Date at midnight UTC
 *   timestamp(ms) Date · timestamp(us) bigint microseconds (Date accepted) · list array · struct object
 */
import { type BytesColumn, type Column, emptyColumn, type FixedColumn } from './column.ts';
import type { DataType, Schema } from './data-type.ts';
import { formatDataType } from './data-type.ts';
import { decimalFromWords, decimalToWords } from './decimal.ts';
import { SluiceError } from './errors.ts';

const utf8 = new TextDecoder();
const toUtf8 = new TextEncoder();
const MS_PER_DAY = 86_400_000;

/** The value of one row, or null. */
export function readValue(column: Column, row: number): unknown {
  if (column.isNull(row)) return null;
  switch (column.layout) {
    case 'bits':
      return column.get(row);
    case 'fixed':
      return readFixed(column, row);
    case 'bytes':
      return fromBytes(column.type, column.bytes, column.offsets[row]!, column.offsets[row + 1]!);
    case 'dictionary': {
      const { bytes, offsets } = column.dictionary;
      const code = column.codes[row]!;
      return fromBytes(column.type, bytes, offsets[code]!, offsets[code + 1]!);
    }
    case 'list': {
      const values: unknown[] = [];
      for (let i = column.offsets[row]!; i < column.offsets[row + 1]!; i++)
        values.push(readValue(column.child, i));
      return values;
    }
    case 'struct':
      return Object.fromEntries(
        column.fields.map((field, i) => [field.name, readValue(column.children[i]!, row)]),
      );
  }
}

function readFixed(column: FixedColumn, row: number): unknown {
  const { type } = column;
  switch (type.kind) {
    case 'float64':
      return column.float64[row]!;
    case 'float32':
      return column.float32[row]!;
    case 'date':
      return new Date(column.values[row]! * MS_PER_DAY);
    case 'int64':
      return column.getBigInt(row);
    case 'timestamp':
      return type.unit === 'ms' ? new Date(column.getNumber64(row)) : column.getBigInt(row);
    case 'decimal':
      return decimalFromWords(column.values, row * 4, type.scale);
    default:
      return column.values[row]!;
  }
}

function fromBytes(type: DataType, bytes: Uint8Array, start: number, end: number): unknown {
  return type.kind === 'binary' ? bytes.slice(start, end) : utf8.decode(bytes.subarray(start, end));
}

/**
 * Appends a value given as an object. null and undefined are null.
 * @throws SluiceError BAD_RECORD where the value is not of the column's type; the column is then as before
 */
export function appendValue(column: Column, value: unknown): void {
  const row = column.length;
  column.reserve(row + 1);
  if (isNull(column.type, value)) {
    appendNull(column);
    return;
  }
  switch (column.layout) {
    case 'bits':
      if (typeof value !== 'boolean') refuse(column.type, value);
      column.set(row, value);
      break;
    case 'fixed':
      writeFixed(column, row, value);
      break;
    case 'bytes':
      pushBytes(column, value);
      return;
    case 'dictionary': {
      const bytes = toBytes(column.type, value);
      column.codes[row] = column.dictionary.push(bytes, 0, bytes.length);
      break;
    }
    case 'list': {
      if (!Array.isArray(value)) refuse(column.type, value);
      for (const item of value) appendValue(column.child, item);
      column.offsets[row + 1] = column.child.length;
      break;
    }
    case 'struct': {
      if (typeof value !== 'object') refuse(column.type, value);
      const fields = new Map(Object.entries(value));
      column.fields.forEach((field, i) => {
        appendValue(column.children[i]!, fields.get(field.name));
      });
      break;
    }
  }
  column.length = row + 1;
}

/** Appends a null row, with what it needs below: an empty list, null children. */
export function appendNull(column: Column): void {
  const row = column.length;
  column.reserve(row + 1);
  if (column.layout === 'bytes') column.offsets[row + 1] = column.offsets[row]!;
  if (column.layout === 'list') column.offsets[row + 1] = column.offsets[row]!;
  if (column.layout === 'struct') for (const child of column.children) appendNull(child);
  if (column.layout === 'dictionary')
    column.codes[row] = column.dictionary.count === 0 ? column.dictionary.push(toUtf8.encode(''), 0, 0) : 0;
  if (column.layout === 'fixed') column.values.fill(0, row * column.words, (row + 1) * column.words);
  column.setNull(row);
  column.length = row + 1;
}

function writeFixed(column: FixedColumn, row: number, value: unknown): void {
  const { type } = column;
  switch (type.kind) {
    case 'int32':
      if (typeof value !== 'number' || (value | 0) !== value) refuse(type, value);
      column.values[row] = value;
      return;
    case 'float64':
      if (typeof value !== 'number') refuse(type, value);
      column.float64[row] = value;
      return;
    case 'float32':
      if (typeof value !== 'number' || overflowsFloat32(value)) refuse(type, value);
      column.float32[row] = value;
      return;
    case 'date': {
      const days = value instanceof Date ? Math.floor(value.getTime() / MS_PER_DAY) : Number.NaN;
      if (!Number.isInteger(days)) refuse(type, value);
      column.values[row] = days;
      return;
    }
    case 'int64':
    case 'timestamp': {
      let wide: bigint;
      if (typeof value === 'bigint') wide = value;
      else if (typeof value === 'number' && Number.isSafeInteger(value)) wide = BigInt(value);
      else if (type.kind === 'timestamp' && value instanceof Date && !Number.isNaN(value.getTime())) {
        wide = BigInt(value.getTime()) * (type.unit === 'us' ? 1000n : 1n);
      } else refuse(type, value);
      if (BigInt.asIntN(64, wide) !== wide) refuse(type, value);
      column.setBigInt(row, wide);
      return;
    }
    case 'decimal': {
      const text =
        typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
          ? String(value)
          : '';
      if (!decimalToWords(text, type.precision, type.scale, column.values, row * 4)) refuse(type, value);
      return;
    }
    default:
      refuse(type, value);
  }
}

function pushBytes(column: BytesColumn, value: unknown): void {
  column.push(toBytes(column.type, value));
}

function toBytes(type: DataType, value: unknown): Uint8Array {
  if (type.kind === 'binary' && value instanceof Uint8Array) return value;
  // JSON goes into NDJSON as it is: what is none would break the line.
  if (typeof value === 'string' && (type.kind === 'string' || (type.kind === 'json' && isJson(value))))
    return toUtf8.encode(value);
  return refuse(type, value);
}

/** Empty text is no JSON value, and there is no other that it could mean. */
function isNull(type: DataType, value: unknown): value is null | undefined | '' {
  return value === null || value === undefined || (value === '' && type.kind === 'json');
}

function overflowsFloat32(value: number): boolean {
  return Number.isFinite(value) && !Number.isFinite(Math.fround(value));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function refuse(type: DataType, value: unknown): never {
  throw new SluiceError('BAD_RECORD', `${typeof value} value does not fit the type ${formatDataType(type)}`, {
    details: { value: String(value).slice(0, 200) },
  });
}

/** Columns for a schema, filled from objects. @throws SluiceError BAD_RECORD naming the column */
export function columnsOf(schema: Schema, records: readonly Readonly<Record<string, unknown>>[]): Column[] {
  return schema.fields.map((field) => {
    const column = emptyColumn(field.type, records.length);
    for (const record of records) {
      const value = record[field.name];
      if (!field.nullable && isNull(field.type, value)) {
        throw new SluiceError('BAD_RECORD', `column '${field.name}' is null and may not be`, {
          details: { column: field.name },
        });
      }
      appendValue(column, value);
    }
    return column;
  });
}
