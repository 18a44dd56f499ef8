/**
 * Files on a local disk that become visible at once: written under a hidden name, made visible by a hard link, which
 * (other than a rename) never replaces a file. Flink: LocalRecoverableWriter, whose commit renames.
 */
import { link, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { SluiceError } from '../../core/errors.ts';
import { failpoint } from '../../core/failpoint.ts';
import { forEachConcurrently } from '../for-each-concurrently.ts';
import type { OpenFile, PendingFile, RecoverableWriter, ResumePoint } from '../recoverable-writer.ts';
import { WholeFiles } from '../whole-files.ts';
import { makeFolderDurably, syncFolder } from './durable.ts';
import { errorCode, storageError } from './errors.ts';
import { closeFile, fsyncFile, openFile, sizeOf, truncateFile } from './file-calls.ts';
import { LocalOpenFile } from './local-open-file.ts';

/** Links and unlinks under way at once; the thread pool of node has 4 threads, more only queue. */
const COMMIT_CONCURRENCY = 8;

export class LocalRecoverableWriter implements RecoverableWriter {
  readonly supportsResume = true;
  readonly #runId: string;
  readonly #whole = new WholeFiles();

  /** @param runId what the hidden names of this run end with, so that leftovers of dead runs can be told from ours */
  constructor(runId: string) {
    this.#runId = runId;
  }

  async open(finalPath: string, hiddenFolder: string | null): Promise<OpenFile> {
    const folder = path.dirname(finalPath);
    const hidden = path.join(hiddenFolder ?? folder, hiddenName(path.basename(finalPath), this.#runId));
    await makeFolderDurably(path.dirname(hidden));
    try {
      return new LocalOpenFile(finalPath, hidden, await openFile(hidden, 'wx'), 0, true);
    } catch (error) {
      throw storageError(`cannot create ${hidden}`, error);
    }
  }

  writeWhole(finalPath: string, hiddenFolder: string | null, bytes: Uint8Array): Promise<PendingFile> {
    return this.#whole.write(() => this.open(finalPath, hiddenFolder), bytes);
  }

  async recover(point: ResumePoint): Promise<OpenFile> {
    let fd: number;
    try {
      fd = await openFile(point.hiddenPath, 'r+');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') throw missing(point, 'it is gone');
      throw storageError(`cannot open ${point.hiddenPath}`, error);
    }
    try {
      const size = await sizeOf(fd);
      if (size < point.lengthBytes) {
        throw missing(point, `it has ${size} bytes where ${point.lengthBytes} were made durable`);
      }
      await truncateFile(fd, point.lengthBytes);
      await fsyncFile(fd);
    } catch (error) {
      await closeFile(fd);
      throw storageError(`cannot resume ${point.hiddenPath}`, error);
    }
    return new LocalOpenFile(point.finalPath, point.hiddenPath, fd, point.lengthBytes, false);
  }

  async commit(files: readonly PendingFile[]): Promise<void> {
    // Final folders have to exist durably before a name in them can be: with a staging folder nothing made them yet.
    const staged = files.filter((file) => path.dirname(file.hiddenPath) !== path.dirname(file.finalPath));
    for (const folder of new Set(staged.map((file) => path.dirname(file.finalPath))))
      await makeFolderDurably(folder);
    await forEachConcurrently(files, COMMIT_CONCURRENCY, publish);
    const folders = new Set(
      files.flatMap(({ finalPath, hiddenPath }) => [path.dirname(finalPath), path.dirname(hiddenPath)]),
    );
    await forEachConcurrently(folders, COMMIT_CONCURRENCY, syncFolder);
    failpoint('commit.folders.synced');
  }

  async cleanup(point: ResumePoint): Promise<boolean> {
    try {
      await unlink(point.hiddenPath);
      return true;
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return false;
      throw storageError(`cannot remove ${point.hiddenPath}`, error);
    }
  }
}

/** `.part-1f2e3d4c-0-7.parquet.inprogress.9a8b7c6d`: readers skip names that begin with a dot. */
function hiddenName(finalName: string, runId: string): string {
  return `.${finalName}.inprogress.${runId}`;
}

async function publish(file: PendingFile): Promise<void> {
  failpoint('commit.link.before');
  try {
    await proveWhole(file);
    await link(file.hiddenPath, file.finalPath);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT') return provePublished(file);
    if (code === 'EEXIST') await proveSameFile(file);
    else if (error instanceof SluiceError) throw error;
    else throw storageError(`cannot publish ${file.finalPath}`, error);
  }
  failpoint('commit.link.after');
  try {
    await unlink(file.hiddenPath);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw storageError(`cannot remove ${file.hiddenPath}`, error);
  }
  failpoint('commit.unlink.after');
}

/** @throws what stat throws where the hidden file is gone; SluiceError PART_MISSING where it is not what was promised */
async function proveWhole(file: PendingFile): Promise<void> {
  const { size } = await stat(file.hiddenPath);
  if (size === file.lengthBytes) return;
  throw new SluiceError(
    'PART_MISSING',
    `${file.hiddenPath} was promised by a checkpoint with ${file.lengthBytes} bytes, and has ${size}`,
    {
      hint: 'restore it from a backup; without it, rows that were taken from the source are lost',
      details: { ...file },
    },
  );
}

/** The hidden file is gone: it must have been published before, by us. */
async function provePublished(file: PendingFile): Promise<void> {
  const status = await stat(file.finalPath).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return null;
    throw storageError(`cannot look at ${file.finalPath}`, error);
  });
  if (status === null) {
    throw new SluiceError(
      'PART_MISSING',
      `the part ${file.finalPath} was promised by a checkpoint, and neither it nor ${file.hiddenPath} exists`,
      {
        hint: 'restore one of the two from a backup; without it, rows that were taken from the source are lost',
        details: { ...file },
      },
    );
  }
  // The name holds the job's random id and a counter that is never used twice, so only the length is left to check.
  if (status.size !== file.lengthBytes)
    throw foreign(file, `has ${status.size} bytes instead of ${file.lengthBytes}`);
}

/** Both names exist: one file under two names is a commit that was cut off between link and unlink. */
async function proveSameFile(file: PendingFile): Promise<void> {
  const [hidden, final] = await Promise.all([
    stat(file.hiddenPath, { bigint: true }),
    stat(file.finalPath, { bigint: true }),
  ]).catch((error: unknown) => {
    throw storageError(`cannot look at ${file.finalPath}`, error);
  });
  if (hidden.ino !== final.ino || hidden.dev !== final.dev) throw foreign(file, 'is another file');
}

function foreign(file: PendingFile, why: string): SluiceError {
  return new SluiceError(
    'TARGET_EXISTS',
    `${file.finalPath} stands where a part has to be published, and it ${why}`,
    {
      hint: 'sluice never replaces a file: move it away, then start again',
      details: { ...file },
    },
  );
}

function missing(point: ResumePoint, why: string): SluiceError {
  return new SluiceError('PART_MISSING', `the open part ${point.hiddenPath} cannot be resumed: ${why}`, {
    hint: "restore it from a backup; without it, rows that were taken from the source are lost. Where its partition was dropped on purpose, start once with --accept-missing '<folder below the lake>'",
    details: { ...point },
  });
}
