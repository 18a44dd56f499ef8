/** The local disk. */
import { type Dirent, fstatSync, statSync } from 'node:fs';
import {
  type FileHandle,
  link,
  open,
  readdir,
  readFile,
  rename,
  rmdir,
  stat,
  unlink,
} from 'node:fs/promises';
import path from 'node:path';
import type { ByteSource } from '../../core/byte-source.ts';
import { yieldToEventLoop } from '../../core/clock.ts';
import { SluiceError } from '../../core/errors.ts';
import { failpoint } from '../../core/failpoint.ts';
import type {
  FileStatus,
  FileSystem,
  FileVersion,
  ListOptions,
  PathStatus,
  RandomSource,
} from '../file-system.ts';
import type { RecoverableWriter } from '../recoverable-writer.ts';
import { makeFolderDurably, syncFolder } from './durable.ts';
import { errorCode, storageError } from './errors.ts';
import { withBirthKey, withFileKey } from './file-keys.ts';
import { LocalRecoverableWriter } from './local-recoverable-writer.ts';
import { moveFile } from './move-file.ts';
import { readLocalVersion } from './read-version.ts';

/** Names looked at between two turns of the event loop: at most some 5 us each, so a slice stays near a millisecond. */
const SLICE = 256;

/** @param runId see LocalRecoverableWriter */
export function localFileSystem(
  runId: string,
  writer: RecoverableWriter = new LocalRecoverableWriter(runId),
): FileSystem {
  return new LocalFileSystem(runId, writer);
}

class LocalFileSystem implements FileSystem {
  readonly recoverableWriter: RecoverableWriter;
  readonly #runId: string;

  constructor(runId: string, writer: RecoverableWriter) {
    this.#runId = runId;
    this.recoverableWriter = writer;
  }

  async *list(folder: string, options: ListOptions): AsyncGenerator<readonly FileStatus[]> {
    // Names are relative paths in normal form: path.join over each costs as much as its stat.
    const prefix = folder.endsWith('/') ? folder : `${folder}/`;
    const waiting: string[] = [''];
    // The next folder is read by the thread pool while files of this one are stat'ed here.
    let ahead: { readonly relative: string; readonly entries: Promise<Dirent[] | null> } | null = null;
    const readNext = () => {
      const relative = waiting.pop();
      ahead = relative === undefined ? null : { relative, entries: readFolder(folder, relative) };
      // An error is thrown where the folder's turn comes; until then it must not count as unhandled.
      ahead?.entries.catch(() => {});
    };
    for (;;) {
      if (ahead === null) readNext();
      if (ahead === null) return;
      const { relative, entries }: { relative: string; entries: Promise<Dirent[] | null> } = ahead;
      const found = (await entries) ?? [];
      const nameOf = ({ name }: Dirent) => (relative === '' ? name : `${relative}/${name}`);
      // A linked folder is not entered: it may lead back up. A linked file is a file.
      for (const entry of found)
        if (entry.isDirectory() && options.enterFolder(nameOf(entry))) waiting.push(nameOf(entry));
      readNext();
      for (let at = 0; at < found.length; at += SLICE) {
        const names: string[] = [];
        for (const entry of found.slice(at, at + SLICE)) {
          const isLink = entry.isSymbolicLink();
          if (!isLink && !entry.isFile()) continue;
          const name = nameOf(entry);
          // What a link leads to may be gone, whatever its name says.
          if (options.wantFile(name) && (isLink || options.nameSuffices?.(prefix + name) !== true))
            names.push(name);
        }
        // Empty ones too: who listens has something else to do now and then.
        yield statusOf(prefix, names, options);
        await yieldToEventLoop();
      }
    }
  }

  async stat(file: string): Promise<PathStatus | null> {
    try {
      const status = await stat(file, { bigint: true });
      return {
        path: file,
        sizeBytes: Number(status.size),
        modifiedNs: status.mtimeNs,
        ...withFileKey(status),
        ...withBirthKey(status),
        isFolder: status.isDirectory(),
        // 0 on file systems that do not keep it.
        createdNs: status.birthtimeNs > 0n ? status.birthtimeNs : null,
      };
    } catch (error) {
      if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return null;
      throw storageError(`cannot look at ${file}`, error);
    }
  }

  async folderIdentity(folder: string): Promise<string | null> {
    try {
      const status = await stat(folder, { bigint: true });
      return `${status.dev}:${status.ino}`;
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return null;
      throw storageError(`cannot look at ${folder}`, error);
    }
  }

  async open(file: string, offset: number): Promise<ByteSource> {
    try {
      return new LocalByteSource(file, await open(file, 'r'), offset);
    } catch (error) {
      throw storageError(`cannot open ${file}`, error);
    }
  }

  readVersion(file: FileStatus): Promise<Uint8Array | null> {
    return readLocalVersion(file);
  }

  async openRandom(file: string, version?: FileVersion): Promise<RandomSource> {
    let source: LocalRandomSource;
    let fileKey: bigint | undefined;
    try {
      const handle = await open(file, 'r');
      source = new LocalRandomSource(file, handle);
      if (version?.fileKey !== undefined)
        fileKey = withFileKey(fstatSync(handle.fd, { bigint: true })).fileKey;
    } catch (error) {
      throw storageError(`cannot open ${file}`, error);
    }
    if (version?.fileKey === undefined || fileKey === undefined || fileKey === version.fileKey) return source;
    await source.close();
    throw new SluiceError('FILE_MODIFIED', `${file} is another file than the one that was listed`, {
      hint: 'it was replaced or renamed meanwhile; the next listing looks at it again',
      details: { path: file },
    });
  }

  async readFile(file: string): Promise<Uint8Array | null> {
    try {
      return await readFile(file);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return null;
      throw storageError(`cannot read ${file}`, error);
    }
  }

  async createExclusive(file: string, bytes: Uint8Array): Promise<boolean> {
    try {
      const created = await this.#throughTemporary(file, bytes, async (temporary) => {
        failpoint('exclusive.link.before');
        const isNew = await linkNew(temporary, file);
        await unlink(temporary);
        return isNew;
      });
      if (created) await syncFolder(path.dirname(file));
      return created;
    } catch (error) {
      throw storageError(`cannot create ${file}`, error);
    }
  }

  async replace(file: string, bytes: Uint8Array): Promise<void> {
    try {
      await this.#throughTemporary(file, bytes, (temporary) => {
        failpoint('replace.rename.before');
        return rename(temporary, file);
      });
      await syncFolder(path.dirname(file));
    } catch (error) {
      throw storageError(`cannot write ${file}`, error);
    }
  }

  /** Written under another name first, that `place` takes away: a reader, or a crash, never sees half of it. */
  async #throughTemporary<Result>(
    file: string,
    bytes: Uint8Array,
    place: (temporary: string) => Promise<Result>,
  ): Promise<Result> {
    const folder = path.dirname(file);
    await makeFolderDurably(folder);
    const temporary = path.join(folder, `.${path.basename(file)}.tmp.${this.#runId}`);
    try {
      const handle = await open(temporary, 'w');
      try {
        await handle.writeFile(bytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
      return await place(temporary);
    } catch (error) {
      // On a full disk it would take what little room there is; why it failed is what has to be told.
      await unlink(temporary).catch(() => {});
      throw error;
    }
  }

  async makeFolder(folder: string): Promise<void> {
    await makeFolderDurably(folder);
  }

  async remove(file: string): Promise<boolean> {
    try {
      await unlink(file);
      return true;
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return false;
      throw storageError(`cannot remove ${file}`, error);
    }
  }

  move(from: string, to: string): Promise<'moved' | 'occupied' | 'missing'> {
    return moveFile(from, to, this.#runId);
  }

  async removeDurably(paths: readonly string[]): Promise<void> {
    for (const file of paths) await this.remove(file);
    for (const folder of new Set(paths.map((file) => path.dirname(file)))) {
      try {
        await syncFolder(folder);
      } catch (error) {
        // The folder went, too, as where a partition is dropped: nothing in it can come back.
        if (SluiceError.from(error).code !== 'NOT_FOUND') throw error;
      }
    }
  }

  async removeEmptyFolder(folder: string): Promise<void> {
    try {
      await rmdir(folder);
    } catch (error) {
      if (['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(errorCode(error))) return;
      throw storageError(`cannot remove the folder ${folder}`, error);
    }
  }
}

/** null for a folder below the root that vanished while we listed: a fact, not a fault. */
async function readFolder(folder: string, relative: string): Promise<Dirent[] | null> {
  const absolute = path.join(folder, relative);
  try {
    return await readdir(absolute, { withFileTypes: true });
  } catch (error) {
    if (relative !== '' && errorCode(error) === 'ENOENT') return null;
    throw storageError(`cannot list ${absolute}`, error);
  }
}

/** stat of several files at once. Synchronous: through the thread pool each would cost 20 times as much. */
function statusOf(
  prefix: string,
  names: readonly string[],
  { fileKeys = false, birthKeys = false }: ListOptions,
): FileStatus[] {
  const found: FileStatus[] = [];
  for (const name of names) {
    const file = prefix + name;
    try {
      const status = statSync(file, { bigint: true, throwIfNoEntry: false });
      // Undefined: it vanished since readdir, or a link leads nowhere.
      if (status?.isFile())
        found.push({
          path: file,
          sizeBytes: Number(status.size),
          modifiedNs: status.mtimeNs,
          ...(fileKeys ? withFileKey(status) : {}),
          ...(birthKeys ? withBirthKey(status) : {}),
        });
    } catch (error) {
      // A link that leads to itself leads nowhere too.
      if (errorCode(error) !== 'ELOOP') throw storageError(`cannot look at ${file}`, error);
    }
  }
  return found;
}

class LocalByteSource implements ByteSource {
  readonly #path: string;
  readonly #handle: FileHandle;
  #offset: number;
  #closed = false;

  constructor(file: string, handle: FileHandle, offset: number) {
    this.#path = file;
    this.#handle = handle;
    this.#offset = offset;
  }

  async read(into: Uint8Array): Promise<number> {
    try {
      const { bytesRead } = await this.#handle.read(into, 0, into.length, this.#offset);
      this.#offset += bytesRead;
      return bytesRead;
    } catch (error) {
      throw storageError(`cannot read ${this.#path}`, error);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#handle.close();
  }
}

class LocalRandomSource implements RandomSource {
  readonly #path: string;
  readonly #handle: FileHandle;
  #closed = false;

  constructor(file: string, handle: FileHandle) {
    this.#path = file;
    this.#handle = handle;
  }

  async read(offset: number, into: Uint8Array): Promise<number> {
    try {
      return (await this.#handle.read(into, 0, into.length, offset)).bytesRead;
    } catch (error) {
      throw storageError(`cannot read ${this.#path}`, error);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#handle.close();
  }
}

/** @returns false where a file of that name existed */
async function linkNew(existing: string, file: string): Promise<boolean> {
  try {
    await link(existing, file);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}
