/**
 * What recognises a file that grows: a hash of its beginning and of the bytes before an offset, and where its whole lines
 * end. Only whole lines are taken of a followed file: a last line without line end waits until it has one, because nothing
 * tells an unfinished line from a finished one.
 */
import { nodeCrypto } from '../core/node-crypto.ts';
import type { FileRanges } from './file-ranges.ts';

/** Bytes at the beginning, and before the offset, that the fingerprint covers. */
const WINDOW_BYTES = 4096;
const BLOCK_BYTES = 64 * 1024;
const LINE_FEED = 10;

/**
 * 64 bits of SHA-256 over the file's first bytes and those before `consumedBytes`. Never 0n, which means: not followed.
 * null where the file is shorter.
 */
export async function fingerprint(file: FileRanges, consumedBytes: number): Promise<bigint | null> {
  const length = Math.min(WINDOW_BYTES, consumedBytes);
  const head = await file.read(0, length);
  const tail = length === consumedBytes ? head : await file.read(consumedBytes - length, length);
  if (head.length < length || tail.length < length) return null;
  const value = nodeCrypto().createHash('sha256').update(head).update(tail).digest().readBigUInt64LE(0);
  return value === 0n ? 1n : value;
}

/**
 * Where the last whole line of file[from, size) ends; `from` where none does. Looks back at most `maxLineBytes`: a line
 * longer than that is taken as it stands, and the reader refuses it.
 */
export async function endOfLastLine(
  file: FileRanges,
  from: number,
  size: number,
  maxLineBytes: number,
): Promise<number> {
  const floor = Math.max(from, size - maxLineBytes);
  for (let end = size; end > floor; ) {
    const start = Math.max(floor, end - BLOCK_BYTES);
    const block = await file.read(start, end - start);
    const at = block.lastIndexOf(LINE_FEED);
    if (at !== -1) return start + at + 1;
    end = start;
  }
  return floor === from ? from : size;
}
