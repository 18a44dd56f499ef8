/** Writing 64-bit values as two 32-bit words, without a BigInt a row. */

const TWO_32 = 4294967296;

/** Writes an integer of at most 2^53 in size. -0 becomes 0. */
export function writeSafe64(value: number, values: Int32Array, at: number): void {
  const high = Math.floor(value / TWO_32);
  // Storing into an Int32Array takes the value modulo 2^32.
  values[at] = value - high * TWO_32;
  values[at + 1] = high;
}

/**
 * Writes `count * factor + rest` where it is within int64.
 * @param factor at most 10^9 in size, as `rest` is; |count * factor| < 2^68
 * @returns the high word before it is cut to 32 bits: within [-2^31, 2^31) exactly where the value fits
 */
export function writeProduct64(
  count: number,
  factor: number,
  rest: number,
  values: Int32Array,
  at: number,
): number {
  // Halves of 16 bits keep every product below 2^53.
  const countHigh = Math.floor(count / 65536);
  const upper = countHigh * factor;
  const lower = (count - countHigh * 65536) * factor + rest;
  const upperHigh = Math.floor(upper / 65536);
  const low = (upper - upperHigh * 65536) * 65536 + lower;
  const lowHigh = Math.floor(low / TWO_32);
  const high = upperHigh + lowHigh;
  values[at] = low - lowHigh * TWO_32;
  values[at + 1] = high;
  return high;
}
