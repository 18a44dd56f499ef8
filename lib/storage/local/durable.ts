/** Folders and folder entries that outlive a power cut. */
import { close, fsync, open } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { errorCode, storageError } from './errors.ts';

const openFolder = promisify(open);
const sync = promisify(fsync);
const closeFolder = promisify(close);

/**
 * Writes a folder's entries to the disk: files created, linked or removed in it are so durably afterwards. No FileHandle is
 * made: with one each, 4,000 folders took 0.12 to 0.17 s of user time, and 0.06 to 0.08 s without.
 */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const fd = await openFolder(folder, 'r');
    try {
      await sync(fd);
    } finally {
      await closeFolder(fd);
    }
  } catch (error) {
    // Some file systems have no fsync on folders; then their entries are as durable as the system makes them.
    if (errorCode(error) === 'EINVAL' || errorCode(error) === 'ENOTSUP') return;
    throw storageError(`cannot sync the folder ${folder}`, error);
  }
}

/** Makes a folder and those above it, each of them durably. */
export async function makeFolderDurably(folder: string): Promise<void> {
  const missing: string[] = [];
  let at = folder;
  for (;;) {
    try {
      if (!(await stat(at)).isDirectory())
        throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' });
      break;
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw storageError(`cannot make the folder ${folder}`, error);
      missing.push(at);
      at = path.dirname(at);
    }
  }
  for (const part of missing.reverse()) {
    try {
      await mkdir(part);
    } catch (error) {
      // Another subtask made it in the meantime, and may not have synced the one above yet.
      if (errorCode(error) !== 'EEXIST') throw storageError(`cannot make the folder ${part}`, error);
    }
    await syncFolder(path.dirname(part));
  }
}
