import type { FixedColumn } from '../../lib/core/column.ts';
import { asciiText, isNumeral, POWERS_OF_TEN } from './numeral.ts';

const PLUS = 43;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;

/** A double, correctly rounded; -0 stays -0. Refused: NaN, Infinity and what is too large to be finite. */
export function parseFloat64(
  bytes: Uint8Array,
  start: number,
  end: number,
  column: FixedColumn,
  row: number,
): boolean {
  const value = readDouble(bytes, start, end);
  column.float64[row] = value;
  return value - value === 0;
}

/** A float: the one nearest to the double that the text spells. See {@link parseFloat64}. */
export function parseFloat32(
  bytes: Uint8Array,
  start: number,
  end: number,
  column: FixedColumn,
  row: number,
): boolean {
  const value = Math.fround(readDouble(bytes, start, end));
  column.float32[row] = value;
  return value - value === 0;
}

/**
 * The double that bytes[start, end) spells, NaN where the text is no numeral, an infinity where it is too large.
 *
 * Up to 15 digits are an integer that a double holds exactly, and so is the power of ten: one division rounds once, and
 * correctly (Clinger's fast path). Everything else goes through Number().
 */
function readDouble(bytes: Uint8Array, start: number, end: number): number {
  const sign = start < end ? bytes[start]! : 0;
  const first = sign === MINUS || sign === PLUS ? start + 1 : start;
  let at = first;
  // Fifteen digits and a point.
  if (end - first <= 16) {
    let mantissa = 0;
    let pointAt = -1;
    for (; at < end; at++) {
      const digit = (bytes[at]! - ZERO) >>> 0;
      if (digit <= 9) mantissa = mantissa * 10 + digit;
      else if (bytes[at] === POINT && pointAt < 0) pointAt = at;
      else break;
    }
    const digits = pointAt < 0 ? at - first : at - first - 1;
    if (at === end && digits >= 1 && digits <= 15) {
      const value = pointAt < 0 ? mantissa : mantissa / POWERS_OF_TEN[end - pointAt - 1]!;
      return sign === MINUS ? -value : value;
    }
  }
  return isNumeral(bytes, start, end) ? Number(asciiText(bytes, start, end)) : Number.NaN;
}
