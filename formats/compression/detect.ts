/** Which compression a file has. Its first bytes decide: names lie, and a decompressor that is fed plain text only fails. */
import type { Compression } from '../../lib/core/specs.ts';

/** As many first bytes as `detectCompression` looks at. */
export const MAGIC_BYTES = 10;

const ZSTD = 0xfd2fb528;
const LZ4 = 0x184d2204;
/** A header `BZh1` to `BZh9`, then a block or, of an empty file, the end. A line of text may begin like the first four. */
const BZIP2_HEADER = /^BZh[1-9]/;
const BZIP2_BEGINS = ['1AY&SY', '\x17rE8P\x90'];
const SNAPPY = '\xff\x06\x00\x00sNaPpY';

/** @param head the file's first bytes, all of them where it has fewer than MAGIC_BYTES */
export function detectCompression(head: Uint8Array): Compression {
  // RFC 1952, 2.3.1
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  if (head.length < 4) return 'none';
  // RFC 8878, 3.1.1: a frame; 3.1.2: a skippable frame, which may come first. LZ4 has skippable frames too, hardly ever first.
  const magic = new DataView(head.buffer, head.byteOffset).getUint32(0, true);
  if (magic === ZSTD || (magic & 0xfffffff0) >>> 0 === 0x184d2a50) return 'zstd';
  if (magic === LZ4) return 'lz4';
  const text = String.fromCharCode(...head.subarray(0, MAGIC_BYTES));
  if (text === SNAPPY) return 'snappy';
  return BZIP2_HEADER.test(text) && BZIP2_BEGINS.includes(text.slice(4)) ? 'bzip2' : 'none';
}
