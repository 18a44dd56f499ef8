/** A split's file, opened to be read at any place. */
import type { RandomAccessFile } from '../core/decoder.ts';
import { SluiceError } from '../core/errors.ts';
import type { FileSystem, RandomSource } from '../storage/file-system.ts';
import { fileVersion } from './file-version.ts';
import { readRange } from './read-range.ts';
import type { SourceFile } from './split-source.ts';

export interface OpenRandomFile extends RandomAccessFile {
  /** Calls may repeat. */
  close(): Promise<void>;
}

/**
 * @param onRead called with the number of bytes that came from storage
 * @throws SluiceError NOT_FOUND
 */
export async function openRandomFile(
  fileSystem: FileSystem,
  file: SourceFile,
  onRead: (bytes: number) => void = () => {},
): Promise<OpenRandomFile> {
  const { path, sizeBytes } = file;
  const source = await (fileSystem.openRandom?.(path, fileVersion(file)) ?? rangeByRange(fileSystem, path));
  return {
    path,
    sizeBytes,
    async read(offset, into) {
      let length = 0;
      while (length < into.length && offset + length < sizeBytes) {
        const read = await source.read(offset + length, length === 0 ? into : into.subarray(length));
        if (read === 0) break;
        length += read;
      }
      onRead(length);
      if (length === into.length && offset + length <= sizeBytes) return;
      throw new SluiceError(
        'INPUT_CORRUPT',
        `${path} has no ${into.length} bytes at byte ${offset}, where it says that there are`,
        {
          hint: 'the file is cut or damaged: replace it, or exclude it',
          details: { path, offset, length: into.length },
        },
      );
    },
    close: () => source.close(),
  };
}

/** For storage that can only read on from a place. */
async function rangeByRange(fileSystem: FileSystem, path: string): Promise<RandomSource> {
  return {
    async read(offset, into) {
      const bytes = await readRange(fileSystem, path, offset, into.length);
      into.set(bytes);
      return bytes.length;
    },
    async close() {},
  };
}
