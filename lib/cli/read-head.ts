/** The first bytes of a file, decompressed. */
import type { Compression } from '../core/specs.ts';
import { compressionOf, decompressed } from '../source/compression.ts';
import type { FileSystem } from '../storage/file-system.ts';

export async function readHead(
  fileSystem: FileSystem,
  path: string,
  bytes: number,
): Promise<{ readonly head: Uint8Array; readonly compression: Compression }> {
  const compression = await compressionOf(fileSystem, path, 'auto');
  const file = await fileSystem.open(path, 0);
  const source = compression === 'none' ? file : decompressed(file, compression, path);
  try {
    const head = new Uint8Array(bytes);
    let length = 0;
    while (length < bytes) {
      const read = await source.read(head.subarray(length));
      if (read === 0) break;
      length += read;
    }
    return { head: head.subarray(0, length), compression };
  } finally {
    await source.close();
    await file.close();
  }
}
