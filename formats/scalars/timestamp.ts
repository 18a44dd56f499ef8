import type { FixedColumn } from '../../lib/core/column.ts';
import type { TimeUnit } from '../../lib/core/data-type.ts';
import { NO_DATE, readDate, readPair } from './date.ts';
import type { FixedParser } from './fixed-parser.ts';
import { POWERS_OF_TEN } from './numeral.ts';
import { writeProduct64, writeSafe64 } from './words64.ts';

const PLUS = 43;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const COLON = 58;
/** What `readOffset` says where there is none. */
const NO_OFFSET = 0x7fff_ffff;

/**
 * The parser of timestamps in ISO 8601, as RFC 3339, SQL and most programs write them:
 *
 *   yyyy-MM-dd                                  midnight
 *   yyyy-MM-dd{T| }hh:mm[:ss[.f]][zone]         f: 1 to 9 digits
 *   zone: Z, +hh:mm, +hhmm, +hh, or none, which is UTC
 *
 * Digits of the fraction beyond the unit are cut, not rounded: 23:59:59.9999 stays on its day. The day and the time have
 * to exist; 24:00 and the leap second 60 are refused.
 */
export function timestampParser(unit: TimeUnit): FixedParser {
  return unit === 'ms' ? parseMilliseconds : parseMicroseconds;
}

function parseMilliseconds(
  bytes: Uint8Array,
  start: number,
  end: number,
  column: FixedColumn,
  row: number,
): boolean {
  return parseTimestamp(bytes, start, end, column, row, 3);
}

function parseMicroseconds(
  bytes: Uint8Array,
  start: number,
  end: number,
  column: FixedColumn,
  row: number,
): boolean {
  return parseTimestamp(bytes, start, end, column, row, 6);
}

/** @param unitDigits digits of a second's fraction that the column keeps */
function parseTimestamp(
  bytes: Uint8Array,
  start: number,
  end: number,
  column: FixedColumn,
  row: number,
  unitDigits: number,
): boolean {
  if (end - start < 10) return false;
  const days = readDate(bytes, start);
  if (days === NO_DATE) return false;
  let at = start + 10;
  let seconds = days * 86_400;
  let fraction = 0;
  if (at < end) {
    if (end - at < 6 || ((bytes[at]! | 0x20) !== 0x74 && bytes[at] !== 0x20)) return false;
    const hour = readPair(bytes, at + 1);
    const minute = readPair(bytes, at + 4);
    if ((hour | minute | (23 - hour) | (59 - minute)) < 0 || bytes[at + 3] !== COLON) return false;
    seconds += hour * 3600 + minute * 60;
    at += 6;
    if (at < end && bytes[at] === COLON) {
      if (end - at < 3) return false;
      const second = readPair(bytes, at + 1);
      if ((second | (59 - second)) < 0) return false;
      seconds += second;
      at += 3;
      if (at < end && bytes[at] === POINT) {
        const firstDigit = at + 1;
        for (at = firstDigit; at < end; at++) {
          const digit = (bytes[at]! - ZERO) >>> 0;
          if (digit > 9) break;
          if (at - firstDigit < unitDigits) fraction = fraction * 10 + digit;
        }
        const digits = at - firstDigit;
        if (digits === 0 || digits > 9) return false;
        if (digits < unitDigits) fraction *= POWERS_OF_TEN[unitDigits - digits]!;
      }
    }
    if (at < end) {
      const offset = readOffset(bytes, at, end);
      if (offset === NO_OFFSET) return false;
      seconds -= offset;
    }
  }
  if (unitDigits === 3) writeSafe64(seconds * 1000 + fraction, column.values, row * 2);
  // Microseconds of years after 2255 are no longer exact in a double.
  else writeMicroseconds(seconds, fraction, column.values, row * 2);
  return true;
}

function writeMicroseconds(seconds: number, micros: number, values: Int32Array, at: number): void {
  if (seconds > -9e9 && seconds < 9e9) writeSafe64(seconds * 1e6 + micros, values, at);
  else writeProduct64(seconds, 1e6, micros, values, at);
}

/** The offset from UTC that bytes[at, end) spells, in seconds; NO_OFFSET where it spells none. */
function readOffset(bytes: Uint8Array, at: number, end: number): number {
  const sign = bytes[at]!;
  const length = end - at;
  if ((sign | 0x20) === 0x7a) return length === 1 ? 0 : NO_OFFSET;
  if (sign !== PLUS && sign !== MINUS) return NO_OFFSET;
  if (length !== 3 && length !== 5 && (length !== 6 || bytes[at + 3] !== COLON)) return NO_OFFSET;
  const hours = readPair(bytes, at + 1);
  const minutes = length === 3 ? 0 : readPair(bytes, end - 2);
  if ((hours | minutes | (23 - hours) | (59 - minutes)) < 0) return NO_OFFSET;
  const offset = hours * 3600 + minutes * 60;
  return sign === MINUS ? -offset : offset;
}
