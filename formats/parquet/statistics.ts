/**
 * Least and greatest value of a column chunk, in the orders that TypeDefinedOrder gives (parquet.thrift, ColumnOrder).
 * Readers skip whole row groups by them, so a wrong one makes queries lose rows in silence: what is not certain is left out.
 */
import { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import type { BitValues, ByteValues, ChunkValues, FixedValues } from './chunk-values.ts';
import { pushDecimal } from './plain.ts';
import type { Leaf } from './schema.ts';

/** Longer byte strings are cut: the footer is read by everybody, and a bound need not be a value. */
const MAX_BOUND_BYTES = 64;

export interface Bound {
  /** The value, PLAIN encoded, byte strings without their length. */
  readonly bytes: Uint8Array;
  /** Whether the value occurs; otherwise it is only beyond all that do. */
  readonly exact: boolean;
}

export interface Bounds {
  readonly min: Bound | null;
  readonly max: Bound | null;
}

const NONE: Bounds = { min: null, max: null };

/** Bounds of the values; of a chunk with a dictionary, its entries are enough. */
export function boundsOf(leaf: Leaf, values: ChunkValues): Bounds {
  if (values.count === 0) return NONE;
  switch (values.kind) {
    case 'bits':
      return bitBounds(values);
    case 'fixed':
      return fixedBounds(leaf, values);
    case 'bytes':
      // Nobody asks for a range of JSON texts, and parquetjs-lite fails on a bound that is cut: it parses it.
      return leaf.type.kind === 'json' ? NONE : byteBounds(leaf, values);
  }
}

function exactly(min: Uint8Array, max: Uint8Array): Bounds {
  return { min: { bytes: min, exact: true }, max: { bytes: max, exact: true } };
}

function bitBounds({ bits, count }: BitValues): Bounds {
  let ones = 0;
  for (let i = 0; i < count; i++) ones += (bits[i >> 3]! >> (i & 7)) & 1;
  return exactly(Uint8Array.of(ones === count ? 1 : 0), Uint8Array.of(ones === 0 ? 0 : 1));
}

function fixedBounds(leaf: Leaf, values: FixedValues): Bounds {
  switch (leaf.type.kind) {
    case 'float32':
      return floatBounds(
        float32Range(new Float32Array(values.values.buffer, values.values.byteOffset, values.count)),
        4,
      );
    case 'float64':
      return floatBounds(
        float64Range(new Float64Array(values.values.buffer, values.values.byteOffset, values.count)),
        8,
      );
    default:
      if (values.words === 1) return int32Bounds(values);
      return values.words === 2 ? int64Bounds(values) : decimalBounds(leaf, values);
  }
}

function int32Bounds({ values, count }: FixedValues): Bounds {
  let min = values[0]!;
  let max = min;
  for (let i = 1; i < count; i++) {
    const value = values[i]!;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return exactly(new Uint8Array(Int32Array.of(min).buffer), new Uint8Array(Int32Array.of(max).buffer));
}

/** The high words decide, signed; where they are equal the low words do, unsigned. */
function int64Bounds({ values, count }: FixedValues): Bounds {
  let minHigh = values[1]!;
  let minLow = values[0]! >>> 0;
  let maxHigh = minHigh;
  let maxLow = minLow;
  for (let i = 1; i < count; i++) {
    const high = values[i * 2 + 1]!;
    const low = values[i * 2]! >>> 0;
    if (high < minHigh || (high === minHigh && low < minLow)) {
      minHigh = high;
      minLow = low;
    }
    if (high > maxHigh || (high === maxHigh && low > maxLow)) {
      maxHigh = high;
      maxLow = low;
    }
  }
  return exactly(
    new Uint8Array(Int32Array.of(minLow, minHigh).buffer),
    new Uint8Array(Int32Array.of(maxLow, maxHigh).buffer),
  );
}

/** Signed, of 128 bits: the highest word decides, then the others unsigned. */
function decimalBounds(leaf: Leaf, { values, count }: FixedValues): Bounds {
  let min = 0;
  let max = 0;
  for (let i = 1; i < count; i++) {
    if (compareInt128(values, i * 4, min * 4) < 0) min = i;
    if (compareInt128(values, i * 4, max * 4) > 0) max = i;
  }
  const bytes = (i: number) => {
    const out = new ByteBuffer(leaf.typeLength);
    pushDecimal(out, values, i * 4, leaf.typeLength);
    return out.view();
  };
  return exactly(bytes(min), bytes(max));
}

function compareInt128(words: Int32Array, a: number, b: number): number {
  if (words[a + 3] !== words[b + 3]) return words[a + 3]! < words[b + 3]! ? -1 : 1;
  for (let word = 2; word >= 0; word--) {
    const left = words[a + word]! >>> 0;
    const right = words[b + word]! >>> 0;
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

/**
 * NaN has no place in the order, and engines disagree on it (greater than all others in DuckDB, Trino and Spark): a
 * chunk that has one gets no bounds, or a filter would lose it. Zero is -0 as a minimum and +0 as a maximum, since
 * both are equal and either may be asked for (parquet.thrift, ColumnOrder).
 */
function floatBounds([min, max]: readonly [number, number], size: 4 | 8): Bounds {
  if (Number.isNaN(min)) return NONE;
  const bytes = (value: number) =>
    new Uint8Array((size === 4 ? Float32Array.of(value) : Float64Array.of(value)).buffer);
  return exactly(bytes(min === 0 ? -0 : min), bytes(max === 0 ? 0 : max));
}

/** Least and greatest, both NaN where there is one. Math.min and Math.max know no NaN that is not the result. */
function float64Range(values: Float64Array): [number, number] {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    min = Math.min(min, values[i]!);
    max = Math.max(max, values[i]!);
  }
  return [min, max];
}

/** The same once more, so that each of the two loops sees one kind of array. */
function float32Range(values: Float32Array): [number, number] {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    min = Math.min(min, values[i]!);
    max = Math.max(max, values[i]!);
  }
  return [min, max];
}

/** Unsigned bytes, lexicographically: a prefix is less than what it begins. */
function byteBounds(leaf: Leaf, values: ByteValues): Bounds {
  const { index, offsets, bytes, count } = values;
  let min = index === null ? 0 : index[0]!;
  let max = min;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // What least and greatest have in common, most values have as well (`user-`, `/articles/`): the four bytes behind it
  // tell them apart, where comparing from the start took four times as long.
  let shared = 0;
  let minKey = keyOf(view, offsets[min]!, offsets[min + 1]!);
  let maxKey = minKey;
  for (let i = 1; ; i++) {
    i = firstOutside(index, offsets, view, count, i, offsets[min]!, shared, minKey, maxKey);
    if (i >= count) break;
    const entry = index === null ? i : index[i]!;
    if (compareEntries(offsets, bytes, entry, min) < 0) min = entry;
    else if (compareEntries(offsets, bytes, entry, max) > 0) max = entry;
    else continue;
    shared = commonPrefix(values, min, max);
    minKey = keyOf(view, offsets[min]! + shared, offsets[min + 1]!);
    maxKey = keyOf(view, offsets[max]! + shared, offsets[max + 1]!);
  }
  const isText = leaf.type.kind !== 'binary';
  return {
    min: lowerBound(bytes.subarray(offsets[min]!, offsets[min + 1]!), isText),
    max: upperBound(bytes.subarray(offsets[max]!, offsets[max + 1]!), isText),
  };
}

/**
 * The first value from `i` on that may be less than the least or greater than the greatest, `count` where there is none.
 * A function of its own because nearly all time goes here: as part of the rest it took 37 ms to compile.
 * @param prefix where the `shared` bytes begin that all values between the two have
 */
function firstOutside(
  index: Int32Array | null,
  offsets: Int32Array,
  bytes: DataView,
  count: number,
  i: number,
  prefix: number,
  shared: number,
  minKey: number,
  maxKey: number,
): number {
  // The first four bytes, and those of them that are shared.
  const word = shared >= 4 ? bytes.getInt32(prefix) : keyOf(bytes, prefix, prefix + shared);
  const mask = shared >= 4 ? -1 : ~(-1 >>> (shared * 8));
  for (; i < count; i++) {
    const entry = index === null ? i : index[i]!;
    const start = offsets[entry]!;
    if (offsets[entry + 1]! - start < shared + 4) return i;
    const key = bytes.getUint32(start + shared);
    if (key <= minKey || key >= maxKey) return i;
    if (((bytes.getInt32(start) ^ word) & mask) !== 0) return i;
    for (let k = shared - 4; k > 0; k -= 4)
      if (bytes.getInt32(start + k) !== bytes.getInt32(prefix + k)) return i;
  }
  return i;
}

function commonPrefix({ offsets, bytes }: ByteValues, a: number, b: number): number {
  const most = Math.min(offsets[a + 1]! - offsets[a]!, offsets[b + 1]! - offsets[b]!);
  let length = 0;
  while (length < most && bytes[offsets[a]! + length] === bytes[offsets[b]! + length]) length++;
  return length;
}

/** The first four bytes as a number of the same order; short values are filled up with zeros. */
function keyOf(bytes: DataView, start: number, end: number): number {
  if (end - start >= 4) return bytes.getUint32(start);
  let key = 0;
  for (let i = 0; i < 4; i++) key = key * 256 + (start + i < end ? bytes.getUint8(start + i) : 0);
  return key;
}

function compareEntries(offsets: Int32Array, bytes: Uint8Array, a: number, b: number): number {
  let i = offsets[a]!;
  let k = offsets[b]!;
  const endA = offsets[a + 1]!;
  const endB = offsets[b + 1]!;
  while (i < endA && k < endB) {
    const difference = bytes[i++]! - bytes[k++]!;
    if (difference !== 0) return difference;
  }
  return endA - i - (endB - k);
}

/** A prefix is never greater than the value. */
export function lowerBound(value: Uint8Array, isText: boolean): Bound {
  if (value.length <= MAX_BOUND_BYTES) return { bytes: copyOf(value, value.length), exact: true };
  return { bytes: copyOf(value, cutAt(value, isText)), exact: false };
}

/**
 * A prefix with its last byte increased is greater than all that begins with the prefix. In text only ASCII is increased, or the
 * bound would not be UTF-8. null where nothing can be increased.
 */
export function upperBound(value: Uint8Array, isText: boolean): Bound | null {
  if (value.length <= MAX_BOUND_BYTES) return { bytes: copyOf(value, value.length), exact: true };
  const highest = isText ? 0x7e : 0xfe;
  for (let last = cutAt(value, isText) - 1; last >= 0; last--) {
    if (value[last]! > highest) continue;
    const bytes = copyOf(value, last + 1);
    bytes[last]!++;
    return { bytes, exact: false };
  }
  return null;
}

/** The first bytes of a value. Not `slice`: that of a Buffer is a view, and the value would be altered with its bound. */
function copyOf(value: Uint8Array, length: number): Uint8Array {
  return new Uint8Array(value.subarray(0, length));
}

/** Where a long value is cut: in text, before a character and not within one. */
function cutAt(value: Uint8Array, isText: boolean): number {
  let at = MAX_BOUND_BYTES;
  while (isText && at > 0 && (value[at]! & 0xc0) === 0x80) at--;
  return at;
}
