/** Bitmaps, LSB first. */
import type { ByteBuffer } from './byte-buffer.ts';

/** Appends the bits [from, to) of a bitmap, moved to begin at bit 0; the last byte is filled up with zeros. */
export function pushBits(out: ByteBuffer, bitmap: Uint8Array, from: number, to: number): void {
  const size = (to - from + 7) >> 3;
  if (size === 0) return;
  out.reserve(size);
  const { bytes } = out;
  const start = out.length;
  const shift = from & 7;
  for (let i = 0, at = from >> 3; i < size; i++, at++) {
    bytes[start + i] =
      shift === 0 ? bitmap[at]! : (bitmap[at]! >> shift) | ((bitmap[at + 1] ?? 0) << (8 - shift));
  }
  const rest = (to - from) & 7;
  if (rest !== 0) bytes[start + size - 1]! &= (1 << rest) - 1;
  out.length = start + size;
}
