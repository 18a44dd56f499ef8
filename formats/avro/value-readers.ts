/** Reads values of an Avro type into a column: one function a place in the schema, made once a file. */
import type { DataType } from '../../lib/core/data-type.ts';
import { formatDataType } from '../../lib/core/data-type.ts';
import { writeInt128 } from '../../lib/core/decimal.ts';
import type {
  BinarySlot,
  BitsSlot,
  FixedSlot,
  ListSlot,
  Slot,
  StructSlot,
  TextSlot,
} from '../columns/slot.ts';
import { corrupt } from '../corrupt.ts';
import { bigEndian } from '../decimal-bytes.ts';
import { type AvroDecimal, type AvroType, mapEntry, unitOf } from './avro-type.ts';
import type { Cursor } from './cursor.ts';
import { jsonOf } from './json-value.ts';
import { skipperOf } from './skip-value.ts';

/** Reads one value into a row of the slot it was made for. */
export type ReadValue = (cursor: Cursor, row: number) => void;

/** The first value of a record that does not fit. */
export class Misfit {
  column: string | null = null;
  reason = '';

  add(column: string, reason: string): void {
    if (this.column !== null) return;
    this.column = column;
    this.reason = reason;
  }

  /** @returns whether there was one */
  clear(): boolean {
    const was = this.column !== null;
    this.column = null;
    return was;
  }
}

/** Elements of one list, at the most. */
const MAX_ITEMS = 1 << 26;

/** A type that does not become the column's. */
export class UnfitType extends Error {}

/** @throws UnfitType */
function readerOf(avro: AvroType, type: DataType, slot: Slot, name: string, misfit: Misfit): ReadValue {
  if (avro.kind === 'union') return unionReader(avro.branches, type, slot, name, misfit);
  if (avro.kind === 'null') return (_, row) => slot.setNull(row);
  if (type.kind === 'json' && slot.kind === 'text') return jsonReader(avro, slot);
  switch (avro.kind) {
    case 'boolean':
      if (slot.kind === 'bits') return booleanReader(slot);
      break;
    case 'int':
    case 'long':
      if (slot.kind === 'fixed') {
        const read = integerReader(avro, type, slot, name, misfit);
        if (read !== null) return read;
      }
      break;
    case 'float':
      if (slot.kind === 'fixed' && type.kind === 'float32') return floatReader(slot);
      if (slot.kind === 'fixed' && type.kind === 'float64') return doubleReader(slot, 4);
      break;
    case 'double':
      if (slot.kind === 'fixed' && type.kind === 'float64') return doubleReader(slot, 8);
      break;
    case 'string':
      if (slot.kind === 'text') return textReader(slot, name, misfit);
      if (slot.kind === 'binary') return bytesReader(slot, null);
      break;
    case 'enum':
      if (slot.kind === 'text') return enumReader(avro.symbols, slot);
      break;
    case 'bytes':
    case 'fixed': {
      const size = avro.kind === 'fixed' ? avro.size : null;
      if (slot.kind === 'binary') return bytesReader(slot, size);
      if (slot.kind === 'text' && avro.decimal === null && size === null)
        return textReader(slot, name, misfit);
      if (slot.kind === 'fixed' && type.kind === 'decimal' && avro.decimal !== null)
        return decimalReader(slot, avro.decimal, type, size, name, misfit);
      break;
    }
    case 'array':
      if (slot.kind === 'list' && type.kind === 'list') {
        return listReader(slot, readerOf(avro.items, type.element, slot.element, `${name}[]`, misfit));
      }
      break;
    case 'map':
      if (slot.kind === 'list' && type.kind === 'list') {
        const entry: AvroType = {
          kind: 'record',
          fields: [
            { name: 'key', type: { kind: 'string' } },
            { name: 'value', type: avro.values },
          ],
        };
        if (type.element.kind !== mapEntry({ kind: 'json' }).kind) break;
        return listReader(slot, readerOf(entry, type.element, slot.element, `${name}[]`, misfit));
      }
      break;
    case 'record':
      if (slot.kind === 'struct' && type.kind === 'struct')
        return recordReader(avro.fields, type.fields, slot, `${name}.`, misfit);
  }
  throw new UnfitType(
    `the column '${name}' is ${avro.kind} in the file and ${formatDataType(type)} in the schema`,
  );
}

/** Reads the fields of a record in the file's order; those that nobody wants are passed over. */
function recordReader(
  fields: readonly { readonly name: string; readonly type: AvroType }[],
  wanted: readonly { readonly name: string; readonly type: DataType }[],
  slot: StructSlot,
  prefix: string,
  misfit: Misfit,
): ReadValue {
  const reads = fieldReaders(fields, wanted, slot.children, prefix, misfit);
  return (cursor, row) => {
    for (const read of reads) read(cursor, row);
  };
}

/** One function a field of the file, and one for each column that the file lacks. */
export function fieldReaders(
  fields: readonly { readonly name: string; readonly type: AvroType }[],
  wanted: readonly { readonly name: string; readonly type: DataType }[],
  slots: readonly Slot[],
  prefix: string,
  misfit: Misfit,
): ReadValue[] {
  const reads = fields.map((field): ReadValue => {
    const index = wanted.findIndex(({ name }) => name === field.name);
    if (index === -1) {
      const skip = skipperOf(field.type);
      return (cursor) => skip(cursor);
    }
    return readerOf(field.type, wanted[index]!.type, slots[index]!, prefix + field.name, misfit);
  });
  for (const [index, { name }] of wanted.entries()) {
    const slot = slots[index]!;
    if (!fields.some((field) => field.name === name)) reads.push((_, row) => slot.setNull(row));
  }
  return reads;
}

function unionReader(
  branches: readonly AvroType[],
  type: DataType,
  slot: Slot,
  name: string,
  misfit: Misfit,
): ReadValue {
  const reads = branches.map((branch) => readerOf(branch, type, slot, name, misfit));
  return (cursor, row) => {
    const read = reads[cursor.readCount()];
    if (read === undefined) return corrupt('a union has no such branch');
    read(cursor, row);
  };
}

function jsonReader(avro: AvroType, slot: TextSlot): ReadValue {
  const toUtf8 = new TextEncoder();
  return (cursor, row) => {
    const bytes = toUtf8.encode(jsonOf(avro, cursor, 0));
    slot.write(bytes, 0, bytes.length, row);
  };
}

function booleanReader({ column }: BitsSlot): ReadValue {
  return (cursor, row) => column.set(row, cursor.bytes[cursor.take(1)] !== 0);
}

const PER_SECOND = { ms: 1000n, us: 1_000_000n, ns: 1_000_000_000n } as const;

function integerReader(
  avro: AvroType & { kind: 'int' | 'long' },
  type: DataType,
  { column }: FixedSlot,
  name: string,
  misfit: Misfit,
): ReadValue | null {
  const unit = avro.kind === 'long' ? unitOf(avro.logical) : null;
  const oneWord: ReadValue = (cursor, row) => {
    cursor.readLong();
    if (cursor.high !== cursor.low >> 31) {
      if (avro.kind === 'int') corrupt('an int has more than 32 bits');
      misfit.add(name, `${wide(cursor)} is not an int32`);
    }
    column.values[row] = cursor.low;
  };
  const twoWords: ReadValue = (cursor, row) => {
    cursor.readLong();
    column.values[row * 2] = cursor.low;
    column.values[row * 2 + 1] = cursor.high;
  };
  switch (type.kind) {
    case 'date':
      return avro.logical === 'date' ? oneWord : null;
    case 'int32':
      return oneWord;
    case 'int64':
      return twoWords;
    case 'float64':
      if (avro.kind === 'long') return null;
      return (cursor, row) => {
        column.float64[row] = cursor.readCount();
      };
    case 'timestamp': {
      if (unit === null) return null;
      if (unit === type.unit) return twoWords;
      const from = PER_SECOND[unit];
      const to = PER_SECOND[type.unit];
      return (cursor, row) => {
        cursor.readLong();
        const value = wide(cursor);
        const scaled = to >= from ? value * (to / from) : value / (from / to);
        const fits = BigInt.asIntN(64, scaled) === scaled && (to >= from || value % (from / to) === 0n);
        if (!fits)
          misfit.add(name, `a time of ${value} ${unit} does not fit into timestamp(${type.unit}) exactly`);
        column.setBigInt(row, scaled);
      };
    }
    default:
      return null;
  }
}

function wide({ low, high }: Cursor): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

function floatReader({ column }: FixedSlot): ReadValue {
  return (cursor, row) => {
    // As bits: a NaN keeps its pattern.
    column.values[row] = cursor.view.getInt32(cursor.take(4), true);
  };
}

function doubleReader({ column }: FixedSlot, size: 4 | 8): ReadValue {
  return (cursor, row) => {
    const at = cursor.take(size);
    if (size === 4) column.float64[row] = cursor.view.getFloat32(at, true);
    else {
      column.values[row * 2] = cursor.view.getInt32(at, true);
      column.values[row * 2 + 1] = cursor.view.getInt32(at + 4, true);
    }
  };
}

function textReader(slot: TextSlot, name: string, misfit: Misfit): ReadValue {
  return (cursor, row) => {
    const length = cursor.readLength();
    const at = cursor.take(length);
    if (!slot.write(cursor.bytes, at, at + length, row)) {
      misfit.add(name, 'the text is not valid UTF-8');
      slot.setNull(row);
    }
  };
}

function enumReader(symbols: readonly Uint8Array[], slot: TextSlot): ReadValue {
  return (cursor, row) => {
    const symbol = symbols[cursor.readCount()];
    if (symbol === undefined) return corrupt('an enum has no such symbol');
    slot.write(symbol, 0, symbol.length, row);
  };
}

function bytesReader(slot: BinarySlot, size: number | null): ReadValue {
  return (cursor, row) => {
    const length = size ?? cursor.readLength();
    const at = cursor.take(length);
    slot.write(cursor.bytes, at, at + length, row);
  };
}

function decimalReader(
  { column }: FixedSlot,
  stored: AvroDecimal,
  type: DataType & { kind: 'decimal' },
  size: number | null,
  name: string,
  misfit: Misfit,
): ReadValue | never {
  if (type.scale < stored.scale)
    throw new UnfitType(`the column '${name}' has ${stored.scale} decimals in the file`);
  const factor = 10n ** BigInt(type.scale - stored.scale);
  const limit = 10n ** BigInt(type.precision);
  return (cursor, row) => {
    const length = size ?? cursor.readLength();
    const at = cursor.take(length);
    const value = bigEndian(cursor.bytes, at, at + length) * factor;
    if (value >= limit || value <= -limit)
      misfit.add(name, `a number of more than ${type.precision} digits is no ${formatDataType(type)}`);
    writeInt128(value, column.values, row * 4);
  };
}

function listReader(slot: ListSlot, readItem: ReadValue): ReadValue {
  return (cursor, row) => {
    let at = slot.begin(row);
    const most = at + MAX_ITEMS;
    for (let count = cursor.readBlockCount(); count !== 0; count = cursor.readBlockCount()) {
      if (at + count > most) corrupt('a list has more than 67,108,864 elements');
      for (let i = 0; i < count; i++, at++) {
        slot.add(at);
        readItem(cursor, at);
      }
    }
    slot.close(row, at);
  };
}
