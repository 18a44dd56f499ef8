/**
 * Strings in JSON text. Every record ends with a line feed and has some bytes behind it (see decoder.ts), so a loop that
 * stops at control characters needs no bound, and words may be read where a byte may.
 */
import { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import { characterEnd } from './utf8.ts';

const QUOTE = 34;
const BACKSLASH = 92;
const LETTER_U = 117;
/** The lowest code unit of each half of a surrogate pair. */
const HIGH_SURROGATE = 0xd800;
const LOW_SURROGATE = 0xdc00;
const REPLACEMENT = 0xfffd;

/** What the character behind a backslash stands for; 0 where it may not stand there or begins `\u`. */
const ESCAPES = new Uint8Array(256);
for (const [letter, meaning] of Object.entries({
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
})) {
  ESCAPES[letter.charCodeAt(0)] = meaning.charCodeAt(0);
}

/**
 * Marks in the highest bit of each byte of a word: a quote, a backslash, or a control character. The lowest mark is
 * right; a borrow may set wrong ones above it. `word ^ 2` brings the quote next to the control characters, so that one
 * comparison finds both.
 */
export function stringStops(word: number): number {
  const quoteOrControl = word ^ 0x02020202;
  const backslash = word ^ 0x5c5c5c5c;
  return (
    (((quoteOrControl - 0x21212121) & ~quoteOrControl) | ((backslash - 0x01010101) & ~backslash)) &
    -0x7f7f7f80
  );
}

/** Which of a word's bytes, 0 to 3 in memory order, the lowest mark is in. There has to be one. */
export function firstMark(marks: number): number {
  return (31 - Math.clz32(marks & -marks)) >> 3;
}

/**
 * Where the string ends, checked.
 * @param at behind the opening quote
 * @returns the index behind the closing quote, or ~i where the byte at i may not stand there
 */
export function skipString(bytes: Uint8Array, view: DataView, at: number): number {
  let next = at;
  for (;;) {
    const word = view.getInt32(next, true);
    const marks = stringStops(word) | (word & -0x7f7f7f80);
    if (marks === 0) {
      next += 4;
      continue;
    }
    next += firstMark(marks);
    const byte = bytes[next]!;
    if (byte === QUOTE) return next + 1;
    if (byte === BACKSLASH) {
      const letter = bytes[next + 1]!;
      if (ESCAPES[letter] !== 0) next += 2;
      else if (letter === LETTER_U && readHex(bytes, next + 2) >= 0) next += 6;
      else return ~(next + 1);
    } else if (byte >= 0x80) {
      const end = characterEnd(bytes, next);
      if (end < 0) return ~next;
      next = end;
    } else return ~next;
  }
}

/**
 * What the last {@link unescapeString} gave. Reused, and let go of where one string made it large: a record may be as long as
 * the job allows.
 */
export let unescaped = new ByteBuffer(1024);
const KEPT_BYTES = 1024 * 1024;

/**
 * Writes the text of a string that may have escapes to {@link unescaped}. A lone half of a surrogate pair, which UTF-8
 * cannot hold, becomes U+FFFD, as TextEncoder does it.
 * @param at behind the opening quote
 * @returns the index behind the closing quote; -1 where the string is not JSON or not UTF-8
 */
export function unescapeString(bytes: Uint8Array, view: DataView, at: number): number {
  const end = skipString(bytes, view, at);
  if (end < 0) return -1;
  if (unescaped.bytes.length > KEPT_BYTES) unescaped = new ByteBuffer(1024);
  unescaped.clear();
  // An escape is never shorter than what it stands for.
  unescaped.reserve(end - at);
  const out = unescaped.bytes;
  let length = 0;
  let next = at;
  while (next < end - 1) {
    const byte = bytes[next]!;
    if (byte !== BACKSLASH) {
      out[length++] = byte;
      next++;
      continue;
    }
    const letter = bytes[next + 1]!;
    if (letter !== LETTER_U) {
      out[length++] = ESCAPES[letter]!;
      next += 2;
      continue;
    }
    let code = readHex(bytes, next + 2);
    next += 6;
    if ((code & 0xf800) === HIGH_SURROGATE) {
      const low =
        code < LOW_SURROGATE && bytes[next] === BACKSLASH && bytes[next + 1] === LETTER_U
          ? readHex(bytes, next + 2)
          : 0;
      if ((low & 0xfc00) === LOW_SURROGATE) {
        code = 0x10000 + ((code - HIGH_SURROGATE) << 10) + (low - LOW_SURROGATE);
        next += 6;
      } else code = REPLACEMENT;
    }
    length = writeCharacter(out, length, code);
  }
  unescaped.length = length;
  return end;
}

function writeCharacter(out: Uint8Array, at: number, code: number): number {
  let next = at;
  if (code < 0x80) out[next++] = code;
  else {
    if (code < 0x800) out[next++] = 0xc0 | (code >> 6);
    else {
      if (code < 0x10000) out[next++] = 0xe0 | (code >> 12);
      else {
        out[next++] = 0xf0 | (code >> 18);
        out[next++] = 0x80 | ((code >> 12) & 0x3f);
      }
      out[next++] = 0x80 | ((code >> 6) & 0x3f);
    }
    out[next++] = 0x80 | (code & 0x3f);
  }
  return next;
}

/** The four hex digits at `at`, negative where they are none. */
function readHex(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = at; i < at + 4; i++) {
    const byte = bytes[i]!;
    const digit = byte <= 57 ? byte - 48 : (byte | 0x20) - 87;
    if (digit < 0 || digit > 15 || (byte > 57 && digit < 10)) return -1;
    value = value * 16 + digit;
  }
  return value;
}
