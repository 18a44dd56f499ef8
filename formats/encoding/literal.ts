/** Short byte strings that are written over and over: keys, escaped dictionary values. */
import type { ByteBuffer } from '../../lib/core/byte-buffer.ts';

/** The bytes as 32-bit words, zeros behind the end, so that they can be copied four at a time. */
export interface Literal {
  readonly words: Int32Array;
  readonly size: number;
}

export function literal(bytes: Uint8Array): Literal {
  const words = new Int32Array((bytes.length + 3) >> 2);
  new Uint8Array(words.buffer).set(bytes);
  return { words, size: bytes.length };
}

/** Appends words[first, ...) as `size` bytes. Measured for 11 of them: 7 ns, byte by byte 27. */
export function pushWords(out: ByteBuffer, words: Int32Array, first: number, size: number): void {
  // The last word may reach up to three bytes too far; what comes next writes over them.
  out.reserve(size + 3);
  const { data, length: start } = out;
  for (let at = 0, word = first; at < size; at += 4, word++) data.setInt32(start + at, words[word]!, true);
  out.length = start + size;
}
