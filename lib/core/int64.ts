/** Arithmetic on int64 and timestamp values as they stand in columns: two 32-bit words, without a BigInt a row. */

/** Whether the value `high * 2^32 + low` is exact as a double. */
export function isSafe64(high: number): boolean {
  return high >= -0x20_0000 && high < 0x20_0000;
}

/**
 * floor(value / divisor) of the value high * 2^32 + low, exact where it is below 2^53 itself (always, from a divisor of
 * 1,024 on).
 * @param low unsigned
 * @param divisor 1 to 1,000,000: with more, the remainder times 2^32 would not fit into a double
 */
export function floorDivide64(high: number, low: number, divisor: number): number {
  const quotient = Math.floor(high / divisor);
  const rest = (high - quotient * divisor) * 4294967296 + low;
  return quotient * 4294967296 + Math.floor(rest / divisor);
}

/** value - floor(value / divisor) * divisor, so 0 <= result < divisor. See {@link floorDivide64}. */
export function floorModulo64(high: number, low: number, divisor: number): number {
  const rest = (high - Math.floor(high / divisor) * divisor) * 4294967296 + low;
  return rest - Math.floor(rest / divisor) * divisor;
}
