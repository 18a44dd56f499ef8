/** Binary values as base64 (RFC 4648 section 4, with padding). */
import type { ByteBuffer } from '../../lib/core/byte-buffer.ts';

const ALPHABET = new TextEncoder().encode('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const PADDING = 61;

export function pushBase64(out: ByteBuffer, from: Uint8Array, start: number, end: number): void {
  out.reserve(Math.ceil((end - start) / 3) * 4);
  const { bytes } = out;
  let next = out.length;
  let i = start;
  for (; i + 2 < end; i += 3) {
    const group = (from[i]! << 16) | (from[i + 1]! << 8) | from[i + 2]!;
    bytes[next++] = ALPHABET[group >> 18]!;
    bytes[next++] = ALPHABET[(group >> 12) & 63]!;
    bytes[next++] = ALPHABET[(group >> 6) & 63]!;
    bytes[next++] = ALPHABET[group & 63]!;
  }
  if (i < end) {
    const two = i + 1 < end;
    const group = (from[i]! << 16) | (two ? from[i + 1]! << 8 : 0);
    bytes[next++] = ALPHABET[group >> 18]!;
    bytes[next++] = ALPHABET[(group >> 12) & 63]!;
    bytes[next++] = two ? ALPHABET[(group >> 6) & 63]! : PADDING;
    bytes[next++] = PADDING;
  }
  out.length = next;
}
