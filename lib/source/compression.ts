/** Which compression a file has: as the job says, or by its first bytes. */
import type { ByteSource } from '../core/byte-source.ts';
import { SluiceError } from '../core/errors.ts';
import type { Compression } from '../core/specs.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { readRange } from './read-range.ts';

/** @throws SluiceError NOT_FOUND */
export async function compressionOf(
  fileSystem: FileSystem,
  path: string,
  wanted: 'auto' | Compression,
): Promise<Compression> {
  if (wanted !== 'auto') return wanted;
  const head = await readRange(fileSystem, path, 0, 4);
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  const zstd = [0x28, 0xb5, 0x2f, 0xfd];
  return head.length === 4 && zstd.every((byte, i) => head[i] === byte) ? 'zstd' : 'none';
}

export function decompressed(
  _source: ByteSource,
  compression: Exclude<Compression, 'none'>,
  path: string,
): ByteSource {
  throw new SluiceError('INTERNAL', `${path}: ${compression} input is not built in yet`);
}
