/**
 * The RLE / bit-packed hybrid that levels and dictionary indexes are written in.
 * https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE
 */
import { pushBits } from '../../lib/core/bitmap.ts';
import type { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import { pushVarint } from './thrift.ts';

/** Equal values from which on a run of its own is shorter and quicker to read than packing them. */
const MIN_RUN = 24;

/** Bits that hold the integers 0 to `largest`. */
export function bitWidth(largest: number): number {
  return 32 - Math.clz32(largest);
}

/** Appends `count` times the same value. */
export function pushRun(out: ByteBuffer, value: number, count: number, width: number): void {
  pushVarint(out, count * 2);
  for (let bits = 0; bits < width; bits += 8) out.pushByte((value >>> bits) & 0xff);
}

/** Appends values[from, to), of `width` bits each: as runs where they repeat, packed where they do not. */
export function pushHybrid(
  out: ByteBuffer,
  values: Int32Array | Uint8Array,
  from: number,
  to: number,
  width: number,
): void {
  if (width === 0) {
    if (to > from) pushRun(out, 0, to - from, 0);
    return;
  }
  // Runs are looked for at every eighth value only: what is packed before one comes in whole groups of eight.
  let packedFrom = from;
  let i = from;
  while (i < to) {
    const value = values[i]!;
    let end = i + 1;
    while (end < to && values[end] === value) end++;
    if (end - i < MIN_RUN && !(i === packedFrom && end === to)) {
      i += 8;
      continue;
    }
    pushPacked(out, values, packedFrom, i, width);
    pushRun(out, value, end - i, width);
    packedFrom = end;
    i = end;
  }
  pushPacked(out, values, packedFrom, to, width);
}

/** One bit-packed run. The last group is filled up with zeros. */
function pushPacked(
  out: ByteBuffer,
  values: Int32Array | Uint8Array,
  from: number,
  to: number,
  width: number,
): void {
  if (to === from) return;
  const groups = (to - from + 7) >> 3;
  pushVarint(out, groups * 2 + 1);
  out.reserve(groups * width);
  const { bytes } = out;
  const end = out.length + groups * width;
  let o = out.length;
  if (width === 8) {
    for (let i = from; i < to; i++) bytes[o++] = values[i]!;
  } else {
    // At most 7 bits are left over from the value before, so 24 bits of width fit into 32.
    let packed = 0;
    let bits = 0;
    for (let i = from; i < to; i++) {
      packed |= values[i]! << bits;
      bits += width;
      while (bits >= 8) {
        bytes[o++] = packed;
        packed >>>= 8;
        bits -= 8;
      }
    }
    if (bits > 0) bytes[o++] = packed;
  }
  bytes.fill(0, o, end);
  out.length = end;
}

/** Appends the bits [from, to) of an LSB-first bitmap as one bit-packed run of width 1: they have the same form. */
export function pushBitmapRun(out: ByteBuffer, bitmap: Uint8Array, from: number, to: number): void {
  pushVarint(out, ((to - from + 7) >> 3) * 2 + 1);
  pushBits(out, bitmap, from, to);
}
