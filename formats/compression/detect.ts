/** Which compression a file has. Its first bytes decide: names lie, and a decompressor that is fed plain text only fails. */
import type { Compression } from '../../lib/core/specs.ts';

/** As many first bytes as `detectCompression` looks at. */
export const MAGIC_BYTES = 4;

/** @param head the file's first bytes, all of them where it has fewer than MAGIC_BYTES */
export function detectCompression(head: Uint8Array): Compression {
  // RFC 1952, 2.3.1
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  if (head.length < MAGIC_BYTES) return 'none';
  // RFC 8878, 3.1.1: a frame; 3.1.2: a skippable frame, which may come first
  const magic = new DataView(head.buffer, head.byteOffset).getUint32(0, true);
  return magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50 ? 'zstd' : 'none';
}
