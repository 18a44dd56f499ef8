const PADDING = 61;

/** Six bits of a character, 255 where it is none of the alphabet. */
const SEXTETS = new Uint8Array(256).fill(255);
for (const [value, character] of Array.from(
  'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
).entries()) {
  SEXTETS[character.charCodeAt(0)] = value;
}

/**
 * Decodes text[0, length) as base64 with padding (RFC 4648 section 4). Bits behind the last byte have to be 0: no two
 * texts spell the same bytes.
 * @param out has room for three quarters of the text's bytes behind `at`
 * @returns the bytes written, or -1 where the text is not base64
 */
export function decodeBase64(text: Uint8Array, length: number, out: Uint8Array, at: number): number {
  if ((length & 3) !== 0) return -1;
  if (length === 0) return 0;
  const padding = text[length - 1] !== PADDING ? 0 : text[length - 2] !== PADDING ? 1 : 2;
  let next = at;
  for (let i = 0; i < length; i += 4) {
    const padded = i + 4 === length ? padding : 0;
    const a = SEXTETS[text[i]!]!;
    const b = SEXTETS[text[i + 1]!]!;
    const c = padded === 2 ? 0 : SEXTETS[text[i + 2]!]!;
    const d = padded > 0 ? 0 : SEXTETS[text[i + 3]!]!;
    if ((a | b | c | d) > 63) return -1;
    const group = (a << 18) | (b << 12) | (c << 6) | d;
    if (padded > 0 && (group & (padded === 1 ? 0xff : 0xffff)) !== 0) return -1;
    out[next++] = group >> 16;
    if (padded < 2) out[next++] = group >> 8;
    if (padded < 1) out[next++] = group;
  }
  return next - at;
}
