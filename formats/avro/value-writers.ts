/** Writes values of a column in Avro's binary encoding. */
import type { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import type { Column } from '../../lib/core/column.ts';
import type { DataType, Field } from '../../lib/core/data-type.ts';
import { SluiceError } from '../../lib/core/errors.ts';

/** Appends the value of one row, which is not null. */
type WriteValue = (out: ByteBuffer, column: Column, row: number) => void;

/** Appends the value of one row, null where it is. */
export type WriteField = WriteValue;

export function fieldWriter({ name, type, nullable }: Field): WriteField {
  const write = valueWriter(type);
  if (nullable) return nullableWriter(write);
  return (out, column, row) => {
    if (column.isNull(row)) {
      throw new SluiceError('BAD_RECORD', `column '${name}' is null and may not be`, {
        details: { column: name },
      });
    }
    write(out, column, row);
  };
}

/** A union of null and the type. */
function nullableWriter(write: WriteValue): WriteValue {
  return (out, column, row) => {
    if (column.isNull(row)) out.pushByte(0);
    else {
      out.pushByte(2);
      write(out, column, row);
    }
  };
}

function valueWriter(type: DataType): WriteValue {
  switch (type.kind) {
    case 'boolean':
      return (out, column, row) => out.pushByte(column.layout === 'bits' && column.get(row) ? 1 : 0);
    case 'int32':
    case 'date':
      return (out, column, row) => {
        if (column.layout !== 'fixed') return;
        const value = column.values[row]!;
        pushLong(out, value, value >> 31);
      };
    case 'int64':
    case 'timestamp':
      return (out, column, row) => {
        if (column.layout === 'fixed') pushLong(out, column.values[row * 2]!, column.values[row * 2 + 1]!);
      };
    case 'float32':
      return (out, column, row) => {
        if (column.layout !== 'fixed') return;
        out.reserve(4);
        out.data.setInt32(out.length, column.values[row]!, true);
        out.length += 4;
      };
    case 'float64':
      return (out, column, row) => {
        if (column.layout !== 'fixed') return;
        out.reserve(8);
        out.data.setInt32(out.length, column.values[row * 2]!, true);
        out.data.setInt32(out.length + 4, column.values[row * 2 + 1]!, true);
        out.length += 8;
      };
    case 'string':
    case 'json':
    case 'binary':
      return writeBytes;
    case 'decimal':
      return (out, column, row) => {
        if (column.layout === 'fixed') pushDecimal(out, column.values, row * 4);
      };
    case 'list': {
      const write = nullableWriter(valueWriter(type.element));
      return (out, column, row) => {
        if (column.layout !== 'list') return;
        const from = column.offsets[row]!;
        const to = column.offsets[row + 1]!;
        if (to > from) {
          pushCount(out, to - from);
          for (let at = from; at < to; at++) write(out, column.child, at);
        }
        out.pushByte(0);
      };
    }
    case 'struct': {
      const writes = type.fields.map(fieldWriter);
      return (out, column, row) => {
        if (column.layout !== 'struct') return;
        for (let i = 0; i < writes.length; i++) writes[i]!(out, column.children[i]!, row);
      };
    }
  }
}

function writeBytes(out: ByteBuffer, column: Column, row: number): void {
  if (column.layout === 'bytes') {
    const from = column.offsets[row]!;
    const to = column.offsets[row + 1]!;
    pushCount(out, to - from);
    out.pushRange(column.bytes, from, to);
  } else if (column.layout === 'dictionary') {
    const { bytes, offsets } = column.dictionary;
    const code = column.codes[row]!;
    const from = offsets[code]!;
    const to = offsets[code + 1]!;
    pushCount(out, to - from);
    out.pushRange(bytes, from, to);
  }
}

/** A count or length, 0 or more and below 2^31. */
export function pushCount(out: ByteBuffer, count: number): void {
  pushLong(out, count, 0);
}

/** Zig-zag, 7 bits a byte, lowest first. */
function pushLong(out: ByteBuffer, low: number, high: number): void {
  const sign = high >> 31;
  let zigLow = (low << 1) ^ sign;
  let zigHigh = ((high << 1) | (low >>> 31)) ^ sign;
  out.reserve(10);
  const { bytes } = out;
  let at = out.length;
  while (zigHigh !== 0 || zigLow >>> 0 > 0x7f) {
    bytes[at++] = (zigLow & 0x7f) | 0x80;
    zigLow = (zigLow >>> 7) | (zigHigh << 25);
    zigHigh >>>= 7;
  }
  bytes[at++] = zigLow;
  out.length = at;
}

/** Big-endian two's complement, as few bytes as hold it. */
function pushDecimal(out: ByteBuffer, words: Int32Array, at: number): void {
  const sign = words[at + 3]! >> 31;
  const byteOf = (i: number) => (words[at + (i >> 2)]! >> (8 * (i & 3))) & 0xff;
  let last = 15;
  // A byte that only repeats the sign is left out.
  while (last > 0 && byteOf(last) === (sign & 0xff) && byteOf(last - 1) >> 7 === (sign & 1)) last--;
  pushCount(out, last + 1);
  for (let i = last; i >= 0; i--) out.pushByte(byteOf(i));
}
