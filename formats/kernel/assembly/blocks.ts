/** Blocks of 16 bytes, in which text is looked at. */

/** 16 bytes of ones, then 16 of zeros: what lies `16 - n` bytes in keeps the first n bytes of a block. */
const MASKS: usize = memory.data<u8>([
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0,
]);

/** The first `n` bytes of a block, the others 0; n is 0 to 15. */
// @ts-ignore: decorator
@inline
export function firstBytes(block: v128, n: i32): v128 {
  return v128.and(block, v128.load(MASKS + 16 - n));
}

/** Whether the `length` bytes at `at` are those at `text`, which is filled up to whole blocks. */
// @ts-ignore: decorator
@inline
export function equalBytes(at: usize, text: usize, length: i32): bool {
  let left = length;
  while (left > 16) {
    if (v128.any_true(v128.xor(v128.load(at), v128.load(text)))) return false;
    at += 16;
    text += 16;
    left -= 16;
  }
  return !v128.any_true(v128.and(v128.xor(v128.load(at), v128.load(text)), v128.load(MASKS + 16 - left)));
}

/**
 * Marks, one bit a byte, where text may end: in JSON (F is i32) a quote, a backslash or a control character, in CSV (i64)
 * the delimiter, a quote or a control character.
 */
// @ts-ignore: decorator
@inline
export function stops<F>(block: v128): i32 {
  // 31 >= byte takes two instructions, byte < 32 takes four.
  let marks = v128.or(i8x16.ge_u(i8x16.splat(31), block), i8x16.eq(block, i8x16.splat(34)));
  if (sizeof<F>() == 4) marks = v128.or(marks, i8x16.eq(block, i8x16.splat(92)));
  else marks = v128.or(marks, i8x16.eq(block, i8x16.splat(delimiter)));
  return i8x16.bitmask(marks);
}

/** {@link stops} in JSON, and bytes that are not ASCII. */
// @ts-ignore: decorator
@inline
export function stopsOrWide(block: v128): i32 {
  const quotes = v128.or(i8x16.eq(block, i8x16.splat(34)), i8x16.eq(block, i8x16.splat(92)));
  // A mark is a byte's highest bit, which those have by themselves.
  return i8x16.bitmask(v128.or(v128.or(quotes, block), i8x16.ge_u(i8x16.splat(31), block)));
}

/** Of CSV. */
export let delimiter: i8 = 44;

export function setDelimiter(byte: i32): void {
  delimiter = <i8>byte;
}

/** Whether [at, end) is UTF-8: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
export function isUtf8(at: usize, end: usize): bool {
  while (at < end) {
    if (load<u8>(at) < 0x80) {
      at++;
      continue;
    }
    at = characterEnd(at);
    if (at == 0 || at > end) return false;
  }
  return true;
}

/** Where the character of 2 to 4 bytes at `at` ends; 0 where there is none. */
export function characterEnd(at: usize): usize {
  const lead = <i32>load<u8>(at);
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const second = <i32>load<u8>(at, 1);
  if ((second & 0xc0) != 0x80) return 0;
  if (lead < 0xe0) return at + 2;
  if (lead == 0xe0 ? second < 0xa0 : lead == 0xed ? second > 0x9f : false) return 0;
  if ((load<u8>(at, 2) & 0xc0) != 0x80) return 0;
  if (lead < 0xf0) return at + 3;
  if (lead == 0xf0 ? second < 0x90 : lead == 0xf4 ? second > 0x8f : false) return 0;
  return (load<u8>(at, 3) & 0xc0) == 0x80 ? at + 4 : 0;
}
