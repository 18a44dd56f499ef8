/** The first bytes of a file, decompressed. */
import { readFully } from '../core/byte-source.ts';
import type { Compression } from '../core/specs.ts';
import { openSplitSource } from '../source/split-source.ts';
import type { FileStatus, FileSystem } from '../storage/file-system.ts';

export interface FileHead {
  readonly head: Uint8Array;
  readonly compression: Compression;
}

/** @throws SluiceError NOT_FOUND; INPUT_CORRUPT where it does not decompress */
export async function readHead(fileSystem: FileSystem, file: FileStatus, bytes: number): Promise<FileHead> {
  const { source, compression } = await openSplitSource(fileSystem, file, 'auto', 0);
  try {
    const head = new Uint8Array(bytes);
    return { head: head.subarray(0, await readFully(source, head)), compression };
  } finally {
    await source.close();
  }
}
