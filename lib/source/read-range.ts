import type { ByteSource } from '../core/byte-source.ts';
import type { FileSystem } from '../storage/file-system.ts';

/** Reads until `into` is full or the source ends. @returns how many bytes */
export async function readFully(source: ByteSource, into: Uint8Array): Promise<number> {
  let length = 0;
  while (length < into.length) {
    const read = await source.read(length === 0 ? into : into.subarray(length));
    if (read === 0) break;
    length += read;
  }
  return length;
}

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
