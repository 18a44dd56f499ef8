/** Decimals as digits with their scale: `-12.50`. */
import type { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import { decimalFromWords } from '../../lib/core/decimal.ts';
import { MAX_INT64_DIGITS, writeInt64 } from './integer.ts';

const ZERO = 48;
const MINUS = 45;
const POINT = 46;
const digits = new Uint8Array(MAX_INT64_DIGITS);
const digitsData = new DataView(digits.buffer);

/** @param at index of the value's first word in `values` (four words a value) */
export function pushDecimal(out: ByteBuffer, values: Int32Array, at: number, scale: number): void {
  const low = values[at]!;
  const high = values[at + 1]!;
  const sign = high >> 31;
  // Most decimals fit 64 bits: the upper words only repeat the sign. The others take the way over BigInt.
  if (values[at + 2] !== sign || values[at + 3] !== sign) {
    out.pushText(decimalFromWords(values, at, scale));
    return;
  }
  const end = writeInt64(digitsData, 0, high, low);
  let from = 0;
  out.reserve(end + scale + 3);
  const { bytes } = out;
  let next = out.length;
  if (digits[0] === MINUS) {
    bytes[next++] = MINUS;
    from = 1;
  }
  const wholeDigits = end - from - scale;
  if (wholeDigits <= 0) bytes[next++] = ZERO;
  for (let i = 0; i < wholeDigits; i++) bytes[next++] = digits[from++]!;
  if (scale > 0) {
    bytes[next++] = POINT;
    for (let i = wholeDigits; i < 0; i++) bytes[next++] = ZERO;
    while (from < end) bytes[next++] = digits[from++]!;
  }
  out.length = next;
}
