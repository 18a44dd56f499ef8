/** A value as JSON text, for columns that have no type of their own. Bytes are as in Avro's JSON: ISO 8859-1. */
import { corrupt } from '../corrupt.ts';
import { bigEndian } from '../decimal-bytes.ts';
import type { AvroType } from './avro-type.ts';
import type { Cursor } from './cursor.ts';

const MAX_DEPTH = 256;
/** Characters of one value, at the most: an array of nulls takes no bytes of the file. */
const MAX_ITEMS = 1 << 20;

export function jsonOf(type: AvroType, cursor: Cursor, depth: number): string {
  if (depth > MAX_DEPTH) corrupt(`a value is nested deeper than ${MAX_DEPTH}`);
  switch (type.kind) {
    case 'null':
      return 'null';
    case 'boolean':
      return cursor.bytes[cursor.take(1)] === 0 ? 'false' : 'true';
    case 'int':
    case 'long':
      cursor.readLong();
      return String((BigInt(cursor.high) << 32n) | BigInt(cursor.low >>> 0));
    case 'float':
      return number(cursor.view.getFloat32(cursor.take(4), true));
    case 'double':
      return number(cursor.view.getFloat64(cursor.take(8), true));
    case 'string':
      return JSON.stringify(textOf(cursor, 'utf8'));
    case 'enum': {
      const symbol = type.symbols[cursor.readCount()];
      return symbol === undefined
        ? corrupt('an enum has no such symbol')
        : JSON.stringify(Buffer.from(symbol).toString());
    }
    case 'bytes':
    case 'fixed': {
      const length = type.kind === 'fixed' ? type.size : cursor.readLength();
      const at = cursor.take(length);
      if (type.decimal !== null)
        return decimalText(bigEndian(cursor.bytes, at, at + length), type.decimal.scale);
      return JSON.stringify(Buffer.from(cursor.bytes.subarray(at, at + length)).toString('latin1'));
    }
    case 'union': {
      const branch = type.branches[cursor.readCount()];
      return branch === undefined ? corrupt('a union has no such branch') : jsonOf(branch, cursor, depth + 1);
    }
    case 'record': {
      const fields = type.fields.map(
        (field) => `${JSON.stringify(field.name)}:${jsonOf(field.type, cursor, depth + 1)}`,
      );
      return `{${fields.join(',')}}`;
    }
    case 'array':
      return `[${items(cursor, () => jsonOf(type.items, cursor, depth + 1)).join(',')}]`;
    case 'map': {
      const entries = items(
        cursor,
        () => `${JSON.stringify(textOf(cursor, 'utf8'))}:${jsonOf(type.values, cursor, depth + 1)}`,
      );
      return `{${entries.join(',')}}`;
    }
  }
}

function items(cursor: Cursor, read: () => string): string[] {
  const found: string[] = [];
  for (let count = cursor.readBlockCount(); count !== 0; count = cursor.readBlockCount()) {
    if (found.length + count > MAX_ITEMS) corrupt(`a value has more than ${MAX_ITEMS} elements`);
    for (let i = 0; i < count; i++) found.push(read());
  }
  return found;
}

function textOf(cursor: Cursor, encoding: 'utf8' | 'latin1'): string {
  const length = cursor.readLength();
  const at = cursor.take(length);
  return Buffer.from(cursor.bytes.buffer, cursor.bytes.byteOffset + at, length).toString(encoding);
}

/** JSON has no NaN and no infinities: they are text. */
function number(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value);
  return JSON.stringify(String(value));
}

function decimalText(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const sign = unscaled < 0n ? '-' : '';
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
