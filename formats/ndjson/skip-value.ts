/** Passing over JSON values, checked by RFC 8259. Records end as json-string.ts says. */
import { skipString } from './json-string.ts';

const TAB = 9;
const CARRIAGE_RETURN = 13;
const BLANK = 32;
const QUOTE = 34;
const COMMA = 44;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const COLON = 58;
const BRACKET_OPEN = 91;
const BRACKET_CLOSE = 93;
const BRACE_OPEN = 123;
const BRACE_CLOSE = 125;

const WORD_NULL = 0x6c6c756e;
const WORD_TRUE = 0x65757274;
const WORD_ALSE = 0x65736c61;

/** Arrays and objects within each other, beyond which a record is refused. */
export const MAX_DEPTH = 512;
/** What {@link skipValue} says of deeper ones. */
export const TOO_DEEP = -0x8000_0000;
/** Whether the container at each depth is an object. Bounded, unlike recursion. */
const isObject = new Uint8Array(MAX_DEPTH + 1);

/** White space, but for the line feed: that ends the record. */
export function skipSpace(bytes: Uint8Array, at: number): number {
  let next = at;
  for (;;) {
    const byte = bytes[next]!;
    if (byte !== BLANK && byte !== TAB && byte !== CARRIAGE_RETURN) return next;
    next++;
  }
}

/** Whether `null` stands at `at`. */
export function isNullAt(view: DataView, at: number): boolean {
  return view.getInt32(at, true) === WORD_NULL;
}

/**
 * @param at the value's first byte
 * @returns the index behind the value, ~i where the byte at i may not stand there, or TOO_DEEP
 */
export function skipValue(bytes: Uint8Array, view: DataView, at: number): number {
  let depth = 0;
  let next = at;
  for (;;) {
    // A value begins at `next`.
    const byte = bytes[next]!;
    if (byte === BRACE_OPEN || byte === BRACKET_OPEN) {
      if (depth === MAX_DEPTH) return TOO_DEEP;
      const object = byte === BRACE_OPEN;
      isObject[++depth] = object ? 1 : 0;
      next = skipSpace(bytes, next + 1);
      if (bytes[next] !== (object ? BRACE_CLOSE : BRACKET_CLOSE)) {
        if (!object) continue;
        next = skipKey(bytes, view, next);
        if (next < 0) return next;
        continue;
      }
      next++;
      depth--;
    } else {
      next = skipScalar(bytes, view, next);
      if (next < 0) return next;
    }
    // A value ended before `next`: close what ends here, or go to the next value.
    for (;;) {
      if (depth === 0) return next;
      next = skipSpace(bytes, next);
      const object = isObject[depth] === 1;
      if (bytes[next] === COMMA) {
        next = skipSpace(bytes, next + 1);
        if (object) {
          next = skipKey(bytes, view, next);
          if (next < 0) return next;
        }
        break;
      }
      if (bytes[next] !== (object ? BRACE_CLOSE : BRACKET_CLOSE)) return ~next;
      next++;
      depth--;
    }
  }
}

/** Passes over a key, the colon and the white space behind it. */
function skipKey(bytes: Uint8Array, view: DataView, at: number): number {
  if (bytes[at] !== QUOTE) return ~at;
  const end = skipString(bytes, view, at + 1);
  if (end < 0) return end;
  const colon = skipSpace(bytes, end);
  return bytes[colon] === COLON ? skipSpace(bytes, colon + 1) : ~colon;
}

function skipScalar(bytes: Uint8Array, view: DataView, at: number): number {
  switch (bytes[at]) {
    case QUOTE:
      return skipString(bytes, view, at + 1);
    case 0x6e:
      return view.getInt32(at, true) === WORD_NULL ? at + 4 : ~at;
    case 0x74:
      return view.getInt32(at, true) === WORD_TRUE ? at + 4 : ~at;
    case 0x66:
      // The word behind the f. The f itself is no line feed, so the word may be read.
      return view.getInt32(at + 1, true) === WORD_ALSE ? at + 5 : ~at;
    default:
      return numberEnd(bytes, at);
  }
}

/** Where the number that begins at `at` ends, or ~i where the byte at i may not stand there. */
export function numberEnd(bytes: Uint8Array, at: number): number {
  let next = bytes[at] === MINUS ? at + 1 : at;
  if (bytes[next] === ZERO) next++;
  else {
    const end = digitsEnd(bytes, next);
    if (end === next) return ~next;
    next = end;
  }
  if (bytes[next] === POINT) {
    const end = digitsEnd(bytes, next + 1);
    if (end === next + 1) return ~end;
    next = end;
  }
  if ((bytes[next]! | 0x20) === 0x65) {
    const sign = bytes[next + 1]!;
    const first = sign === MINUS || sign === 43 ? next + 2 : next + 1;
    const end = digitsEnd(bytes, first);
    if (end === first) return ~first;
    next = end;
  }
  return next;
}

function digitsEnd(bytes: Uint8Array, at: number): number {
  let next = at;
  while ((bytes[next]! - ZERO) >>> 0 <= 9) next++;
  return next;
}
