/** Dates and timestamps in ISO 8601, as most programs write them: all the rest is the host's. */
import { digits, powerOfTen, readDigits } from './numbers';

const NO_DATE: i32 = i32.MIN_VALUE;

/** Hour and minute of the text read last by `readCalendar`. */
let hour: i32 = 0;
let minute: i32 = 0;
/** Since 1970: what was read last. */
export let instant: i64 = 0;
export let day: i32 = 0;

/** Days of the months, from January on; those of February in a leap year at 0. */
const MONTH_DAYS: usize = memory.data<u8>([29, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]);

/** Howard Hinnant's days_from_civil, for years 0 to 9999. @returns NO_DATE where there is no such day */
// @ts-ignore: decorator
@inline
function daysFromCivil(year: i32, month: i32, dayOfMonth: i32): i32 {
  if (<u32>(month - 1) > 11) return NO_DATE;
  const isLeap = (year & 3) == 0 && (year % 100 != 0 || year % 400 == 0);
  const most = <u32>load<u8>(MONTH_DAYS + (month == 2 && isLeap ? 0 : month));
  if (<u32>(dayOfMonth - 1) >= most) return NO_DATE;
  // Years begin in March, so that the leap day is the last one. 400 years more keep everything positive.
  const shifted = <u32>((month <= 2 ? year - 1 : year) + 400);
  const era = shifted / 400;
  const yearOfEra = shifted - era * 400;
  const dayOfYear = (153 * <u32>(month > 2 ? month - 3 : month + 9) + 2) / 5 + <u32>dayOfMonth - 1;
  const dayOfEra = yearOfEra * 365 + (yearOfEra >> 2) - yearOfEra / 100 + dayOfYear;
  return (<i32>era - 1) * 146097 + <i32>dayOfEra - 719468;
}

/**
 * Reads `yyyy-MM-dd` and, unless `dateOnly`, `hh:mm` behind any character. All digits are checked and put together at
 * once: they stand at fixed places.
 * @returns days since 1970, or NO_DATE
 */
// @ts-ignore: decorator
@inline
function readCalendar(at: usize, dateOnly: bool): i32 {
  // '0000-00-00T00:00': digits become their values, separators 0.
  const x = v128.xor(
    v128.load(at),
    i8x16(48, 48, 48, 48, 45, 48, 48, 45, 48, 48, 0, 48, 48, 58, 48, 48),
  );
  const limits = dateOnly
    ? i8x16(9, 9, 9, 9, 0, 9, 9, 0, 9, 9, -1, -1, -1, -1, -1, -1)
    : i8x16(9, 9, 9, 9, 0, 9, 9, 0, 9, 9, -1, 9, 9, 0, 9, 9);
  if (v128.any_true(i8x16.gt_u(x, limits))) return NO_DATE;
  const packed = i8x16.swizzle(x, i8x16(0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, -1, -1, -1, -1));
  const weights = i8x16(10, 1, 10, 1, 10, 1, 10, 1, 10, 1, 10, 1, 0, 0, 0, 0);
  const pairs = i32x4.extadd_pairwise_i16x8_u(i16x8.extmul_low_i8x16_u(packed, weights));
  const times = i32x4.extadd_pairwise_i16x8_u(i16x8.extmul_high_i8x16_u(packed, weights));
  hour = i32x4.extract_lane(times, 0);
  minute = i32x4.extract_lane(times, 1);
  return daysFromCivil(
    i32x4.extract_lane(pairs, 0) * 100 + i32x4.extract_lane(pairs, 1),
    i32x4.extract_lane(pairs, 2),
    i32x4.extract_lane(pairs, 3),
  );
}

/** Reads `yyyy-MM-dd` into `day`. @returns behind it, or 0 */
export function readDate(at: usize): usize {
  day = readCalendar(at, true);
  return day == NO_DATE ? 0 : at + 10;
}

/**
 * Reads `yyyy-MM-dd{T| }hh:mm:ss[.f][Z]`, f of 1 to 8 digits, into `instant`, in the unit that has `unitDigits` digits
 * of a second's fraction; what is finer is cut.
 * @returns behind it, or 0
 */
export function readTimestamp(at: usize, unitDigits: i32): usize {
  const days = readCalendar(at, false);
  if (days == NO_DATE) return 0;
  const separator = load<u8>(at, 10);
  if ((separator | 0x20) != 0x74 && separator != 0x20) return 0;
  const tens = <u32>load<u8>(at, 17) - 48;
  const ones = <u32>load<u8>(at, 18) - 48;
  if (load<u8>(at, 16) != 58 || tens > 5 || ones > 9 || hour > 23 || minute > 59) return 0;
  let next = at + 19;
  let fraction: u64 = 0;
  if (load<u8>(next) == 46) {
    fraction = readDigits(next + 1);
    const n = digits;
    if (n == 0 || n > 8) return 0;
    if (n < unitDigits) fraction *= powerOfTen(unitDigits - n);
    else if (n > unitDigits) fraction /= powerOfTen(n - unitDigits);
    next += 1 + n;
  }
  if ((load<u8>(next) | 0x20) == 0x7a) next++;
  const seconds = <i64>days * 86400 + hour * 3600 + minute * 60 + tens * 10 + ones;
  instant = seconds * <i64>powerOfTen(unitDigits) + <i64>fraction;
  return next;
}
