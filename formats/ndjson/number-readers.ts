/**
 * Numbers. The common short ones are read while their end is looked for; the others go to formats/scalars, once their
 * end is known and they are JSON (no `+`, no leading zeros, digits on both sides of the point).
 */
import type { FixedColumn } from '../../lib/core/column.ts';
import type { FixedParser } from '../scalars/fixed-parser.ts';
import { parseFloat32, parseFloat64 } from '../scalars/float.ts';
import { parseInt32, parseInt64 } from '../scalars/integer.ts';
import { POWERS_OF_TEN } from '../scalars/numeral.ts';
import { writeSafe64 } from '../scalars/words64.ts';
import { unescaped, unescapeString } from './json-string.ts';
import { numberEnd } from './skip-value.ts';
import { FixedReader, markValid, REFUSED } from './value-reader.ts';

const QUOTE = 34;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
/** Digits that fit into a 32-bit integer, whatever they are. */
const SHORT_DIGITS = 9;

export class Int32Reader extends FixedReader {
  read(bytes: Uint8Array, _view: DataView, at: number, row: number): number {
    const first = bytes[at] === MINUS ? at + 1 : at;
    let value = 0;
    let next = first;
    for (; next < first + SHORT_DIGITS; next++) {
      const digit = (bytes[next]! - ZERO) >>> 0;
      if (digit > 9) break;
      value = value * 10 + digit;
    }
    if (!endsInteger(bytes, first, next)) return readNumber(parseInt32, bytes, at, this.column, row);
    this.column.values[row] = first === at ? value : -value;
    markValid(this.column, row);
    return next;
  }
}

export class Int64Reader extends FixedReader {
  read(bytes: Uint8Array, _view: DataView, at: number, row: number): number {
    return readInt64(bytes, at, this.column, row);
  }
}

/** Also for timestamps that are given as numbers. */
export function readInt64(bytes: Uint8Array, at: number, column: FixedColumn, row: number): number {
  const first = bytes[at] === MINUS ? at + 1 : at;
  let value = 0;
  let next = first;
  for (; next < first + SHORT_DIGITS; next++) {
    const digit = (bytes[next]! - ZERO) >>> 0;
    if (digit > 9) break;
    value = value * 10 + digit;
  }
  if (endsInteger(bytes, first, next)) {
    const { values } = column;
    if (first === at) {
      values[2 * row] = value;
      values[2 * row + 1] = 0;
    } else {
      values[2 * row] = -value;
      values[2 * row + 1] = value === 0 ? 0 : -1;
    }
    markValid(column, row);
    return next;
  }
  // Up to 15 digits are exact in a double: milliseconds since 1970 have 13.
  let wide = value;
  for (; next < first + 15; next++) {
    const digit = (bytes[next]! - ZERO) >>> 0;
    if (digit > 9) break;
    wide = wide * 10 + digit;
  }
  if (!endsInteger(bytes, first, next)) return readNumber(parseInt64, bytes, at, column, row);
  writeSafe64(first === at ? wide : -wide, column.values, 2 * row);
  markValid(column, row);
  return next;
}

/** Whether the digits [first, end) are an integer as JSON spells it, and all of it. */
function endsInteger(bytes: Uint8Array, first: number, end: number): boolean {
  if (end === first || (bytes[first] === ZERO && end !== first + 1)) return false;
  const byte = bytes[end]!;
  return byte !== POINT && (byte | 0x20) !== 0x65 && (byte - ZERO) >>> 0 > 9;
}

export class Float64Reader extends FixedReader {
  read(bytes: Uint8Array, _view: DataView, at: number, row: number): number {
    const first = bytes[at] === MINUS ? at + 1 : at;
    let mantissa = 0;
    let next = first;
    for (; next < first + SHORT_DIGITS; next++) {
      const digit = (bytes[next]! - ZERO) >>> 0;
      if (digit > 9) break;
      mantissa = mantissa * 10 + digit;
    }
    const whole = next;
    if (whole > first && bytes[whole] === POINT && (bytes[first] !== ZERO || whole === first + 1)) {
      const fraction = whole + 1;
      // At most 15 digits in all: see readDouble.
      const limit = first + 16;
      for (next = fraction; next < limit; next++) {
        const digit = (bytes[next]! - ZERO) >>> 0;
        if (digit > 9) break;
        mantissa = mantissa * 10 + digit;
      }
      const byte = bytes[next]!;
      if (next === fraction || (byte | 0x20) === 0x65 || (byte - ZERO) >>> 0 <= 9) {
        return readNumber(parseFloat64, bytes, at, this.column, row);
      }
      mantissa /= POWERS_OF_TEN[next - fraction]!;
    } else if (!endsInteger(bytes, first, next)) {
      return readNumber(parseFloat64, bytes, at, this.column, row);
    }
    this.column.float64[row] = first === at ? mantissa : -mantissa;
    markValid(this.column, row);
    return next;
  }
}

export class Float32Reader extends FixedReader {
  read(bytes: Uint8Array, _view: DataView, at: number, row: number): number {
    return readNumber(parseFloat32, bytes, at, this.column, row);
  }
}

function readNumber(
  parse: FixedParser,
  bytes: Uint8Array,
  at: number,
  column: FixedColumn,
  row: number,
): number {
  const end = numberEnd(bytes, at);
  if (end < 0 || !parse(bytes, at, end, column, row)) return REFUSED;
  markValid(column, row);
  return end;
}

/** Decimals: a number, or a string that spells one, which is how most programs keep its digits. */
export class DecimalReader extends FixedReader {
  readonly #parse: FixedParser;

  constructor(column: FixedColumn, parse: FixedParser) {
    super(column);
    this.#parse = parse;
  }

  read(bytes: Uint8Array, view: DataView, at: number, row: number): number {
    if (bytes[at] !== QUOTE) return readNumber(this.#parse, bytes, at, this.column, row);
    const end = unescapeString(bytes, view, at + 1);
    if (end < 0 || !this.#parse(unescaped.bytes, 0, unescaped.length, this.column, row)) return REFUSED;
    markValid(this.column, row);
    return end;
  }
}
