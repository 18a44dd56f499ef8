/** The values of a page as they are stored, decoded from whatever encoding they have. */
import { deltaBinaryUnpack } from 'hyparquet/src/delta.js';
import { corrupt } from '../../corrupt.ts';
import { PHYSICAL } from '../schema.ts';
import { readHybrid } from './hybrid.ts';

/** INT96 is a physical type that is read and never written. */
const INT96 = 3;

export type StoredValues =
  /** Booleans: value i is bit i. */
  | { readonly kind: 'bits'; readonly count: number; readonly bits: Uint8Array }
  /** Little-endian 32-bit words: one for INT32 and FLOAT, two for INT64 and DOUBLE, three for INT96. */
  | { readonly kind: 'words'; readonly count: number; readonly words: 1 | 2 | 3; readonly values: Int32Array }
  /** Value i is bytes[starts[i], ends[i]). */
  | {
      readonly kind: 'bytes';
      readonly count: number;
      readonly bytes: Uint8Array;
      readonly starts: Int32Array;
      readonly ends: Int32Array;
    };

const PLAIN = 0;
export const PLAIN_DICTIONARY = 2;
const RLE = 3;
const DELTA_BINARY_PACKED = 5;
const DELTA_LENGTH_BYTE_ARRAY = 6;
const DELTA_BYTE_ARRAY = 7;
export const RLE_DICTIONARY = 8;
const BYTE_STREAM_SPLIT = 9;

/**
 * @param bytes from the first byte of the values to the page's end
 * @param typeLength of FIXED_LEN_BYTE_ARRAY
 */
export function readStored(
  physical: number,
  encoding: number,
  bytes: Uint8Array,
  count: number,
  typeLength: number,
): StoredValues {
  switch (physical) {
    case PHYSICAL.BOOLEAN:
      return readBooleans(encoding, bytes, count);
    case PHYSICAL.BYTE_ARRAY:
    case PHYSICAL.FIXED_LEN_BYTE_ARRAY:
      return readByteArrays(physical, encoding, bytes, count, typeLength);
    default:
      return readWords(wordsOf(physical), encoding, bytes, count);
  }
}

function wordsOf(physical: number): 1 | 2 | 3 {
  if (physical === INT96) return 3;
  return physical === PHYSICAL.INT32 || physical === PHYSICAL.FLOAT ? 1 : 2;
}

function readBooleans(encoding: number, bytes: Uint8Array, count: number): StoredValues {
  const size = (count + 7) >> 3;
  if (encoding === PLAIN) {
    if (bytes.length < size) corrupt('a page of booleans is cut');
    return { kind: 'bits', count, bits: bytes };
  }
  if (encoding !== RLE) return unknownEncoding(encoding);
  const length = bytes.length < 4 ? -1 : viewOf(bytes).getUint32(0, true);
  if (length < 0 || 4 + length > bytes.length) corrupt('a page of booleans is cut');
  const values = new Uint8Array(count);
  readHybrid(bytes, 4, 4 + length, 1, values, count);
  const bits = new Uint8Array(size);
  for (let i = 0; i < count; i++) bits[i >> 3]! |= values[i]! << (i & 7);
  return { kind: 'bits', count, bits };
}

function readWords(words: 1 | 2 | 3, encoding: number, bytes: Uint8Array, count: number): StoredValues {
  const values = new Int32Array(count * words);
  const target = new Uint8Array(values.buffer);
  switch (encoding) {
    case PLAIN:
      if (bytes.length < target.length) corrupt('a page of numbers is cut');
      target.set(bytes.subarray(0, target.length));
      break;
    case BYTE_STREAM_SPLIT:
      joinStreams(bytes, target, count, words * 4);
      break;
    case DELTA_BINARY_PACKED:
      if (count === 0) break;
      deltaBinaryUnpack(
        { view: viewOf(bytes), offset: 0 },
        count,
        words === 1 ? values : new BigInt64Array(values.buffer),
      );
      break;
    default:
      return unknownEncoding(encoding);
  }
  return { kind: 'words', count, words, values };
}

/** Stream k holds the k-th byte of every value. */
function joinStreams(bytes: Uint8Array, target: Uint8Array, count: number, width: number): void {
  if (bytes.length < count * width) corrupt('a page of split streams is cut');
  for (let k = 0; k < width; k++) {
    for (let i = 0, out = k, at = k * count; i < count; i++, out += width) target[out] = bytes[at + i]!;
  }
}

function readByteArrays(
  physical: number,
  encoding: number,
  bytes: Uint8Array,
  count: number,
  typeLength: number,
): StoredValues {
  switch (encoding) {
    case PLAIN:
      return physical === PHYSICAL.BYTE_ARRAY
        ? readPlainBytes(bytes, count)
        : fixedLength(bytes, count, typeLength);
    case BYTE_STREAM_SPLIT: {
      const target = new Uint8Array(count * typeLength);
      joinStreams(bytes, target, count, typeLength);
      return fixedLength(target, count, typeLength);
    }
    case DELTA_LENGTH_BYTE_ARRAY: {
      const reader = { view: viewOf(bytes), offset: 0 };
      const lengths = readLengths(reader, count);
      return slices(bytes, lengths, reader.offset);
    }
    case DELTA_BYTE_ARRAY:
      return readDeltaBytes(bytes, count);
    default:
      return unknownEncoding(encoding);
  }
}

function readPlainBytes(bytes: Uint8Array, count: number): StoredValues {
  const view = viewOf(bytes);
  const starts = new Int32Array(count);
  const ends = new Int32Array(count);
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 4 > bytes.length) corrupt('a page of byte strings is cut');
    const start = at + 4;
    at = start + view.getUint32(at, true);
    if (at > bytes.length) corrupt('a page of byte strings is cut');
    starts[i] = start;
    ends[i] = at;
  }
  return { kind: 'bytes', count, bytes, starts, ends };
}

function fixedLength(bytes: Uint8Array, count: number, length: number): StoredValues {
  if (length <= 0 || bytes.length < count * length) corrupt('a page of byte strings is cut');
  const starts = new Int32Array(count);
  const ends = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    starts[i] = i * length;
    ends[i] = (i + 1) * length;
  }
  return { kind: 'bytes', count, bytes, starts, ends };
}

interface DeltaReader {
  readonly view: DataView;
  offset: number;
}

function readLengths(reader: DeltaReader, count: number): Int32Array {
  const lengths = new Int32Array(count);
  if (count > 0) deltaBinaryUnpack(reader, count, lengths);
  return lengths;
}

function slices(bytes: Uint8Array, lengths: Int32Array, from: number): StoredValues {
  const count = lengths.length;
  const starts = new Int32Array(count);
  const ends = new Int32Array(count);
  let at = from;
  for (let i = 0; i < count; i++) {
    starts[i] = at;
    at += lengths[i]!;
    if (lengths[i]! < 0 || at > bytes.length) corrupt('a page of byte strings is cut');
    ends[i] = at;
  }
  return { kind: 'bytes', count, bytes, starts, ends };
}

/** Each value shares a prefix with the one before. */
function readDeltaBytes(bytes: Uint8Array, count: number): StoredValues {
  const reader = { view: viewOf(bytes), offset: 0 };
  const prefixes = readLengths(reader, count);
  const suffixes = readLengths(reader, count);
  let total = 0;
  for (let i = 0; i < count; i++) {
    if (prefixes[i]! < 0 || suffixes[i]! < 0) corrupt('a length of a byte string is negative');
    total += prefixes[i]! + suffixes[i]!;
  }
  if (total > 0x7fff_ffff) corrupt('a page holds more than 2 GiB of byte strings');
  const out = new Uint8Array(total);
  const starts = new Int32Array(count);
  const ends = new Int32Array(count);
  let at = reader.offset;
  let end = 0;
  for (let i = 0; i < count; i++) {
    const start = end;
    const prefix = prefixes[i]!;
    if (prefix > 0) {
      if (i === 0 || prefix > ends[i - 1]! - starts[i - 1]!) corrupt('a prefix is longer than its value');
      out.copyWithin(start, starts[i - 1]!, starts[i - 1]! + prefix);
    }
    const suffix = suffixes[i]!;
    if (at + suffix > bytes.length) corrupt('a page of byte strings is cut');
    out.set(bytes.subarray(at, at + suffix), start + prefix);
    at += suffix;
    end = start + prefix + suffix;
    starts[i] = start;
    ends[i] = end;
  }
  return { kind: 'bytes', count, bytes: out, starts, ends };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function unknownEncoding(encoding: number): never {
  return corrupt(`a page has the encoding ${encoding}, which this program does not read`);
}
