/** ISO 8601 date-times as they stand in files, read from bytes without a string. */

const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const MS_PER_DAY = 86_400_000;
const MS_PER_MINUTE = 60_000;

/**
 * Reads `2026-11-22`, `2026-11-22T13:14`, `2026-11-22 13:14:15.123456Z`, `...+01:00`, `...+0100`, `...+01`. Without a zone
 * it is UTC. Digits beyond milliseconds are cut.
 * @returns milliseconds since 1970, or NaN where bytes[start, end) is not such a text
 */
export function parseIsoInstant(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 10 || bytes[start + 4] !== 45 || bytes[start + 7] !== 45) return Number.NaN;
  const year = digits(bytes, start, 4);
  const month = digits(bytes, start + 5, 2);
  const day = digits(bytes, start + 8, 2);
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (year < 0 || month < 1 || month > 12 || day < 1) return Number.NaN;
  if (day > DAYS_IN_MONTH[month - 1]! + (leap && month === 2 ? 1 : 0)) return Number.NaN;
  const before = year - 1;
  const days =
    365 * (year - 1970) +
    (Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) - 477) +
    DAYS_BEFORE_MONTH[month - 1]! +
    (leap && month > 2 ? 1 : 0) +
    day -
    1;
  const date = days * MS_PER_DAY;
  return end - start === 10 ? date : date + timeOfDay(bytes, start + 10, end);
}

/** `T13:14:15.123+01:00` as milliseconds since midnight UTC of the date before it. */
function timeOfDay(bytes: Uint8Array, start: number, end: number): number {
  const separator = bytes[start];
  if ((separator !== 84 && separator !== 116 && separator !== 32) || end - start < 6) return Number.NaN;
  const hour = digits(bytes, start + 1, 2);
  const minute = digits(bytes, start + 4, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || bytes[start + 3] !== 58) return Number.NaN;
  let ms = (hour * 60 + minute) * MS_PER_MINUTE;
  let at = start + 6;
  if (at < end && bytes[at] === 58) {
    if (at + 3 > end) return Number.NaN;
    const second = digits(bytes, at + 1, 2);
    if (second < 0 || second > 59) return Number.NaN;
    ms += second * 1000;
    at += 3;
    if (at < end && (bytes[at] === 46 || bytes[at] === 44)) {
      const first = ++at;
      let scale = 100;
      while (at < end && isDigit(bytes[at]!)) {
        ms += (bytes[at++]! - 48) * scale;
        scale = Math.floor(scale / 10);
      }
      if (at === first) return Number.NaN;
    }
  }
  return ms - offsetMs(bytes, at, end);
}

/** The zone at the end: nothing, `Z`, `+01`, `+0100` or `+01:00`. */
function offsetMs(bytes: Uint8Array, start: number, end: number): number {
  if (start === end) return 0;
  const sign = bytes[start]!;
  const size = end - start;
  if (sign === 90 || sign === 122) return size === 1 ? 0 : Number.NaN;
  if (sign !== 43 && sign !== 45) return Number.NaN;
  const colon = size === 6 && bytes[start + 3] === 58;
  if (size !== 3 && size !== 5 && !colon) return Number.NaN;
  const hours = digits(bytes, start + 1, 2);
  const minutes = size === 3 ? 0 : digits(bytes, colon ? start + 4 : start + 3, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return Number.NaN;
  const ms = (hours * 60 + minutes) * MS_PER_MINUTE;
  return sign === 45 ? -ms : ms;
}

/** The number that `count` digits spell, or -1. */
function digits(bytes: Uint8Array, start: number, count: number): number {
  let value = 0;
  for (let i = start; i < start + count; i++) {
    const byte = bytes[i]!;
    if (!isDigit(byte)) return -1;
    value = value * 10 + byte - 48;
  }
  return value;
}

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}
