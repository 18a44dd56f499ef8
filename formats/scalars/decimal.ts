import { writeInt128 } from '../../lib/core/decimal.ts';
import type { FixedParser } from './fixed-parser.ts';
import { POWERS_OF_TEN, scaledInteger } from './numeral.ts';
import { writeSafe64 } from './words64.ts';

const PLUS = 43;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
/** Integers of so many digits are exact in a double. */
const EXACT_DIGITS = 15;

/**
 * The parser of decimal(precision, scale). Digits beyond the scale are accepted where they are zeros: a value is never
 * rounded in silence.
 */
export function decimalParser(precision: number, scale: number): FixedParser {
  const limit = precision <= EXACT_DIGITS ? POWERS_OF_TEN[precision]! : Number.POSITIVE_INFINITY;
  return function parseDecimal(bytes, start, end, column, row) {
    const sign = start < end ? bytes[start]! : 0;
    const first = sign === MINUS || sign === PLUS ? start + 1 : start;
    let at = first;
    if (end - first <= EXACT_DIGITS + 1) {
      let mantissa = 0;
      let pointAt = -1;
      for (; at < end; at++) {
        const digit = (bytes[at]! - ZERO) >>> 0;
        if (digit <= 9) mantissa = mantissa * 10 + digit;
        else if (bytes[at] === POINT && pointAt < 0) pointAt = at;
        else break;
      }
      const digits = pointAt < 0 ? at - first : at - first - 1;
      const shift = scale - (pointAt < 0 ? 0 : end - pointAt - 1);
      if (at === end && digits >= 1 && shift >= 0 && digits + shift <= EXACT_DIGITS) {
        const unscaled = mantissa * POWERS_OF_TEN[shift]!;
        if (unscaled >= limit) return false;
        const { values } = column;
        const negative = sign === MINUS && unscaled !== 0;
        writeSafe64(negative ? -unscaled : unscaled, values, row * 4);
        values[row * 4 + 2] = negative ? -1 : 0;
        values[row * 4 + 3] = negative ? -1 : 0;
        return true;
      }
    }
    const exact = scaledInteger(bytes, start, end, scale, precision);
    if (exact === null) return false;
    writeInt128(exact, column.values, row * 4);
    return true;
  };
}
