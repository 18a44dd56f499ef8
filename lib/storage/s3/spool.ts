/**
 * Bytes that wait until there are enough of them for an upload, on the local disk: a thousand open parts with up to a
 * part's size each would not fit into memory. Nothing here has to outlive the process.
 */
import { type FileHandle, mkdir, mkdtemp, open, readdir, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { errorCode, storageError } from '../local/errors.ts';

const FOLDER = /^sluice-spool-(\d+)-\w+$/;

/** The spool files of one subtask: threads of a process and a run share both, so the folder's name is random. */
export class SpoolFolder {
  readonly #parent: string;
  #folder: Promise<string> | null = null;
  #next = 0;

  /** @param parent null: the system's temporary folder */
  constructor(parent: string | null) {
    this.#parent = parent ?? tmpdir();
  }

  async create(): Promise<Spool> {
    this.#folder ??= this.#prepare();
    return new Spool(path.join(await this.#folder, String(this.#next++)));
  }

  /** Removes everything. Calls may repeat. */
  async close(): Promise<void> {
    const folder = await this.#folder?.catch(() => null);
    this.#folder = null;
    if (folder !== null && folder !== undefined) await rm(folder, { recursive: true, force: true });
  }

  async #prepare(): Promise<string> {
    try {
      await mkdir(this.#parent, { recursive: true });
      const folder = await mkdtemp(path.join(this.#parent, `sluice-spool-${process.pid}-`));
      // What processes that were killed have left.
      for (const name of await readdir(this.#parent)) {
        const processId = FOLDER.exec(name)?.[1];
        if (processId !== undefined && isDead(Number(processId)))
          await rm(path.join(this.#parent, name), { recursive: true, force: true });
      }
      return folder;
    } catch (error) {
      throw storageError(`cannot make a spool folder in ${this.#parent}`, error);
    }
  }
}

function isDead(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return false;
  } catch (error) {
    return errorCode(error) === 'ESRCH';
  }
}

/** One file's waiting bytes. */
export class Spool {
  readonly #path: string;
  #handle: FileHandle | null = null;
  #lengthBytes = 0;

  constructor(file: string) {
    this.#path = file;
  }

  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  async append(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    try {
      const handle = await this.#opened();
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, this.#lengthBytes + at);
        at += bytesWritten;
      }
      this.#lengthBytes += bytes.length;
    } catch (error) {
      throw storageError(`cannot write to the spool file ${this.#path}`, error);
    }
  }

  /** Fills `into` from an offset on. */
  async read(offset: number, into: Uint8Array): Promise<void> {
    if (into.length === 0) return;
    try {
      const handle = await this.#opened();
      for (let at = 0; at < into.length; ) {
        const { bytesRead } = await handle.read(into, at, into.length - at, offset + at);
        if (bytesRead === 0) throw new Error('it is shorter than what was written to it');
        at += bytesRead;
      }
    } catch (error) {
      throw storageError(`cannot read the spool file ${this.#path}`, error);
    }
  }

  /** Empties it. */
  async clear(): Promise<void> {
    if (this.#lengthBytes === 0) return;
    this.#lengthBytes = 0;
    try {
      await (await this.#opened()).truncate(0);
    } catch (error) {
      throw storageError(`cannot empty the spool file ${this.#path}`, error);
    }
  }

  /** Gives the handle back; the next call opens it again. */
  async release(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }

  /** Removes it. Calls may repeat. */
  async remove(): Promise<void> {
    await this.release();
    await rm(this.#path, { force: true });
    this.#lengthBytes = 0;
    // The last one takes the folder along.
    await rmdir(path.dirname(this.#path)).catch(() => {});
  }

  async #opened(): Promise<FileHandle> {
    if (this.#handle !== null) return this.#handle;
    const flags = this.#lengthBytes === 0 ? 'w+' : 'r+';
    this.#handle = await open(this.#path, flags).catch(async (error: unknown) => {
      // Another file's end took the folder along.
      if (flags !== 'w+' || errorCode(error) !== 'ENOENT') throw error;
      await mkdir(path.dirname(this.#path), { recursive: true });
      return open(this.#path, flags);
    });
    return this.#handle;
  }
}
