import type { FixedColumn } from '../../lib/core/column.ts';
import { POWERS_OF_TEN, scaledInteger } from './numeral.ts';
import { writeProduct64, writeSafe64 } from './words64.ts';

const PLUS = 43;
const MINUS = 45;
const ZERO = 48;

/** An integer of 32 bits. Other spellings of one are read too: `1e3`, `1.0`; `1.5` is refused. */
export function parseInt32(
  bytes: Uint8Array,
  start: number,
  end: number,
  column: FixedColumn,
  row: number,
): boolean {
  const sign = start < end ? bytes[start]! : 0;
  const first = sign === MINUS || sign === PLUS ? start + 1 : start;
  let at = first;
  let value = 0;
  if (end - first <= 10) {
    for (; at < end; at++) {
      const digit = (bytes[at]! - ZERO) >>> 0;
      if (digit > 9) break;
      value = value * 10 + digit;
    }
  }
  if (at < end || at === first) {
    const exact = scaledInteger(bytes, start, end, 0, 10);
    if (exact === null) return false;
    value = Number(exact);
  } else if (sign === MINUS) value = -value;
  column.values[row] = value;
  return value === column.values[row];
}

/** An integer of 64 bits, exact up to its bounds. Other spellings of one are read too: `1e3`, `1.0`. */
export function parseInt64(
  bytes: Uint8Array,
  start: number,
  end: number,
  column: FixedColumn,
  row: number,
): boolean {
  const sign = start < end ? bytes[start]! : 0;
  const first = sign === MINUS || sign === PLUS ? start + 1 : start;
  const length = end - first;
  // 19 digits in two runs of at most 10 and 9, each exact in a double.
  const split = length <= 15 ? end : end - 9;
  let at = first;
  let value = 0;
  if (length >= 1 && length <= 19) {
    for (; at < split; at++) {
      const digit = (bytes[at]! - ZERO) >>> 0;
      if (digit > 9) break;
      value = value * 10 + digit;
    }
    if (at === end) {
      writeSafe64(sign === MINUS ? -value : value, column.values, row * 2);
      return true;
    }
    if (at === split) {
      let rest = 0;
      for (; at < end; at++) {
        const digit = (bytes[at]! - ZERO) >>> 0;
        if (digit > 9) break;
        rest = rest * 10 + digit;
      }
      if (at === end) return writeWide(value, rest, sign === MINUS, column, row);
    }
  }
  const exact = scaledInteger(bytes, start, end, 0, 19);
  if (exact === null || BigInt.asIntN(64, exact) !== exact) return false;
  column.setBigInt(row, exact);
  return true;
}

/** Writes value * 10^9 + rest, or its negative. */
function writeWide(
  value: number,
  rest: number,
  negative: boolean,
  column: FixedColumn,
  row: number,
): boolean {
  const high = writeProduct64(
    negative ? -value : value,
    POWERS_OF_TEN[9]!,
    negative ? -rest : rest,
    column.values,
    row * 2,
  );
  return high >= -0x8000_0000 && high <= 0x7fff_ffff;
}
