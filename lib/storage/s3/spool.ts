/**
 * Bytes that wait until there are enough of them for an upload, on the local disk: a thousand open parts with up to a
 * part's size each would not fit into memory. Only of the file that was written last they stay in memory: most often it
 * is the next one, too, and then they never go to the disk. Nothing here has to outlive the process.
 */
import { type FileHandle, mkdir, mkdtemp, open, readdir, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pLimit, { type LimitFunction } from 'p-limit';
import { errorCode, storageError } from '../local/errors.ts';

const FOLDER = /^sluice-spool-(\d+)-\w+$/;

/** The spool files of one subtask: threads of a process and a run share both, so the folder's name is random. */
export class SpoolFolder {
  readonly #parent: string;
  readonly #front: Front;
  /** Making its first file and removing it with the last one exclude each other. */
  readonly #alone = pLimit(1);
  #folder: Promise<string> | null = null;
  #next = 0;

  /**
   * @param parent null: the system's temporary folder
   * @param frontBytes what one file may have waiting in memory
   */
  constructor(parent: string | null, frontBytes: number) {
    this.#parent = parent ?? tmpdir();
    this.#front = new Front(frontBytes);
  }

  async create(): Promise<Spool> {
    this.#folder ??= this.#prepare();
    const folder = await this.#folder;
    return new Spool(path.join(folder, String(this.#next++)), this.#front, this.#alone);
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

/** Memory that belongs to one file at a time. */
class Front {
  readonly #sizeBytes: number;
  #bytes: Buffer | null = null;
  owner: Spool | null = null;

  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
  }

  /** Not before somebody waits: most sinks are local. */
  get bytes(): Buffer {
    this.#bytes ??= Buffer.allocUnsafeSlow(this.#sizeBytes);
    return this.#bytes;
  }
}

/** One file's waiting bytes. Steps may be asked for at any time; they are done one after the other. */
export class Spool {
  readonly #path: string;
  readonly #front: Front;
  readonly #alone: LimitFunction;
  readonly #turn = pLimit(1);
  #handle: FileHandle | null = null;
  #lengthBytes = 0;
  /** Of them, those in the file. The others follow, in the front, which is this file's then. */
  #fileBytes = 0;

  constructor(file: string, front: Front, alone: LimitFunction) {
    this.#path = file;
    this.#front = front;
    this.#alone = alone;
  }

  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  async append(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    await this.#turn(async () => {
      if (await this.#hasFront(bytes.length))
        this.#front.bytes.set(bytes, this.#lengthBytes - this.#fileBytes);
      else await this.#writeBehind(bytes);
      this.#lengthBytes += bytes.length;
    });
  }

  /** Fills `into` from an offset on. */
  async read(offset: number, into: Uint8Array): Promise<void> {
    if (into.length === 0) return;
    await this.#turn(async () => {
      const fromFile = Math.max(0, Math.min(into.length, this.#fileBytes - offset));
      if (fromFile > 0) await this.#readFile(offset, into.subarray(0, fromFile));
      const from = offset + fromFile - this.#fileBytes;
      if (fromFile < into.length)
        into.set(this.#front.bytes.subarray(from, from + into.length - fromFile), fromFile);
    });
  }

  /** Empties it. */
  async clear(): Promise<void> {
    await this.#turn(async () => {
      this.#returnFront();
      this.#lengthBytes = 0;
      if (this.#fileBytes === 0) return;
      this.#fileBytes = 0;
      try {
        await (await this.#opened()).truncate(0);
      } catch (error) {
        throw storageError(`cannot empty the spool file ${this.#path}`, error);
      }
    });
  }

  /** Gives the handle back; the next call opens it again. */
  async release(): Promise<void> {
    await this.#turn(() => this.#closeHandle());
  }

  /** Removes it. Calls may repeat. */
  async remove(): Promise<void> {
    await this.#turn(async () => {
      this.#returnFront();
      await this.#closeHandle();
      await rm(this.#path, { force: true });
      this.#lengthBytes = 0;
      this.#fileBytes = 0;
    });
    // The last one takes the folder along.
    await this.#alone(() => rmdir(path.dirname(this.#path)).catch(() => {}));
  }

  /**
   * Whether so many more bytes go to the front. Another file's are written to the disk for it. A file waits for another
   * only while the front is not its own, and only for the one whose it is: never in a circle.
   */
  async #hasFront(more: number): Promise<boolean> {
    const front = this.#front;
    if (front.owner !== this) {
      if (front.owner !== null) await front.owner.#leaveFront();
      // Somebody else was sooner: this once, to the disk.
      if (front.owner !== null) return false;
      front.owner = this;
    }
    if (this.#lengthBytes - this.#fileBytes + more <= front.bytes.length) return true;
    await this.#emptyFront();
    return false;
  }

  async #leaveFront(): Promise<void> {
    await this.#turn(async () => {
      if (this.#front.owner !== this) return;
      const wasClosed = this.#handle === null;
      await this.#emptyFront();
      // Whoever counts handles has seen this one closed.
      if (wasClosed) await this.#closeHandle();
    });
  }

  async #emptyFront(): Promise<void> {
    const length = this.#lengthBytes - this.#fileBytes;
    if (length > 0) await this.#writeBehind(this.#front.bytes.subarray(0, length));
    this.#returnFront();
  }

  #returnFront(): void {
    if (this.#front.owner === this) this.#front.owner = null;
  }

  /** Behind what the file has. */
  async #writeBehind(bytes: Uint8Array): Promise<void> {
    try {
      const handle = await this.#opened();
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, this.#fileBytes + at);
        at += bytesWritten;
      }
      this.#fileBytes += bytes.length;
    } catch (error) {
      throw storageError(`cannot write to the spool file ${this.#path}`, error);
    }
  }

  async #readFile(offset: number, into: Uint8Array): Promise<void> {
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

  async #closeHandle(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }

  async #opened(): Promise<FileHandle> {
    if (this.#handle !== null) return this.#handle;
    this.#handle = this.#fileBytes === 0 ? await this.#made() : await open(this.#path, 'r+');
    return this.#handle;
  }

  #made(): Promise<FileHandle> {
    return this.#alone(async () => {
      // Another file's end may have taken the folder along.
      await mkdir(path.dirname(this.#path), { recursive: true });
      return open(this.#path, 'w+');
    });
  }
}
