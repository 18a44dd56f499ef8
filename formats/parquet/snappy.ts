/**
 * Snappy's raw block format, compressing only. https://github.com/google/snappy/blob/main/format_description.txt
 *
 * In WebAssembly where there is such, else in JavaScript: 300 MB/s on real pages where the native addon does 430, and the
 * addon's fresh Buffer a page cost more memory than that was worth.
 */
import type { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import type { SnappyKernel } from '../kernel/snappy-kernel.ts';
import { pushVarint } from './thrift.ts';

const MAX_TABLE_BITS = 14;
const MIN_TABLE_BITS = 8;
/** Farthest a copy reaches back: two bytes of offset. Farther ones take five bytes and rarely pay. */
const MAX_DISTANCE = 65_535;
/** Bytes at the end that are left as a literal, so that reading four bytes ahead stays within the input. */
const MARGIN = 15;
/** Of snappy's own hash. */
const HASH = 0x1e35a7bd;

export class SnappyCompressor {
  readonly #kernel: SnappyKernel | null;
  /** Of a hash of four bytes: where they stood last, plus the base of that input. */
  readonly #table = new Int32Array(1 << MAX_TABLE_BITS);
  /** Positions of this input are stored from here on, so that the table need not be cleared: smaller is of an older input. */
  #base = 1;

  constructor(kernel: SnappyKernel | null) {
    this.#kernel = kernel;
  }

  /** Appends the compressed form of input[0, size) to `out`. */
  compress(input: Uint8Array, size: number, out: ByteBuffer): void {
    pushVarint(out, size);
    if (this.#kernel?.compress(input, size, out)) return;
    // The most that the format's rules can give, with the slack that short literals are copied with.
    out.reserve(size + Math.ceil(size / 6) + 32);
    if (this.#base + size > 0x7fff_0000) {
      this.#table.fill(0);
      this.#base = 1;
    }
    out.length = compressBlock(input, size, out.bytes, out.length, this.#table, this.#base);
    this.#base += size;
  }
}

/**
 * One loop, and the loops inside it as functions: what is compiled while it runs has one place to be entered at. As four
 * loops in one another it was compiled nine times before a short job was over.
 */
function compressBlock(
  input: Uint8Array,
  size: number,
  out: Uint8Array,
  start: number,
  table: Int32Array,
  base: number,
): number {
  // Small pages use a small part of the table: it stays in the first cache.
  let bits = MIN_TABLE_BITS;
  while (bits < MAX_TABLE_BITS && 1 << bits < size) bits++;
  const shift = 32 - bits;
  const view = new DataView(input.buffer, input.byteOffset, size);
  const target = new DataView(out.buffer, out.byteOffset, out.byteLength);
  const limit = size - MARGIN;
  let o = start;
  let literal = 0;
  let i = 1;
  // Four bytes that were here before are looked for in ever longer steps while nothing is found.
  let skip = 32;
  while (i < limit) {
    const word = view.getInt32(i, true);
    const slot = Math.imul(word, HASH) >>> shift;
    const candidate = table[slot]! - base;
    table[slot] = i + base;
    if (candidate < 0 || i - candidate > MAX_DISTANCE || view.getInt32(candidate, true) !== word) {
      i += skip++ >> 5;
      continue;
    }
    const length = i - literal;
    if (length > 60) o = emitLiteral(input, literal, i, out, o);
    else if (length > 0) {
      out[o] = (length - 1) << 2;
      copyWords(view, literal, target, o + 1, length);
      o += 1 + length;
    }
    const end = matchEnd(view, i + 4, candidate + 4, limit);
    const copied = end - i;
    const distance = i - candidate;
    if (copied < 12 && distance < 2048) {
      out[o] = ((distance >>> 8) << 5) | ((copied - 4) << 2) | 1;
      out[o + 1] = distance;
      o += 2;
    } else if (copied <= 64) {
      out[o] = ((copied - 1) << 2) | 2;
      out[o + 1] = distance;
      out[o + 2] = distance >>> 8;
      o += 3;
    } else o = emitLongCopy(distance, copied, out, o);
    i = end;
    literal = end;
    skip = 32;
    table[Math.imul(view.getInt32(i - 1, true), HASH) >>> shift] = i - 1 + base;
  }
  return emitLiteral(input, literal, size, out, o);
}

/** Whole words, over the literal's end: the next tag is written there, and the input goes on for MARGIN bytes. */
function copyWords(from: DataView, start: number, to: DataView, out: number, length: number): void {
  for (let k = 0; k < length; k += 4) to.setInt32(out + k, from.getInt32(start + k, true), true);
}

/** How far what stands at `i` is the same as what stands at `candidate`. */
function matchEnd(view: DataView, i: number, candidate: number, limit: number): number {
  while (i < limit) {
    const differing = view.getInt32(i, true) ^ view.getInt32(candidate, true);
    // Count the equal low bytes: 31 - clz32 of the lowest set bit is its index.
    if (differing !== 0) return i + ((31 - Math.clz32(differing & -differing)) >> 3);
    i += 4;
    candidate += 4;
  }
  return i;
}

function emitLiteral(input: Uint8Array, from: number, to: number, out: Uint8Array, start: number): number {
  const length = to - from;
  if (length === 0) return start;
  let o = start;
  const rest = length - 1;
  if (rest < 60) out[o++] = rest << 2;
  else if (rest < 0x100) {
    out[o++] = 60 << 2;
    out[o++] = rest;
  } else if (rest < 0x10000) {
    out[o++] = 61 << 2;
    out[o++] = rest;
    out[o++] = rest >>> 8;
  } else {
    out[o++] = 63 << 2;
    out[o++] = rest;
    out[o++] = rest >>> 8;
    out[o++] = rest >>> 16;
    out[o++] = rest >>> 24;
  }
  if (length > 48) {
    out.set(input.subarray(from, to), o);
    return o + length;
  }
  for (let i = from; i < to; i++) out[o++] = input[i]!;
  return o;
}

/** A copy of more than 64 bytes, in pieces. */
function emitLongCopy(distance: number, length: number, out: Uint8Array, start: number): number {
  let o = start;
  let left = length;
  while (left > 0) {
    // 60, not 64, where 65 to 67 are left: no piece may have less than four bytes, or it would not pay.
    const piece = left > 64 && left < 68 ? 60 : Math.min(left, 64);
    out[o++] = ((piece - 1) << 2) | 2;
    out[o++] = distance;
    out[o++] = distance >>> 8;
    left -= piece;
  }
  return o;
}
