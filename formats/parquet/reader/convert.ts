/**
 * Stored values as columns of the type that is wanted. A value that the type cannot hold exactly is never rounded: it is
 * told as bad, and what becomes of its row is decided by whoever reads.
 */
import {
  type BitsColumn,
  BytesColumn,
  type Column,
  emptyColumn,
  type FixedColumn,
} from '../../../lib/core/column.ts';
import type { DataType } from '../../../lib/core/data-type.ts';
import { writeInt128 } from '../../../lib/core/decimal.ts';
import type { Converted } from '../../columns/leaf-column.ts';
import { corrupt } from '../../corrupt.ts';
import { bigEndian } from '../../decimal-bytes.ts';
import { badUtf8 } from '../../utf8-values.ts';
import type { StoredType } from './stored-type.ts';
import type { StoredValues } from './stored-values.ts';

export type Convert = (values: StoredValues) => Converted;

type Words = Extract<StoredValues, { kind: 'words' }>;
type Bytes = Extract<StoredValues, { kind: 'bytes' }>;

/** How values of a stored type become those of a column; null where that is not done. */
export function converterOf(stored: StoredType, type: DataType): Convert | null {
  switch (type.kind) {
    case 'boolean':
      return stored.kind === 'boolean' ? bits(type) : null;
    case 'date':
      return stored.kind === 'date' ? sameWords(type) : null;
    case 'int32':
      if (stored.kind === 'int32') return sameWords(type);
      return stored.kind === 'int64' ? eachInteger(type, false) : null;
    case 'int64':
      if (stored.kind === 'int64' || stored.kind === 'timestamp') return sameWords(type);
      if (stored.kind === 'int32' || stored.kind === 'uint32')
        return eachInteger(type, stored.kind === 'uint32');
      return stored.kind === 'uint64' ? eachInteger(type, true) : null;
    case 'float32':
      if (stored.kind === 'float') return sameWords(type);
      return stored.kind === 'float16' ? eachFloat16(type) : null;
    case 'float64':
      if (stored.kind === 'double') return sameWords(type);
      return stored.kind === 'float' || stored.kind === 'int32' ? eachDouble(type, stored.kind) : null;
    case 'timestamp':
      if (stored.kind === 'int96') return eachInt96(type);
      if (stored.kind !== 'timestamp') return null;
      return stored.unit === type.unit ? sameWords(type) : eachTimestamp(type, stored.unit);
    case 'decimal':
      if (stored.kind === 'decimal') return eachDecimal(type, stored.scale, false);
      if (stored.kind === 'int32' || stored.kind === 'int64') return eachDecimal(type, 0, false);
      return stored.kind === 'uint64' ? eachDecimal(type, 0, true) : null;
    case 'string':
      if (stored.kind === 'uuid') return eachUuid(type);
      return isByteString(stored) ? byteStrings(type, true) : null;
    case 'json':
      return isByteString(stored) ? byteStrings(type, true) : null;
    case 'binary':
      return isByteString(stored) || stored.kind === 'uuid' ? byteStrings(type, false) : null;
    default:
      return null;
  }
}

function isByteString({ kind }: StoredType): boolean {
  return kind === 'text' || kind === 'json' || kind === 'bytes';
}

function wordsOf(values: StoredValues): Words {
  return values.kind === 'words' ? values : corrupt('a page holds another type than its column');
}

function bytesOf(values: StoredValues): Bytes {
  return values.kind === 'bytes' ? values : corrupt('a page holds another type than its column');
}

function bits(type: DataType): Convert {
  return (values) => {
    if (values.kind !== 'bits') return corrupt('a page holds another type than its column');
    // A column of booleans is bits, and nothing else.
    const column = emptyColumn(type, 0) as BitsColumn;
    column.values = values.bits;
    column.length = values.count;
    column.capacity = values.count;
    return { column, bad: null };
  };
}

function fixed(type: DataType, count: number): FixedColumn {
  // Numbers, dates, times and decimals are of this layout, and nothing else comes here.
  const column = emptyColumn(type, count) as FixedColumn;
  column.length = count;
  return column;
}

function sameWords(type: DataType): Convert {
  return (values) => {
    const { count, values: words } = wordsOf(values);
    const column = fixed(type, 0);
    column.adopt(words);
    column.length = count;
    column.capacity = count;
    return { column, bad: null };
  };
}

/** Collects what does not fit. */
class Misfits {
  #found: Map<number, string> | null = null;

  add(index: number, why: string): void {
    this.#found ??= new Map();
    this.#found.set(index, why);
  }

  with(column: Column): Converted {
    return { column, bad: this.#found };
  }
}

function eachInteger(type: DataType, unsigned: boolean): Convert {
  return (values) => {
    const { count, values: from, words } = wordsOf(values);
    const column = fixed(type, count);
    const to = column.values;
    const misfits = new Misfits();
    for (let i = 0; i < count; i++) {
      const low = from[i * words]!;
      const high = words === 2 ? from[i * 2 + 1]! : unsigned ? 0 : low >> 31;
      if (column.words === 1) {
        if (high !== low >> 31) misfits.add(i, `${int64(low, high)} is not an int32`);
        to[i] = low;
      } else {
        if (words === 2 && unsigned && high < 0)
          misfits.add(i, `${BigInt.asUintN(64, int64(low, high))} is not an int64`);
        to[i * 2] = low;
        to[i * 2 + 1] = high;
      }
    }
    return misfits.with(column);
  };
}

function int64(low: number, high: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

function eachDouble(type: DataType, from: 'float' | 'int32'): Convert {
  return (values) => {
    const { count, values: words } = wordsOf(values);
    const column = fixed(type, count);
    const numbers = from === 'int32' ? words : new Float32Array(words.buffer, words.byteOffset, count);
    for (let i = 0; i < count; i++) column.float64[i] = numbers[i]!;
    return { column, bad: null };
  };
}

function eachFloat16(type: DataType): Convert {
  return (values) => {
    const { count, bytes, starts } = bytesOf(values);
    const column = fixed(type, count);
    for (let i = 0; i < count; i++) {
      const half = bytes[starts[i]!]! | (bytes[starts[i]! + 1]! << 8);
      column.float32[i] = float16(half);
    }
    return { column, bad: null };
  };
}

/** IEEE 754 binary16. */
function float16(half: number): number {
  const sign = half >> 15 === 0 ? 1 : -1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const PER_SECOND = { s: 1n, ms: 1000n, us: 1_000_000n, ns: 1_000_000_000n } as const;

function eachTimestamp(type: DataType & { kind: 'timestamp' }, unit: 's' | 'ms' | 'us' | 'ns'): Convert {
  const from = PER_SECOND[unit];
  const to = PER_SECOND[type.unit];
  return (values) => {
    const { count, values: words } = wordsOf(values);
    const column = fixed(type, count);
    const misfits = new Misfits();
    for (let i = 0; i < count; i++) {
      const value = int64(words[i * 2]!, words[i * 2 + 1]!);
      const scaled = to >= from ? value * (to / from) : value / (from / to);
      if (to < from && value % (from / to) !== 0n) {
        misfits.add(i, `a time of ${value} ${unit} does not fit into timestamp(${type.unit}) exactly`);
      } else if (BigInt.asIntN(64, scaled) !== scaled) {
        misfits.add(i, `a time of ${value} ${unit} is out of range`);
      }
      column.setBigInt(i, scaled);
    }
    return misfits.with(column);
  };
}

const JULIAN_DAY_OF_1970 = 2_440_588n;
const NS_PER_DAY = 86_400_000_000_000n;

function eachInt96(type: DataType & { kind: 'timestamp' }): Convert {
  const nanoseconds = PER_SECOND.ns / PER_SECOND[type.unit];
  return (values) => {
    const { count, values: words } = wordsOf(values);
    const column = fixed(type, count);
    const misfits = new Misfits();
    for (let i = 0; i < count; i++) {
      const ofDay = int64(words[i * 3]!, words[i * 3 + 1]!);
      const value = (BigInt(words[i * 3 + 2]!) - JULIAN_DAY_OF_1970) * NS_PER_DAY + ofDay;
      if (value % nanoseconds !== 0n) {
        misfits.add(i, `a time of ${value} ns does not fit into timestamp(${type.unit}) exactly`);
      }
      column.setBigInt(i, value / nanoseconds);
    }
    return misfits.with(column);
  };
}

function eachDecimal(type: DataType & { kind: 'decimal' }, scale: number, unsigned: boolean): Convert {
  const { precision } = type;
  const limit = 10n ** BigInt(precision);
  const shift = type.scale - scale;
  const factor = 10n ** BigInt(Math.abs(shift));
  return (values) => {
    const { count } = values;
    const column = fixed(type, count);
    const misfits = new Misfits();
    for (let i = 0; i < count; i++) {
      const stored = unscaled(values, i, unsigned);
      const value = shift >= 0 ? stored * factor : stored / factor;
      if (value >= limit || value <= -limit || (shift < 0 && stored % factor !== 0n)) {
        misfits.add(i, `${stored}e-${scale} does not fit into decimal(${precision},${type.scale})`);
      } else writeInt128(value, column.values, i * 4);
    }
    return misfits.with(column);
  };
}

function unscaled(values: StoredValues, index: number, unsigned: boolean): bigint {
  if (values.kind === 'words') {
    if (values.words === 1) return BigInt(values.values[index]!);
    const value = int64(values.values[index * 2]!, values.values[index * 2 + 1]!);
    return unsigned ? BigInt.asUintN(64, value) : value;
  }
  const { bytes, starts, ends } = bytesOf(values);
  return bigEndian(bytes, starts[index]!, ends[index]!);
}

function byteStrings(type: DataType, isText: boolean): Convert {
  return (values) => {
    const { count, bytes, starts, ends } = bytesOf(values);
    const column = new BytesColumn(type, count);
    let size = 0;
    for (let i = 0; i < count; i++) {
      size += ends[i]! - starts[i]!;
      column.offsets[i + 1] = size;
    }
    column.reserveBytes(size, 0);
    copyValues(bytes, starts, ends, count, column.bytes);
    column.length = count;
    return { column, bad: isText ? badUtf8(column) : null };
  };
}

function copyValues(
  from: Uint8Array,
  starts: Int32Array,
  ends: Int32Array,
  count: number,
  to: Uint8Array,
): void {
  let out = 0;
  for (let i = 0; i < count; i++) {
    const start = starts[i]!;
    const end = ends[i]!;
    if (end - start > 48) {
      to.set(from.subarray(start, end), out);
      out += end - start;
    } else for (let at = start; at < end; at++) to[out++] = from[at]!;
  }
}

function eachUuid(type: DataType): Convert {
  return (values) => {
    const { count, bytes, starts, ends } = bytesOf(values);
    const column = new BytesColumn(type, count, count * 36);
    for (let i = 0; i < count; i++) {
      const hex = Buffer.from(bytes.subarray(starts[i]!, ends[i]!)).toString('hex');
      column.push(Buffer.from(hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')));
    }
    return { column, bad: null };
  };
}
