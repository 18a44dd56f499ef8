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
    // A few looks ahead refuse nearly every place where no run begins, without counting.
    const isAlone =
      i + MIN_RUN <= to &&
      (values[i + MIN_RUN - 1] !== value ||
        values[i + 1] !== value ||
        values[i + 3] !== value ||
        values[i + 7] !== value ||
        values[i + 15] !== value);
    let end = i + 1;
    if (!isAlone) while (end < to && values[end] === value) end++;
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
  // Groups are written in words, over their end: the slack is for the last.
  out.reserve(groups * width + 8);
  const view = new DataView(out.bytes.buffer, out.bytes.byteOffset, out.bytes.byteLength);
  const whole = from + ((to - from) & ~7);
  const pack = width <= 8 ? packNarrow : width <= 16 ? packMiddle : packWide;
  pack(view, out.length, values, from, whole, width);
  const end = out.length + groups * width;
  if (whole < to) {
    const last = new Int32Array(8);
    for (let i = whole; i < to; i++) last[i - whole] = values[i]!;
    pack(view, end - width, last, 0, 8, width);
  }
  out.length = end;
}

/** Eight values of up to 8 bits are two words: 1.3 ns a value, where byte by byte took 4. */
function packNarrow(
  view: DataView,
  start: number,
  values: Int32Array | Uint8Array,
  from: number,
  to: number,
  width: number,
): void {
  const two = width * 2;
  const three = width * 3;
  const four = width * 4;
  let o = start;
  for (let i = from; i < to; i += 8) {
    const low = values[i]! | (values[i + 1]! << width) | (values[i + 2]! << two) | (values[i + 3]! << three);
    const high =
      values[i + 4]! | (values[i + 5]! << width) | (values[i + 6]! << two) | (values[i + 7]! << three);
    if (four === 32) {
      view.setInt32(o, low, true);
      view.setInt32(o + 4, high, true);
    } else {
      view.setInt32(o, low | (high << four), true);
      view.setInt32(o + 4, high >>> (32 - four), true);
    }
    o += width;
  }
}

/** Two values of up to 16 bits at a time, in words that go out as they fill up. A group ends on a byte. */
function packMiddle(
  view: DataView,
  start: number,
  values: Int32Array | Uint8Array,
  from: number,
  to: number,
  width: number,
): void {
  const two = width * 2;
  let o = start;
  for (let i = from; i < to; i += 8) {
    let word = 0;
    let bits = 0;
    for (let k = i; k < i + 8; k += 2) {
      const pair = values[k]! | (values[k + 1]! << width);
      word |= pair << bits;
      bits += two;
      if (bits >= 32) {
        view.setInt32(o, word, true);
        o += 4;
        bits -= 32;
        // Shifting by 32 would not shift at all.
        word = bits === 0 ? 0 : pair >>> (two - bits);
      }
    }
    // What is left is whole bytes; those written beyond belong to the next group.
    view.setInt32(o, word, true);
    o += bits >> 3;
  }
}

/** The same, one value at a time: what a value has beyond its word begins the next. A group ends on a byte. */
function packWide(
  view: DataView,
  start: number,
  values: Int32Array | Uint8Array,
  from: number,
  to: number,
  width: number,
): void {
  let o = start;
  for (let i = from; i < to; i += 8) {
    let word = 0;
    let bits = 0;
    for (let k = i; k < i + 8; k++) {
      const value = values[k]!;
      word |= value << bits;
      bits += width;
      if (bits >= 32) {
        view.setInt32(o, word, true);
        o += 4;
        bits -= 32;
        // Shifting by 32 would not shift at all.
        word = bits === 0 ? 0 : value >>> (width - bits);
      }
    }
    // What is left is whole bytes; those written beyond belong to the next group.
    view.setInt32(o, word, true);
    o += bits >> 3;
  }
}

/** Appends the bits [from, to) of an LSB-first bitmap as one bit-packed run of width 1: they have the same form. */
export function pushBitmapRun(out: ByteBuffer, bitmap: Uint8Array, from: number, to: number): void {
  pushVarint(out, ((to - from + 7) >> 3) * 2 + 1);
  pushBits(out, bitmap, from, to);
}
