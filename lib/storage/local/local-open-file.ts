import { unlink } from 'node:fs/promises';
import path from 'node:path';
import { SluiceError } from '../../core/errors.ts';
import { failpoint } from '../../core/failpoint.ts';
import type { OpenFile, PendingFile, ResumePoint } from '../recoverable-writer.ts';
import { syncFolder } from './durable.ts';
import { errorCode, storageError } from './errors.ts';
import { closeFile, fsyncFile, openFile, writeFile } from './file-calls.ts';

/** The OpenFile of a local disk. */
export class LocalOpenFile implements OpenFile {
  readonly finalPath: string;
  readonly #hiddenPath: string;
  /** Of the open file; null while it is closed. */
  #fd: number | null;
  #lengthBytes: number;
  #closed = false;
  /** Whether bytes were written since the last fsync. */
  #dirty: boolean;
  /** Whether the name itself still has to be made durable. */
  #unnamed: boolean;

  constructor(finalPath: string, hiddenPath: string, fd: number, lengthBytes: number, created: boolean) {
    this.finalPath = finalPath;
    this.#hiddenPath = hiddenPath;
    this.#fd = fd;
    this.#lengthBytes = lengthBytes;
    this.#dirty = created;
    this.#unnamed = created;
  }

  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const fd = await this.#opened('write');
    this.#dirty = true;
    try {
      for (let at = 0; at < bytes.length; ) {
        const bytesWritten = await writeFile(fd, bytes, at, bytes.length - at, this.#lengthBytes);
        at += bytesWritten;
        this.#lengthBytes += bytesWritten;
      }
    } catch (error) {
      throw storageError(`cannot write ${this.#hiddenPath}`, error);
    }
    failpoint('part.write.after');
  }

  async persist(): Promise<ResumePoint> {
    const fd = await this.#opened('persist');
    try {
      if (this.#dirty) await fsyncFile(fd);
    } catch (error) {
      throw storageError(`cannot sync ${this.#hiddenPath}`, error);
    }
    this.#dirty = false;
    if (this.#unnamed) await syncFolder(path.dirname(this.#hiddenPath));
    this.#unnamed = false;
    failpoint('part.persist.after');
    return { hiddenPath: this.#hiddenPath, finalPath: this.finalPath, lengthBytes: this.#lengthBytes };
  }

  async closeForCommit(): Promise<PendingFile> {
    const pending = await this.persist();
    await this.release();
    this.#closed = true;
    return pending;
  }

  async discard(): Promise<void> {
    await this.release();
    this.#closed = true;
    await unlink(this.#hiddenPath).catch((error: unknown) => {
      if (errorCode(error) !== 'ENOENT') throw storageError(`cannot remove ${this.#hiddenPath}`, error);
    });
  }

  async release(): Promise<void> {
    const fd = this.#fd;
    this.#fd = null;
    if (fd !== null) await closeFile(fd);
  }

  async #opened(step: string): Promise<number> {
    if (this.#closed) {
      throw new SluiceError('STEP_ILLEGAL', `${step} on ${this.finalPath}, which is closed`);
    }
    if (this.#fd !== null) return this.#fd;
    try {
      this.#fd = await openFile(this.#hiddenPath, 'r+');
      return this.#fd;
    } catch (error) {
      throw storageError(`cannot open ${this.#hiddenPath}`, error);
    }
  }
}
