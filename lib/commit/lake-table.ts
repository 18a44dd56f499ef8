/**
 * Extension point: what tells readers which parts a lake has, beside the folders themselves. A table is brought up to
 * date after a checkpoint's parts are visible, and again by the next start if that is not known to have happened.
 */
import type { Schema } from '../core/data-type.ts';
import { nameOf } from '../core/location.ts';
import { isPartName } from '../sink/part-name.ts';
import type { Committable } from '../sink/sink-state.ts';
import type { FileSystem, ListOptions } from '../storage/file-system.ts';
import type { Swap } from './swap.ts';

/** A visible part. */
export interface TablePart {
  /** Its folder, relative to the lake's. */
  readonly bucketId: string;
  readonly path: string;
  readonly sizeBytes: number;
}

/** What a checkpoint has promised, all of it visible by now. */
export interface TableChange {
  /** The checkpoint that promised it first: grows from one change to the next, and stays in what repeats it. */
  readonly promise: number;
  /** Of the job's rows as of that checkpoint. */
  readonly schema: Schema;
  readonly parts: readonly TablePart[];
  /** Merged parts, visible beside those that they were made from. */
  readonly swaps: readonly Swap[];
}

export interface LakeTable {
  /**
   * Asked once, under the job's lock and before anything is published. @param newest the newest promise in
   *   the job's state
   * @returns whether the table knows of the job at all: where it does not, somebody has removed it, or there is none yet,
   *   and what is visible has to be taken in by `reconcile`
   * @throws SluiceError STATE_CORRUPT where it was told of a checkpoint that is newer
   */
  recognize(newest: number): Promise<boolean>;
  /**
   * Proves that the job can write the table, and makes it where there is none.
   * @throws SluiceError TABLE_UNSUITABLE
   */
  prepare(schema: Schema): Promise<void>;
  /**
   * Calls may repeat with the same change, also by another process, and change nothing then.
   * @returns swaps that the table does not take, since others have changed it: their sources have to stay
   * @throws SluiceError TABLE_UNSUITABLE, TABLE_BUSY; storage errors
   */
  commit(change: TableChange): Promise<readonly Swap[]>;
  /**
   * Makes the table hold these parts of the job and no others: where parts were written without it.
   * @param parts every visible part of the job
   */
  reconcile(change: Omit<TableChange, 'swaps'>): Promise<void>;
  /** Whether a visible part counts for readers of the table, as far as is known. */
  has(path: string): boolean;
}

/** What a checkpoint holds of its table. Its parts and swaps stand elsewhere in it. */
export interface TableState {
  readonly type: 'delta' | 'manifest';
  /** See TableChange. */
  readonly promise: number;
}

/** Parts of the lake, without those that are published elsewhere (refused records). */
export function tableParts(sinkPath: string, published: readonly Committable[]): TablePart[] {
  return published
    .filter(({ file }) => isInLake(file.finalPath, sinkPath))
    .map(({ bucketId, file }) => ({ bucketId, path: file.finalPath, sizeBytes: file.lengthBytes }));
}

/** How visible parts are listed: those that `isPart` knows by their names. */
export function visiblePartsListing(isPart: (name: string) => boolean): ListOptions {
  return {
    enterFolder: (folder) => !/^[._]/.test(nameOf(folder)),
    wantFile: (file) => isPart(nameOf(file)),
  };
}

/** Whether there is any visible part of a job. */
export async function hasVisiblePart(
  fileSystem: FileSystem,
  sinkPath: string,
  jobId: string,
): Promise<boolean> {
  if ((await fileSystem.stat(sinkPath)) === null) return false;
  const options = visiblePartsListing((name) => isPartName(name, jobId));
  for await (const files of fileSystem.list(sinkPath, options)) if (files.length > 0) return true;
  return false;
}

/** Every visible part below a folder that `isPart` knows by its name. */
export async function visibleParts(
  fileSystem: FileSystem,
  sinkPath: string,
  isPart: (name: string) => boolean,
): Promise<TablePart[]> {
  const parts: TablePart[] = [];
  if ((await fileSystem.stat(sinkPath)) === null) return parts;
  for await (const files of fileSystem.list(sinkPath, visiblePartsListing(isPart))) {
    for (const { path, sizeBytes } of files)
      parts.push({ bucketId: bucketOf(path, sinkPath), path, sizeBytes });
  }
  return parts;
}

/** Refused records are published as well, elsewhere, or in a folder that readers skip. */
export function isInLake(path: string, sinkPath: string): boolean {
  return path.startsWith(`${sinkPath}/`) && !/\/[._]/.test(path.slice(sinkPath.length));
}

export function bucketOf(path: string, sinkPath: string): string {
  return path.slice(sinkPath.length + 1, Math.max(sinkPath.length + 1, path.lastIndexOf('/')));
}

/** Below the lake: the lists of its buckets. */
export const MANIFEST_FOLDER = '_manifest';

/** Of a job's list of a bucket: several jobs may write to one lake. */
export function manifestName(jobId: string): string {
  return `manifest-${jobId}`;
}
