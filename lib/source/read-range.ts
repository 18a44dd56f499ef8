import { readFully } from '../core/byte-source.ts';
import type { FileSystem } from '../storage/file-system.ts';

/** A small range of a file, shorter where the file ends. @throws SluiceError NOT_FOUND */
export async function readRange(
  fileSystem: FileSystem,
  path: string,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  if (length === 0) return new Uint8Array(0);
  const bytes = new Uint8Array(length);
  const source = await fileSystem.open(path, offset);
  try {
    return bytes.subarray(0, await readFully(source, bytes));
  } finally {
    await source.close();
  }
}
