import { detectCompression, MAGIC_BYTES } from '../../formats/compression/detect.ts';
import type { Compression } from '../core/specs.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { readRange } from './read-range.ts';

/** Which compression a file has: as the job says, or by its first bytes. @throws SluiceError NOT_FOUND */
export async function compressionOf(
  fileSystem: FileSystem,
  path: string,
  wanted: 'auto' | Compression,
): Promise<Compression> {
  if (wanted !== 'auto') return wanted;
  return detectCompression(await readRange(fileSystem, path, 0, MAGIC_BYTES));
}
