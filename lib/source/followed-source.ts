/**
 * The bytes of a followed file, from an offset to the end of what was taken of it. After each read, and before anybody
 * sees its bytes, the prefix is compared: a file that was truncated and written anew while it was read gives no byte of
 * its new content, and half a line at a cut is no line. Costs two small reads a chunk, some 0.1 ms a MiB.
 */
import type { ByteSource } from '../core/byte-source.ts';
import { SluiceError } from '../core/errors.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { openRanges } from './file-ranges.ts';
import { fingerprint } from './fingerprint.ts';
import type { SplitPrefix } from './split.ts';

/** @throws SluiceError NOT_FOUND; what it returns throws FILE_MODIFIED where the file is not the one that was taken */
export async function openFollowed(
  fileSystem: FileSystem,
  path: string,
  prefix: SplitPrefix,
  offset: number,
  onRead: (bytes: number) => void,
): Promise<ByteSource> {
  const ranges = await openRanges(fileSystem, path, { sizeBytes: prefix.bytes });
  let at = offset;
  return {
    async read(into) {
      const length = Math.min(into.length, prefix.bytes - at);
      if (length <= 0) return 0;
      const bytes = await ranges.readInto(at, into.subarray(0, length));
      const same = bytes === length && String(await fingerprint(ranges, prefix.bytes)) === prefix.fingerprint;
      if (!same) {
        throw new SluiceError('FILE_MODIFIED', `${path} is not the file that was taken, or was truncated`, {
          hint: 'the next listing looks for the rest of it under other names',
          details: { path },
        });
      }
      at += bytes;
      onRead(bytes);
      return bytes;
    },
    close: () => ranges.close(),
  };
}
