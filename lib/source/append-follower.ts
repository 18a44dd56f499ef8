/**
 * `modified: append`: how a file that grows is followed, for formats of one record a line in uncompressed files.
 *
 * Only whole lines are taken: a last line without line end waits until it has one, because nothing tells an unfinished
 * line from a finished one. What was taken is recognised by a fingerprint of the file's beginning and of the bytes
 * before the offset; if those are no longer the same, the file was replaced, and nothing of it is read.
 */
import { createHash } from 'node:crypto';
import type { FileSystem } from '../storage/file-system.ts';
import { readRange } from './read-range.ts';

/** Bytes at the beginning, and before the offset, that the fingerprint covers. */
const WINDOW_BYTES = 4096;
const BLOCK_BYTES = 64 * 1024;
const LINE_FEED = 10;

/**
 * 64 bits of SHA-256 over the file's first bytes and those before `consumedBytes`. Never 0n, which means: not followed.
 * null where the file is shorter.
 */
export async function fingerprint(
  fileSystem: FileSystem,
  path: string,
  consumedBytes: number,
): Promise<bigint | null> {
  const length = Math.min(WINDOW_BYTES, consumedBytes);
  const head = await readRange(fileSystem, path, 0, length);
  const tail = await readRange(fileSystem, path, consumedBytes - length, length);
  if (head.length < length || tail.length < length) return null;
  const value = createHash('sha256').update(head).update(tail).digest().readBigUInt64LE(0);
  return value === 0n ? 1n : value;
}

/**
 * Where the last whole line of file[from, size) ends; `from` where none does. Looks back at most `maxLineBytes`: a line
 * longer than that is taken as it stands, and the reader refuses it.
 */
export async function endOfLastLine(
  fileSystem: FileSystem,
  path: string,
  from: number,
  size: number,
  maxLineBytes: number,
): Promise<number> {
  const floor = Math.max(from, size - maxLineBytes);
  for (let end = size; end > floor; ) {
    const start = Math.max(floor, end - BLOCK_BYTES);
    const block = await readRange(fileSystem, path, start, end - start);
    const at = block.lastIndexOf(LINE_FEED);
    if (at !== -1) return start + at + 1;
    end = start;
  }
  return floor === from ? from : size;
}
