/** A file that is looked into at several places: all of them are of the same file, whatever happens to its name meanwhile. */
import type { FileSystem, FileVersion } from '../storage/file-system.ts';
import { readRange } from './read-range.ts';

export interface FileRanges {
  /** Shorter where the file ends. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** @returns how many bytes: fewer where the file ends */
  readInto(offset: number, into: Uint8Array): Promise<number>;
  /** Calls may repeat. */
  close(): Promise<void>;
}

/** @throws SluiceError NOT_FOUND; FILE_MODIFIED where it is another file than that of `version` */
export async function openRanges(
  fileSystem: FileSystem,
  path: string,
  version: FileVersion,
): Promise<FileRanges> {
  const source = (await fileSystem.openRandom?.(path, version)) ?? null;
  const readInto = async (offset: number, into: Uint8Array): Promise<number> => {
    if (source === null) {
      const bytes = await readRange(fileSystem, path, offset, into.length);
      into.set(bytes);
      return bytes.length;
    }
    let filled = 0;
    while (filled < into.length) {
      const read = await source.read(offset + filled, into.subarray(filled));
      if (read === 0) break;
      filled += read;
    }
    return filled;
  };
  return {
    readInto,
    async read(offset, length) {
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, await readInto(offset, bytes));
    },
    close: async () => source?.close(),
  };
}

/** Up to this size, a file is read whole. */
const SMALL_BYTES = 64 * 1024;

/**
 * The first bytes of a file, of which several places are looked at: a small one is read once, so that all that they tell
 * is of one moment, and costs one read.
 */
export async function openOnce(
  fileSystem: FileSystem,
  path: string,
  version: FileVersion,
): Promise<FileRanges> {
  const ranges = await openRanges(fileSystem, path, version);
  if (version.sizeBytes > SMALL_BYTES) return ranges;
  const whole = await ranges.read(0, version.sizeBytes).finally(() => ranges.close());
  return {
    read: async (offset, length) => whole.subarray(offset, offset + length),
    readInto: async (offset, into) => {
      const bytes = whole.subarray(offset, offset + into.length);
      into.set(bytes);
      return bytes.length;
    },
    close: async () => {},
  };
}
