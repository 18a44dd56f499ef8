/**
 * Numerals as text: `[+-] digits [. digits] [e [+-] digits]` with at least one digit before or behind the point. JSON's
 * grammar is narrower (no `+`, no leading zeros, digits on both sides of the point); its decoder checks that itself.
 */

const PLUS = 43;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
/** Powers of ten that a double holds exactly. */
export const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));

/** Where the digits that begin at `at` end. */
function digitsEnd(bytes: Uint8Array, at: number, end: number): number {
  let next = at;
  while (next < end && (bytes[next]! - ZERO) >>> 0 <= 9) next++;
  return next;
}

/** Whether bytes[start, end) is a numeral and nothing else. */
export function isNumeral(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  if (at < end && (bytes[at] === MINUS || bytes[at] === PLUS)) at++;
  const whole = digitsEnd(bytes, at, end);
  let digits = whole - at;
  at = whole;
  if (at < end && bytes[at] === POINT) {
    const fraction = digitsEnd(bytes, at + 1, end);
    digits += fraction - at - 1;
    at = fraction;
  }
  if (digits === 0) return false;
  if (at < end && (bytes[at]! | 0x20) === 0x65) {
    at++;
    if (at < end && (bytes[at] === MINUS || bytes[at] === PLUS)) at++;
    const exponent = digitsEnd(bytes, at, end);
    if (exponent === at) return false;
    at = exponent;
  }
  return at === end;
}

/** bytes[start, end) as a string, one character a byte. */
export function asciiText(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}

/**
 * The numeral times 10^scale, exactly: `12.50` with scale 2 is 1250n.
 * @returns null where the text is no numeral, where digits other than 0 are left behind the point, or where the result
 *   has more than `maxDigits` digits. Costs no more than the text's length, however large an exponent is
 */
export function scaledInteger(
  bytes: Uint8Array,
  start: number,
  end: number,
  scale: number,
  maxDigits: number,
): bigint | null {
  if (!isNumeral(bytes, start, end)) return null;
  const text = asciiText(bytes, start, end).toLowerCase();
  const exponentAt = text.indexOf('e');
  const mantissa = exponentAt < 0 ? text : text.slice(0, exponentAt);
  const pointAt = mantissa.indexOf('.');
  const negative = bytes[start] === MINUS;
  const signs = negative || bytes[start] === PLUS ? 1 : 0;
  const digits =
    pointAt < 0 ? mantissa.slice(signs) : mantissa.slice(signs, pointAt) + mantissa.slice(pointAt + 1);
  let first = 0;
  while (first < digits.length && digits.charCodeAt(first) === ZERO) first++;
  if (first === digits.length) return 0n;
  let last = digits.length;
  while (digits.charCodeAt(last - 1) === ZERO) last--;
  const fractionDigits = pointAt < 0 ? 0 : mantissa.length - pointAt - 1;
  const exponent = exponentAt < 0 ? 0 : Number(text.slice(exponentAt + 1));
  const shift = exponent + scale - fractionDigits + (digits.length - last);
  if (shift < 0 || last - first + shift > maxDigits) return null;
  const magnitude = BigInt(digits.slice(first, last)) * 10n ** BigInt(shift);
  return negative ? -magnitude : magnitude;
}
