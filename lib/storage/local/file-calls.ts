/**
 * Calls on file descriptors, as promises. A FileHandle costs an object and a second promise for each call: syncing 4,000
 * folders took 0.12 to 0.17 s of user time with one each, and 0.06 to 0.08 s without.
 */
import { close, fstat, fsync, ftruncate, open, write } from 'node:fs';
import { promisify } from 'node:util';

const writeAt = promisify(write);
const stat = promisify(fstat);

export const openFile: (path: string, flags: string) => Promise<number> = promisify(open);
export const fsyncFile: (fd: number) => Promise<void> = promisify(fsync);
export const truncateFile: (fd: number, length: number) => Promise<void> = promisify(ftruncate);
export const closeFile: (fd: number) => Promise<void> = promisify(close);

/** Writes length bytes from offset on, at that position of the file. @returns how many of them it took */
export async function writeFile(
  fd: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
): Promise<number> {
  return (await writeAt(fd, bytes, offset, length, position)).bytesWritten;
}

export async function sizeOf(fd: number): Promise<number> {
  return (await stat(fd)).size;
}
