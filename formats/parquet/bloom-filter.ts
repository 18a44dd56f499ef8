/**
 * Split block bloom filters: which values a column chunk may hold, so that a reader passes over row groups that hold none
 * it looks for. https://github.com/apache/parquet-format/blob/master/BloomFilter.md
 *
 * The hash is hyparquet's, over BigInts: some 2 us a distinct value, so a filter is for the columns that are asked for.
 */
import { xxhash64 } from 'hyparquet/src/xxhash.js';
import { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import type { ChunkValues } from './chunk-values.ts';
import { pushPlain } from './plain.ts';
import type { Leaf } from './schema.ts';
import { CompactWriter } from './thrift.ts';

/** One look in a hundred finds what is not there: 9.7 bits a value. */
const BITS_PER_VALUE = 9.7;
const BLOCK_BYTES = 32;
/** Larger ones save no reader anything: parquet-mr and DuckDB have the same limit. */
const MAX_BYTES = 1 << 20;
const SALT = Int32Array.of(
  0x47b6137b,
  0x44974d91,
  0x8824ad5b,
  0xa2b7289d,
  0x705495c7,
  0x2df1424b,
  0x9efc4947,
  0x5c6bfb31,
);

/** The filter of the values, header included. null for booleans, which have none. */
export function bloomFilterOf(leaf: Leaf, values: ChunkValues): Uint8Array | null {
  if (values.kind === 'bits') return null;
  const words = new Int32Array(filterBytes(values.count) / 4);
  const value = new ByteBuffer(64);
  // Byte strings are hashed without the length that stands before them in a page.
  const prefixBytes = values.kind === 'bytes' ? 4 : 0;
  for (let i = 0; i < values.count; i++) {
    value.clear();
    pushPlain(value, leaf, values, i, i + 1);
    insert(words, xxhash64(value.view().subarray(prefixBytes)));
  }
  const out = new ByteBuffer(words.byteLength + 32);
  const header = new CompactWriter(out);
  header.i32(1, words.byteLength);
  // Algorithm, hash and compression are unions with one member each: BLOCK, XXHASH, UNCOMPRESSED.
  for (const union of [2, 3, 4]) {
    header.beginStruct(union);
    header.beginStruct(1);
    header.endStruct();
    header.endStruct();
  }
  header.endStruct();
  out.push(new Uint8Array(words.buffer));
  return out.view();
}

/** A power of two, so that filters of several row groups may be folded. */
function filterBytes(values: number): number {
  let bytes = BLOCK_BYTES;
  while (bytes < MAX_BYTES && bytes * 8 < values * BITS_PER_VALUE) bytes *= 2;
  return bytes;
}

/** The high half of a hash chooses the block, the low half a bit in each of its words. */
function insert(words: Int32Array, hash: bigint): void {
  const blocks = words.length / 8;
  const block = Number(((hash >> 32n) * BigInt(blocks)) >> 32n) * 8;
  const low = Number(BigInt.asIntN(32, hash));
  for (let word = 0; word < 8; word++) words[block + word]! |= 1 << (Math.imul(low, SALT[word]!) >>> 27);
}
