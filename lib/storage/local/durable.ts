/** Folders and folder entries that outlive a power cut. */
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { errorCode, storageError } from './errors.ts';
import { closeFile, fsyncFile, openFile } from './file-calls.ts';

interface FolderSync {
  readonly done: Promise<void>;
  /** For those that came while it was under way: what they did in the folder may be too late for it. */
  next: Promise<void> | null;
}

/** By folder; as many as there are callers at the most. */
const underWay = new Map<string, FolderSync>();

/**
 * Writes a folder's entries to the disk: files created, linked or removed in it before the call are so durably afterwards.
 * Whoever comes while one is under way shares the next one with all that do.
 */
export function syncFolder(folder: string): Promise<void> {
  const running = underWay.get(folder);
  if (running === undefined) return startSync(folder);
  running.next ??= running.done.then(
    () => startSync(folder),
    () => startSync(folder),
  );
  return running.next;
}

function startSync(folder: string): Promise<void> {
  const sync: FolderSync = { done: fsyncFolder(folder), next: null };
  underWay.set(folder, sync);
  const forget = () => {
    if (sync.next === null) underWay.delete(folder);
  };
  sync.done.then(forget, forget);
  return sync.done;
}

async function fsyncFolder(folder: string): Promise<void> {
  try {
    const fd = await openFile(folder, 'r');
    try {
      await fsyncFile(fd);
    } finally {
      await closeFile(fd);
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
