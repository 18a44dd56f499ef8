/** PLAIN encoding. https://parquet.apache.org/docs/file-format/data-pages/encodings/#PLAIN */
import { pushBits } from '../../lib/core/bitmap.ts';
import type { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import type { ByteValues, ChunkValues } from './chunk-values.ts';
import type { Leaf } from './schema.ts';

/** Appends values[from, to). */
export function pushPlain(out: ByteBuffer, leaf: Leaf, values: ChunkValues, from: number, to: number): void {
  switch (values.kind) {
    case 'bits':
      pushBits(out, values.bits, from, to);
      return;
    case 'fixed':
      if (leaf.typeLength > 0) {
        for (let i = from; i < to; i++) pushDecimal(out, values.values, i * 4, leaf.typeLength);
      } else {
        const { buffer, byteOffset } = values.values;
        const size = values.words * 4;
        out.push(new Uint8Array(buffer, byteOffset + from * size, (to - from) * size));
      }
      return;
    case 'bytes':
      pushByteStrings(out, values, from, to);
      return;
  }
}

/** A decimal of 128 bits as the last `size` of its bytes, highest first. */
export function pushDecimal(out: ByteBuffer, words: Int32Array, at: number, size: number): void {
  out.reserve(size);
  const { bytes } = out;
  let o = out.length;
  for (let byte = size - 1; byte >= 0; byte--) bytes[o++] = words[at + (byte >> 2)]! >>> ((byte & 3) * 8);
  out.length = o;
}

/**
 * Each value behind its length. Whole words are copied, over the value's end: what stands there is overwritten by the
 * next length. That is twice as fast as byte by byte for the 10 to 40 bytes that most text has.
 */
function pushByteStrings(out: ByteBuffer, values: ByteValues, from: number, to: number): void {
  out.reserve(plainBytes(values, from, to) + 4);
  const { index, offsets, bytes } = values;
  out.length = putByteStrings(out.bytes, out.data, out.length, index, offsets, bytes, from, to);
}

/** Its own function, of arrays and numbers only: the shapes of objects that come and go had it compiled six times. */
function putByteStrings(
  out: Uint8Array,
  target: DataView,
  start: number,
  index: Int32Array | null,
  offsets: Int32Array,
  bytes: Uint8Array,
  from: number,
  to: number,
): number {
  const source = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lastWord = bytes.length - 4;
  let o = start;
  for (let i = from; i < to; i++) {
    const entry = index === null ? i : index[i]!;
    const first = offsets[entry]!;
    const length = offsets[entry + 1]! - first;
    target.setInt32(o, length, true);
    o += 4;
    if (length > 96) out.set(bytes.subarray(first, first + length), o);
    else if (first + length > lastWord) putBytes(out, o, bytes, first, length);
    else putWords(target, o, source, first, length);
    o += length;
  }
  return o;
}

function putBytes(out: Uint8Array, o: number, bytes: Uint8Array, first: number, length: number): void {
  for (let k = 0; k < length; k++) out[o + k] = bytes[first + k]!;
}

function putWords(target: DataView, o: number, source: DataView, first: number, length: number): void {
  for (let k = 0; k < length; k += 4) target.setInt32(o + k, source.getInt32(first + k, true), true);
}

/** What values[from, to) take as PLAIN byte strings. */
export function plainBytes(values: ByteValues, from: number, to: number): number {
  const { index, offsets } = values;
  if (index === null) return 4 * (to - from) + offsets[to]! - offsets[from]!;
  return indexedBytes(index, offsets, from, to);
}

function indexedBytes(index: Int32Array, offsets: Int32Array, from: number, to: number): number {
  let size = 4 * (to - from);
  for (let i = from; i < to; i++) {
    const entry = index[i]!;
    size += offsets[entry + 1]! - offsets[entry]!;
  }
  return size;
}
