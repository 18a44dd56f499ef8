import type { FixedColumn } from '../../lib/core/column.ts';

const DASH = 45;
const ZERO = 48;
/** What `readDate` says where there is no date; no date of a four-digit year is that far away. */
export const NO_DATE = -0x8000_0000;

/** `yyyy-MM-dd` of the proleptic Gregorian calendar, as days since 1970-01-01. A day has to exist. */
export function parseDate(
  bytes: Uint8Array,
  start: number,
  end: number,
  column: FixedColumn,
  row: number,
): boolean {
  if (end - start !== 10) return false;
  const days = readDate(bytes, start);
  column.values[row] = days;
  return days !== NO_DATE;
}

/** The days since 1970-01-01 of the ten bytes at `at`, NO_DATE where they are no date. */
export function readDate(bytes: Uint8Array, at: number): number {
  const century = readPair(bytes, at);
  const yearOfCentury = readPair(bytes, at + 2);
  const month = readPair(bytes, at + 5);
  const day = readPair(bytes, at + 8);
  if (
    (century | yearOfCentury | month | day) < 0 ||
    bytes[at + 4] !== DASH ||
    bytes[at + 7] !== DASH ||
    month < 1 ||
    month > 12 ||
    day < 1
  ) {
    return NO_DATE;
  }
  const year = century * 100 + yearOfCentury;
  if (day > 28 && day > daysOfMonth(year, month)) return NO_DATE;
  return daysFromCivil(year, month, day);
}

/** The two digits at `at` as a number, a negative one where they are no digits. */
export function readPair(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - ZERO;
  const ones = bytes[at + 1]! - ZERO;
  // A byte below '0' makes a difference negative, one above '9' makes 9 - digit negative.
  return (tens | ones | (9 - tens) | (9 - ones)) < 0 ? -1 : tens * 10 + ones;
}

/** Of the proleptic Gregorian calendar. `month` is 1 to 12. */
export function daysOfMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/**
 * Howard Hinnant's days_from_civil, for years 0 to 9999. Plain arithmetic, because a cache of days made data that is
 * spread over many days 3 times slower and data of one day no faster.
 */
function daysFromCivil(year: number, month: number, day: number): number {
  // Years begin in March, so that the leap day is the last one. 400 years more keep everything positive.
  const shifted = (month <= 2 ? year - 1 : year) + 400;
  const era = (shifted / 400) | 0;
  const yearOfEra = shifted - era * 400;
  const dayOfYear = (((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) | 0) + day - 1;
  const dayOfEra = yearOfEra * 365 + (yearOfEra >> 2) - ((yearOfEra / 100) | 0) + dayOfYear;
  return (era - 1) * 146_097 + dayOfEra - 719_468;
}
