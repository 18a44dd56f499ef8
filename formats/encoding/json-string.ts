/** Strings as JSON string literals (RFC 8259 section 7): quotes, and only what has to be escaped. */
import type { ByteBuffer } from '../../lib/core/byte-buffer.ts';

const QUOTE = 34;
const BACKSLASH = 92;
const LETTER_U = 117;
const ZERO = 48;
const HEX = new TextEncoder().encode('0123456789abcdef');

/** 0: as it is; 1: as \u00XX; anything else: the letter behind a backslash. */
const ESCAPES = new Uint8Array(256);
ESCAPES.fill(1, 0, 0x20);
for (const [byte, letter] of [
  [8, 'b'],
  [9, 't'],
  [10, 'n'],
  [12, 'f'],
  [13, 'r'],
  [QUOTE, '"'],
  [BACKSLASH, '\\'],
] as const) {
  ESCAPES[byte] = letter.charCodeAt(0);
}

/**
 * @param from valid UTF-8, which stays as it is @param data the same memory as `from`
 *
 * Four bytes a step until something has to be escaped. Measured for 38 bytes: 38 ns, one by one 107.
 */
export function pushJsonString(
  out: ByteBuffer,
  from: Uint8Array,
  data: DataView,
  start: number,
  end: number,
): void {
  out.reserve(end - start + 2);
  let { bytes } = out;
  const target = out.data;
  let next = out.length;
  bytes[next++] = QUOTE;
  let i = start;
  for (; i + 4 <= end; i += 4, next += 4) {
    const word = data.getInt32(i, true);
    const quotes = word ^ 0x2222_2222;
    const backslashes = word ^ 0x5c5c_5c5c;
    // The top bit of a byte is set where it is below 0x20, a quote or a backslash ("Bit Twiddling Hacks", hasless).
    if (
      (((word - 0x2020_2020) & ~word) |
        ((quotes - 0x0101_0101) & ~quotes) |
        ((backslashes - 0x0101_0101) & ~backslashes)) &
      0x8080_8080
    ) {
      break;
    }
    target.setInt32(next, word, true);
  }
  for (; i < end; i++) {
    const byte = from[i]!;
    if (ESCAPES[byte] !== 0) break;
    bytes[next++] = byte;
  }
  if (i < end) {
    out.length = next;
    out.reserve(escapedSize(from, i, end) + 1);
    bytes = out.bytes;
    for (; i < end; i++) next = writeEscaped(bytes, next, from[i]!);
  }
  bytes[next++] = QUOTE;
  out.length = next;
}

function writeEscaped(bytes: Uint8Array, at: number, byte: number): number {
  const letter = ESCAPES[byte]!;
  let next = at;
  if (letter === 0) {
    bytes[next++] = byte;
    return next;
  }
  bytes[next++] = BACKSLASH;
  if (letter !== 1) {
    bytes[next++] = letter;
    return next;
  }
  bytes[next++] = LETTER_U;
  bytes[next++] = ZERO;
  bytes[next++] = ZERO;
  bytes[next++] = HEX[byte >> 4]!;
  bytes[next++] = HEX[byte & 15]!;
  return next;
}

/** Counted, not guessed: room for six times the value would be 600 MiB for a 100 MiB one. */
function escapedSize(from: Uint8Array, start: number, end: number): number {
  let size = end - start;
  for (let i = start; i < end; i++) {
    const letter = ESCAPES[from[i]!]!;
    if (letter !== 0) size += letter === 1 ? 5 : 1;
  }
  return size;
}
