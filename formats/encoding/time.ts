/** Dates and timestamps as ISO 8601 text, by digit arithmetic. */
import { floorDivide64, floorModulo64, isSafe64 } from '../../lib/core/int64.ts';
import { writePadded, writePair, writeSafe } from './integer.ts';

const DASH = 45;
const PLUS = 43;
const COLON = 58;
const POINT = 46;
const BLANK = 32;
const LETTER_T = 84;
const LETTER_Z = 90;
/** `+292277026-12-04T15:30:07.123456Z` is as long as it gets. */
export const MAX_TIMESTAMP_CHARACTERS = 40;

/**
 * How timestamps are spelled. standard: `2026-11-22T13:14:15.123Z`. hive: `2026-11-22 13:14:15.123`, the only form that
 * Presto, Trino and Hive all read as a timestamp; it is UTC, without saying so.
 */
export type Dialect = 'standard' | 'hive';

/**
 * `2026-11-22`. Years outside 0 to 9999 take ISO 8601's expanded form with a sign and at least six digits.
 * @param days since 1970-01-01
 */
export function writeDate(data: DataView, at: number, days: number): number {
  // Howard Hinnant's civil_from_days: years begin in March, so that the leap day is the last one.
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = (shifted - era * 146_097) | 0;
  const yearOfEra =
    ((dayOfEra - ((dayOfEra / 1460) | 0) + ((dayOfEra / 36_524) | 0) - ((dayOfEra / 146_096) | 0)) / 365) | 0;
  const dayOfYear = dayOfEra - (365 * yearOfEra + (yearOfEra >> 2) - ((yearOfEra / 100) | 0));
  const monthFromMarch = ((5 * dayOfYear + 2) / 153) | 0;
  const day = dayOfYear - (((153 * monthFromMarch + 2) / 5) | 0) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  let next = at;
  if (year >= 0 && year <= 9999) next = writePadded(data, next, year, 4);
  else {
    const magnitude = Math.abs(year);
    data.setUint8(next++, year < 0 ? DASH : PLUS);
    next = magnitude < 1e6 ? writePadded(data, next, magnitude, 6) : writeSafe(data, next, magnitude);
  }
  data.setUint8(next, DASH);
  writePair(data, next + 1, month);
  data.setUint8(next + 3, DASH);
  writePair(data, next + 4, day);
  return next + 6;
}

/**
 * @param high the upper word of the count since 1970 @param low the lower one, as the column holds it
 * @param digits 3 where the count is of milliseconds, 6 for microseconds
 */
export function writeTimestamp(
  data: DataView,
  at: number,
  high: number,
  low: number,
  digits: 3 | 6,
  dialect: Dialect,
): number {
  const perSecond = digits === 3 ? 1000 : 1_000_000;
  let days: number;
  let timeOfDay: number;
  if (isSafe64(high)) {
    const value = high * 4294967296 + (low >>> 0);
    days = Math.floor(value / (perSecond * 86_400));
    timeOfDay = value - days * (perSecond * 86_400);
  } else {
    // A day is more than floorDivide64 divides by, so it goes in two steps.
    const step = digits === 3 ? 200_000 : 1_000_000;
    const stepsPerDay = digits === 3 ? 432 : 86_400;
    const steps = floorDivide64(high, low >>> 0, step);
    days = Math.floor(steps / stepsPerDay);
    timeOfDay = (steps - days * stepsPerDay) * step + floorModulo64(high, low >>> 0, step);
  }
  const secondOfDay = Math.floor(timeOfDay / perSecond) | 0;
  const fraction = timeOfDay - secondOfDay * perSecond;
  const hour = (secondOfDay / 3600) | 0;
  const minute = ((secondOfDay - hour * 3600) / 60) | 0;
  let next = writeDate(data, at, days);
  data.setUint8(next, dialect === 'standard' ? LETTER_T : BLANK);
  writePair(data, next + 1, hour);
  data.setUint8(next + 3, COLON);
  writePair(data, next + 4, minute);
  data.setUint8(next + 6, COLON);
  writePair(data, next + 7, secondOfDay - hour * 3600 - minute * 60);
  data.setUint8(next + 9, POINT);
  next = writePadded(data, next + 10, fraction, digits);
  if (dialect === 'standard') data.setUint8(next++, LETTER_Z);
  return next;
}
