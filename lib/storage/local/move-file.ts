/**
 * Moves a file without ever replacing one: linked to its new name, then unlinked from the old; across file systems
 * copied. Every step may be done again after a crash.
 */
import { copyFile, link, open, stat, unlink, utimes } from 'node:fs/promises';
import path from 'node:path';
import { failpoint } from '../../core/failpoint.ts';
import { makeFolderDurably, syncFolder } from './durable.ts';
import { errorCode, storageError } from './errors.ts';

const COMPARED_BYTES = 256 * 1024;

/** See FileSystem.move. @param runId what a temporary copy's name ends with */
export async function moveFile(
  from: string,
  to: string,
  runId: string,
): Promise<'moved' | 'occupied' | 'missing'> {
  try {
    await makeFolderDurably(path.dirname(to));
    if (!(await linkOrCopy(from, to, runId))) return 'occupied';
    // The new name first: between the two the file has both, never none.
    await syncFolder(path.dirname(to));
    failpoint('move.link.after');
    await unlink(from);
    await syncFolder(path.dirname(from));
    return 'moved';
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 'missing';
    throw storageError(`cannot move ${from} to ${to}`, error);
  }
}

/** @returns false where another file has the name `to` */
async function linkOrCopy(from: string, to: string, runId: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EXDEV') return copyExclusive(from, to, runId);
    if (errorCode(error) !== 'EEXIST') throw error;
    return isSameFile(from, to);
  }
}

/** One file under two names, or a whole copy on another file system: a move that was cut off half-way. */
async function isSameFile(from: string, to: string): Promise<boolean> {
  const [source, target] = await Promise.all([stat(from, { bigint: true }), stat(to, { bigint: true })]);
  if (source.dev === target.dev) return source.ino === target.ino;
  return source.size === target.size && (await haveSameBytes(from, to));
}

async function copyExclusive(from: string, to: string, runId: string): Promise<boolean> {
  const temporary = path.join(path.dirname(to), `.${path.basename(to)}.tmp.${runId}`);
  const { atime, mtime } = await stat(from);
  try {
    await copyFile(from, temporary);
    await utimes(temporary, atime, mtime);
    const handle = await open(temporary, 'r+');
    await handle.sync().finally(() => handle.close());
    await link(temporary, to);
    return true;
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    return isSameFile(from, to);
  } finally {
    await unlink(temporary).catch(() => {});
  }
}

async function haveSameBytes(a: string, b: string): Promise<boolean> {
  const left = await open(a);
  const right = await open(b).catch(async (error: unknown) => {
    await left.close();
    throw error;
  });
  try {
    const one = Buffer.alloc(COMPARED_BYTES);
    const other = Buffer.alloc(COMPARED_BYTES);
    for (let at = 0; ; ) {
      const { bytesRead } = await left.read(one, 0, COMPARED_BYTES, at);
      const { bytesRead: otherRead } = await right.read(other, 0, COMPARED_BYTES, at);
      if (bytesRead !== otherRead || one.compare(other, 0, bytesRead, 0, bytesRead) !== 0) return false;
      if (bytesRead === 0) return true;
      at += bytesRead;
    }
  } finally {
    await Promise.all([left.close(), right.close()]);
  }
}
