/** The bytes of a split's file: opened at a position, decompressed, and never more than the file had when it was listed. */
import { decompressed } from '../../formats/compression/decompress.ts';
import type { ByteSource } from '../core/byte-source.ts';
import { SluiceError } from '../core/errors.ts';
import type { Compression } from '../core/specs.ts';
import type { FileSystem } from '../storage/file-system.ts';
import type { Split } from './split.ts';

const SKIP_BYTES = 256 * 1024;

/**
 * Opens a file at an offset of its decompressed bytes. An uncompressed file is sought; a compressed one has to be read
 * from its beginning, and what stands before the offset is dropped.
 * @param onRead called with the number of bytes that came from storage
 * @throws SluiceError NOT_FOUND; INPUT_CORRUPT also where the file ends before the offset
 */
export async function openSplitSource(
  fileSystem: FileSystem,
  split: Pick<Split, 'path' | 'sizeBytes'>,
  compression: Compression,
  offset: number,
  onRead: (bytes: number) => void = () => {},
): Promise<ByteSource> {
  const { path, sizeBytes } = split;
  if (compression === 'none') {
    return limited(await fileSystem.open(path, offset), sizeBytes - offset, onRead);
  }
  const source = decompressed(limited(await fileSystem.open(path, 0), sizeBytes, onRead), compression, path);
  try {
    await skip(source, offset, path);
    return source;
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function skip(source: ByteSource, offset: number, path: string): Promise<void> {
  if (offset === 0) return;
  const scratch = new Uint8Array(Math.min(SKIP_BYTES, offset));
  for (let left = offset; left > 0; ) {
    const read = await source.read(left < scratch.length ? scratch.subarray(0, left) : scratch);
    if (read === 0) {
      throw new SluiceError(
        'INPUT_CORRUPT',
        `${path} ends before byte ${offset} (decompressed), up to which it was read before`,
        {
          details: { path, offset },
        },
      );
    }
    left -= read;
  }
}

/** Ends after `length` bytes: what was added to a file since it was listed belongs to another version of it. */
function limited(source: ByteSource, length: number, onRead: (bytes: number) => void): ByteSource {
  let left = Math.max(0, length);
  return {
    async read(into) {
      if (left === 0) return 0;
      const read = await source.read(into.length > left ? into.subarray(0, left) : into);
      left -= read;
      onRead(read);
      return read;
    },
    close: () => source.close(),
  };
}
