/**
 * Numbers, eight digits at a time. What stands behind the digits is the caller's affair: a value has to end where a
 * separator stands. Spellings that are seldom (exponents, more than 15 or 18 digits) are left to the host.
 */

const ZEROS: u64 = 0x3030303030303030;

/** Digits read by the last `readDigits`. */
export let digits: i32 = 0;

/** How many of the 8 bytes, from the lowest on, are digits. */
// @ts-ignore: decorator
@inline
export function countDigits(word: u64): i32 {
  const x = word ^ ZEROS;
  // The highest bit of a byte is set where it is over 9. A carry reaches only bytes behind the first such one.
  const over = ((x + 0x7676767676767676) | x) & 0x8080808080808080;
  return over == 0 ? 8 : <i32>(ctz(over) >> 3);
}

/** The number that the first n bytes spell, 1 to 8 digits. */
// @ts-ignore: decorator
@inline
function digitsValue(word: u64, n: i32): u64 {
  let x = (word ^ ZEROS) << (64 - (<u64>n << 3));
  x = ((x * 2561) >> 8) & 0x00ff00ff00ff00ff;
  x = ((x * 6553601) >> 16) & 0x0000ffff0000ffff;
  return (x * 42949672960001) >> 32;
}

const POWERS: usize = memory.data<u64>([
  1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000, 1000000000000,
  10000000000000, 100000000000000, 1000000000000000, 10000000000000000,
]);
const FLOAT_POWERS: usize = memory.data<f64>([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
]);

// @ts-ignore: decorator
@inline
export function powerOfTen(exponent: i32): u64 {
  return load<u64>(POWERS + (<usize>exponent << 3));
}

/** The number of up to 16 digits at `at`; `digits` says how many there are, 0 for none. */
// @ts-ignore: decorator
@inline
export function readDigits(at: usize): u64 {
  const word = load<u64>(at);
  const n = countDigits(word);
  digits = n;
  if (n == 0) return 0;
  const value = digitsValue(word, n);
  if (n < 8) return value;
  const next = load<u64>(at, 8);
  const m = countDigits(next);
  if (m == 0) return value;
  digits = 8 + m;
  return value * powerOfTen(m) + digitsValue(next, m);
}

/** Whether the number whose digits begin at `at` has a zero in front that JSON forbids. */
// @ts-ignore: decorator
@inline
function hasLeadingZero(at: usize, n: i32): bool {
  return n > 1 && load<u8>(at) == 48;
}

/** An integer of up to 16 digits: its value in `integer`. @returns behind it, or 0 */
export function readInteger(at: usize): usize {
  const negative = load<u8>(at) == 45;
  const first = at + <usize>negative;
  const value = <i64>readDigits(first);
  const n = digits;
  if (n == 0 || n == 16 || hasLeadingZero(first, n)) return 0;
  integer = negative ? -value : value;
  return first + n;
}

export let integer: i64 = 0;

/** A double of up to 15 digits: one division of two exact doubles rounds once, and correctly. @returns behind it, or 0 */
export function readDouble(at: usize): usize {
  const negative = load<u8>(at) == 45;
  const first = at + <usize>negative;
  let mantissa = readDigits(first);
  const n = digits;
  if (n == 0 || n > 15 || hasLeadingZero(first, n)) return 0;
  let next = first + n;
  let value: f64;
  if (load<u8>(next) == 46) {
    const fraction = readDigits(next + 1);
    const m = digits;
    if (m == 0 || n + m > 15) return 0;
    mantissa = mantissa * powerOfTen(m) + fraction;
    value = <f64>mantissa / load<f64>(FLOAT_POWERS + (<usize>m << 3));
    next += 1 + m;
  } else value = <f64>mantissa;
  double = negative ? -value : value;
  return next;
}

export let double: f64 = 0;
