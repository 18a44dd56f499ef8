/** Folders and folder entries that outlive a power cut. */
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { SluiceError } from '../../core/errors.ts';
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

/** Bounds `known`. Forgetting costs a sync for each folder that is met again. */
const MAX_KNOWN = 8192;

/** Folders whose names, and those of all above them, this thread has made durable as far as it may. */
const known = new Set<string>();

/**
 * Makes a folder and those above it, durably. One that is there already may not be so, whoever made it: what it stands in is
 * synced once a thread.
 */
export async function makeFolderDurably(folder: string): Promise<void> {
  try {
    if (known.has(folder) && (await isFolder(folder))) return;
    known.delete(folder);
    await makeKnown(folder);
  } catch (error) {
    throw storageError(`cannot make the folder ${folder}`, error);
  }
}

async function makeKnown(folder: string): Promise<void> {
  const above = path.dirname(folder);
  let isOurs = await makeOrFind(folder);
  if (isOurs === null) {
    // What it stands in is not there either, or no more.
    known.delete(above);
    await makeKnown(above);
    isOurs = await makeOrFind(folder);
    if (isOurs === null) throw Object.assign(new Error('no such file or directory'), { code: 'ENOENT' });
  }
  if (above !== folder && !known.has(above)) await makeKnown(above);
  await syncFolder(above).catch((error: unknown) => {
    // Another's folder may stand in one that is closed to us, and is his affair then.
    if (isOurs || SluiceError.from(error).code !== 'ACCESS_DENIED') throw error;
  });
  if (known.size >= MAX_KNOWN) known.clear();
  known.add(folder);
}

/** @returns true: made; false: there; null: what it stands in is not there */
async function makeOrFind(folder: string): Promise<boolean | null> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' && path.dirname(folder) !== folder) return null;
    // Not only EEXIST: on a mount that is read-only or automatic, another error may come first.
    if (await isFolder(folder)) return false;
    // A link that leads nowhere is there, too.
    if (code === 'EEXIST') throw Object.assign(new Error('no such file or directory'), { code: 'ENOENT' });
    throw error;
  }
}

async function isFolder(folder: string): Promise<boolean> {
  try {
    if ((await stat(folder)).isDirectory()) return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
  throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' });
}
