/**
 * Integers as decimal digits, straight into bytes. Each function writes at index `at`, has room there, and gives the
 * index behind the last digit.
 */
import { floorDivide64, floorModulo64, isSafe64 } from '../../lib/core/int64.ts';

const ZERO = 48;
const MINUS = 45;
/** Bytes that the longest int64 takes: `-9223372036854775808`. */
export const MAX_INT64_DIGITS = 20;

/** `00` to `99`, two characters in one 16-bit store: half the divisions and half the stores. */
const PAIRS = new Uint16Array(100);
for (let i = 0; i < 100; i++) PAIRS[i] = ZERO + Math.floor(i / 10) + ((ZERO + (i % 10)) << 8);

/** Exactly two digits. @param value 0 to 99 */
export function writePair(data: DataView, at: number, value: number): void {
  data.setUint16(at, PAIRS[value]!, true);
}

/** @param value 0 to 2^31 - 1 */
export function writeDigits(data: DataView, at: number, value: number): number {
  let digits = 1;
  if (value >= 100_000) {
    digits = value >= 10_000_000 ? (value >= 1e9 ? 10 : value >= 1e8 ? 9 : 8) : value >= 1e6 ? 7 : 6;
  } else if (value >= 10) digits = value >= 1000 ? (value >= 10_000 ? 5 : 4) : value >= 100 ? 3 : 2;
  return writePadded(data, at, value, digits);
}

/** Exactly `width` digits, zeros in front. @param value 0 to 2^31 - 1, below 10^width */
export function writePadded(data: DataView, at: number, value: number, width: number): number {
  let rest = value | 0;
  let i = at + width - 2;
  for (; i >= at; i -= 2) {
    const hundreds = (rest / 100) | 0;
    data.setUint16(i, PAIRS[rest - hundreds * 100]!, true);
    rest = hundreds;
  }
  if (i === at - 1) data.setUint8(at, ZERO + rest);
  return at + width;
}

export function writeInt32(data: DataView, at: number, value: number): number {
  if (value >= 0) return writeDigits(data, at, value);
  data.setUint8(at, MINUS);
  // -2^31 has no positive twin in 32 bits.
  return value === -0x8000_0000 ? writeSafe(data, at + 1, 0x8000_0000) : writeDigits(data, at + 1, -value);
}

/** @param value an integer, 0 to 2^53 - 1 */
export function writeSafe(data: DataView, at: number, value: number): number {
  if (value <= 0x7fff_ffff) return writeDigits(data, at, value);
  const billions = Math.floor(value / 1e9);
  return writePadded(data, writeDigits(data, at, billions), value - billions * 1e9, 9);
}

/** The value high * 2^32 + low with all its digits. @param low either sign: the word as the column holds it */
export function writeInt64(data: DataView, at: number, high: number, low: number): number {
  if (isSafe64(high)) {
    const value = high * 4294967296 + (low >>> 0);
    if (value >= 0) return writeSafe(data, at, value);
    data.setUint8(at, MINUS);
    return writeSafe(data, at + 1, -value);
  }
  let start = at;
  let magnitudeHigh = high;
  let magnitudeLow = low >>> 0;
  if (high < 0) {
    data.setUint8(start++, MINUS);
    magnitudeLow = -low >>> 0;
    magnitudeHigh = (~high + (magnitudeLow === 0 ? 1 : 0)) >>> 0;
  }
  const end = writeSafe(data, start, floorDivide64(magnitudeHigh, magnitudeLow, 1e6));
  return writePadded(data, end, floorModulo64(magnitudeHigh, magnitudeLow, 1e6), 6);
}
