/** The bytes of a split's file: opened at a position, decompressed, and never more than the file had when it was listed. */
import { decompressed } from '../../formats/compression/decompress.ts';
import { detectCompression, MAGIC_BYTES } from '../../formats/compression/detect.ts';
import { type ByteSource, bytesSource, readFully } from '../core/byte-source.ts';
import { SluiceError } from '../core/errors.ts';
import type { Compression } from '../core/specs.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { fileVersion } from './file-version.ts';
import { openFollowed } from './followed-source.ts';
import type { Split } from './split.ts';

const SKIP_BYTES = 256 * 1024;

/** A file, and the version of it that is wanted. */
export type SourceFile = Pick<Split, 'path' | 'sizeBytes' | 'prefix'> & {
  readonly identity?: bigint | string;
};

export interface SplitSource {
  readonly source: ByteSource;
  readonly compression: Compression;
}

/**
 * Opens a file at an offset of its decompressed bytes. An uncompressed file is sought; a compressed one has to be read
 * from its beginning, and what stands before the offset is dropped.
 * @param onRead called with the number of bytes that came from storage
 * @param held the file's bytes as they are stored, where they were read already
 * @throws SluiceError NOT_FOUND; INPUT_CORRUPT also where the file ends before the offset
 */
export async function openSplitSource(
  fileSystem: FileSystem,
  file: SourceFile,
  wanted: 'auto' | Compression,
  offset: number,
  onRead: (bytes: number) => void = () => {},
  held: Uint8Array | null = null,
): Promise<SplitSource> {
  const { path, sizeBytes } = file;
  if (wanted === 'auto') return openUnknown(fileSystem, file, offset, onRead, held);
  if (wanted === 'none') {
    const { prefix } = file;
    return {
      source:
        prefix === undefined
          ? limited(await openAt(fileSystem, file, offset, held), sizeBytes - offset, onRead)
          : await openFollowed(fileSystem, path, prefix, offset, onRead),
      compression: wanted,
    };
  }
  const stored = limited(await openAt(fileSystem, file, 0, held), sizeBytes, onRead);
  return { source: await expanded(stored, wanted, offset, path), compression: wanted };
}

async function openAt(
  fileSystem: FileSystem,
  file: SourceFile,
  offset: number,
  held: Uint8Array | null,
): Promise<ByteSource> {
  return held === null
    ? fileSystem.open(file.path, offset, fileVersion(file))
    : bytesSource(held.subarray(offset));
}

/** Opens a file once to look at its first bytes and read on from there: small files are most files. */
async function openUnknown(
  fileSystem: FileSystem,
  file: SourceFile,
  offset: number,
  onRead: (bytes: number) => void,
  held: Uint8Array | null,
): Promise<SplitSource> {
  const { path, sizeBytes } = file;
  const stored = limited(await openAt(fileSystem, file, 0, held), sizeBytes, onRead);
  const head = new Uint8Array(MAGIC_BYTES);
  const length = await readFully(stored, head).catch(async (error: unknown) => {
    await stored.close();
    throw error;
  });
  const compression = detectCompression(head.subarray(0, length));
  if (compression === 'none' && offset > 0) {
    await stored.close();
    return openSplitSource(fileSystem, file, compression, offset, onRead, held);
  }
  const whole = prefixed(head.subarray(0, length), stored);
  const source = compression === 'none' ? whole : await expanded(whole, compression, offset, path);
  return { source, compression };
}

async function expanded(
  stored: ByteSource,
  compression: Exclude<Compression, 'none'>,
  offset: number,
  path: string,
): Promise<ByteSource> {
  const source = decompressed(stored, compression, path);
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

/** Bytes that were read already, and the source they came from. */
function prefixed(head: Uint8Array, source: ByteSource): ByteSource {
  let rest = head;
  return {
    async read(into) {
      if (rest.length === 0) return source.read(into);
      const size = Math.min(rest.length, into.length);
      into.set(rest.subarray(0, size));
      rest = rest.subarray(size);
      return size;
    },
    close: () => source.close(),
  };
}
