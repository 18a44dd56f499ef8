/** Decimals as 128-bit two's complement little-endian words, the layout of Arrow's Decimal128. */

/**
 * Writes the decimal that `text` spells (`-12.50`, `1e3`) as unscaled words at values[at, at + 4).
 * Digits beyond the scale are accepted only when they are zeros: a value is never rounded in silence.
 * @returns false where the text is no decimal or does not fit the precision
 */
export function decimalToWords(
  text: string,
  precision: number,
  scale: number,
  values: Int32Array,
  at: number,
): boolean {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/.exec(text);
  if (match === null || ((match[2] ?? '') === '' && (match[3] ?? '') === '')) return false;
  const digits = `${match[2] ?? ''}${match[3] ?? ''}`;
  // The decimal point stands `shift` digits right of where the scale wants it.
  const shift = scale - (match[3] ?? '').length + Number(match[4] ?? 0);
  if (shift > 4000 || digits.length > 4000) return false;
  let unscaled: bigint;
  if (shift >= 0) unscaled = BigInt(digits) * 10n ** BigInt(shift);
  else {
    const cut = digits.slice(shift);
    if (/[^0]/.test(shift < -digits.length ? digits : cut)) return false;
    unscaled = BigInt(digits.slice(0, shift) || '0');
  }
  if (unscaled >= 10n ** BigInt(precision)) return false;
  writeInt128(match[1] === '-' ? -unscaled : unscaled, values, at);
  return true;
}

export function writeInt128(value: bigint, values: Int32Array, at: number): void {
  for (let i = 0n; i < 4n; i++) values[at + Number(i)] = Number(BigInt.asIntN(32, value >> (32n * i)));
}

function readInt128(values: Int32Array, at: number): bigint {
  return (
    (BigInt(values[at + 3]!) << 96n) |
    (BigInt(values[at + 2]! >>> 0) << 64n) |
    (BigInt(values[at + 1]! >>> 0) << 32n) |
    BigInt(values[at]! >>> 0)
  );
}

/** The decimal as text, with exactly `scale` digits behind the point. */
export function decimalFromWords(values: Int32Array, at: number, scale: number): string {
  const unscaled = readInt128(values, at);
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const sign = unscaled < 0n ? '-' : '';
  if (scale === 0) return sign + digits;
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
