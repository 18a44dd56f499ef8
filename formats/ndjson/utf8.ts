import { isUtf8 } from 'node:buffer';

/** From here on the call of a native check costs less than the loop. */
const NATIVE_BYTES = 64;

/** Whether bytes[start, end) is UTF-8: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
export function isUtf8Range(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start >= NATIVE_BYTES) return isUtf8(bytes.subarray(start, end));
  let at = start;
  while (at < end) {
    if (bytes[at]! < 0x80) at++;
    else {
      at = characterEnd(bytes, at);
      // A character that needs bytes from behind the range is cut off.
      if (at < 0 || at > end) return false;
    }
  }
  return true;
}

/** Where the character of 2 to 4 bytes at `at` ends; -1 where there is none. Reads no further than a byte that ends it. */
export function characterEnd(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  if (lead < 0xc2 || lead > 0xf4) return -1;
  const second = bytes[at + 1]!;
  if ((second & 0xc0) !== 0x80) return -1;
  if (lead < 0xe0) return at + 2;
  if (lead === 0xe0 ? second < 0xa0 : lead === 0xed ? second > 0x9f : false) return -1;
  if ((bytes[at + 2]! & 0xc0) !== 0x80) return -1;
  if (lead < 0xf0) return at + 3;
  if (lead === 0xf0 ? second < 0x90 : lead === 0xf4 ? second > 0x8f : false) return -1;
  return (bytes[at + 3]! & 0xc0) === 0x80 ? at + 4 : -1;
}
