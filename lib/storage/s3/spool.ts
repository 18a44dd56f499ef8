/**
 * Bytes that wait until there are enough of them for an upload, on the local disk: a thousand open parts with up to a
 * part's size each would not fit into memory. Only of the file that was written last they stay in memory: most often it
 * is the next one, too, and then they never go to the disk. Nothing here has to outlive the process.
 */
import { type FileHandle, mkdir, mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import pLimit from 'p-limit';
import { systemClock } from '../../core/clock.ts';
import { errorCode, storageError } from '../local/errors.ts';

/** The host stands in it because processes of several may share the parent, and only their own can be asked for. */
const PREFIX = `sluice-spool-${hostname().replaceAll(/[^\w.]/g, '_')}-`;
/** Between the clock that stamps files and the one that is asked. */
const CLOCK_MARGIN_MS = 100;
/** Rows are nobody else's business, whatever the umask says. */
const FILE_MODE = 0o600;

/** The spool files of one subtask: threads of a process and a run share both, so the folder's name is random. */
export class SpoolFolder {
  readonly #parent: string;
  readonly #front: Front;
  /** Making a file and removing the last one exclude each other. */
  readonly #alone = pLimit(1);
  /** Made with the first file and removed with the last; never used again, since its name is known by then. */
  #folder: string | null = null;
  #files = 0;
  #next = 0;

  /**
   * @param parent null: the system's temporary folder
   * @param frontBytes what one file may have waiting in memory
   */
  constructor(parent: string | null, frontBytes: number) {
    this.#parent = parent ?? tmpdir();
    this.#front = new Front(frontBytes);
  }

  create(): Spool {
    return new Spool(this, this.#front);
  }

  makeFile(): Promise<{ readonly file: string; readonly handle: FileHandle }> {
    return this.#alone(async () => {
      // Whoever cleans temporary folders may have taken it.
      const made = (await this.#tryMake()) ?? (await this.#tryMake());
      if (made !== null) return made;
      throw storageError(`cannot keep a spool folder in ${this.#parent}`, new Error('it goes away'));
    });
  }

  async #tryMake(): Promise<{ readonly file: string; readonly handle: FileHandle } | null> {
    try {
      this.#folder ??= await this.#prepare();
      const file = path.join(this.#folder, String(this.#next++));
      const handle = await open(file, 'wx+', FILE_MODE);
      this.#files++;
      return { file, handle };
    } catch (error) {
      if (errorCode(error) !== 'ENOENT')
        throw storageError(`cannot make a spool file in ${this.#parent}`, error);
      this.#folder = null;
      return null;
    }
  }

  removeFile(file: string): Promise<void> {
    return this.#alone(async () => {
      this.#files--;
      // Its bytes have gone where they were to go: what is left over here is for `close`, or the next start.
      const gone = this.#files === 0 ? this.#remove() : rm(file, { force: true });
      await gone.catch(() => {});
    });
  }

  /** Removes everything. Calls may repeat. */
  async close(): Promise<void> {
    await this.#alone(() => this.#remove());
  }

  async #remove(): Promise<void> {
    if (this.#folder === null) return;
    await rm(this.#folder, { recursive: true, force: true });
    this.#folder = null;
  }

  async #prepare(): Promise<string> {
    await mkdir(this.#parent, { recursive: true });
    const folder = await mkdtemp(path.join(this.#parent, `${PREFIX}${process.pid}-`));
    await this.#sweep().catch(() => {});
    return folder;
  }

  /** What processes of this host that were killed have left. Another user's is that user's to remove. */
  async #sweep(): Promise<void> {
    for (const name of await readdir(this.#parent)) {
      if (!name.startsWith(PREFIX)) continue;
      const folder = path.join(this.#parent, name);
      const processId = Number.parseInt(name.slice(PREFIX.length), 10);
      // One that cannot be looked at, or goes meanwhile, must not keep the others from being removed.
      if (await isLeftBehind(folder, processId).catch(() => false))
        await rm(folder, { recursive: true, force: true }).catch(() => {});
    }
  }
}

async function isLeftBehind(folder: string, processId: number): Promise<boolean> {
  if (processId !== process.pid) return processId > 0 && isDead(processId);
  // In a container each start has the number of the one before: what it left was last changed before this one began.
  const { mtimeMs } = await stat(folder);
  return mtimeMs < systemClock.now() - process.uptime() * 1000 - CLOCK_MARGIN_MS;
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
  readonly #folder: SpoolFolder;
  readonly #front: Front;
  readonly #turn = pLimit(1);
  /** Null while nothing of it was on the disk. */
  #file: string | null = null;
  #handle: FileHandle | null = null;
  /** Whether the handle was given back since the last append: an eviction must not keep one then. */
  #isReleased = false;
  #lengthBytes = 0;
  /** Of them, those in the file. The others follow, in the front, which is this spool's then. */
  #fileBytes = 0;

  constructor(folder: SpoolFolder, front: Front) {
    this.#folder = folder;
    this.#front = front;
  }

  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  async append(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    await this.#turn(async () => {
      this.#isReleased = false;
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
        throw storageError(`cannot empty the spool file ${this.#file}`, error);
      }
    });
  }

  /** Gives the handle back; the next call opens it again. */
  async release(): Promise<void> {
    await this.#turn(() => {
      this.#isReleased = true;
      return this.#closeHandle();
    });
  }

  /** Removes it. Calls may repeat. */
  async remove(): Promise<void> {
    await this.#turn(async () => {
      this.#returnFront();
      this.#lengthBytes = 0;
      this.#fileBytes = 0;
      await this.#closeHandle();
      const file = this.#file;
      this.#file = null;
      if (file !== null) await this.#folder.removeFile(file);
    });
  }

  /**
   * Whether so many more bytes go to the front. Another file's are written to the disk for it. A file waits for another
   * only while the front is not its own, and only for the one whose it is: never in a circle.
   */
  async #hasFront(more: number): Promise<boolean> {
    const front = this.#front;
    if (front.owner !== this) {
      // What keeps the owner from the disk is the owner's to tell, at its next step; it has its bytes still.
      if (front.owner !== null) await front.owner.#leaveFront().catch(() => {});
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
      try {
        await this.#emptyFront();
      } finally {
        if (this.#isReleased) await this.#closeHandle();
      }
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
    const handle = await this.#opened();
    try {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, this.#fileBytes + at);
        at += bytesWritten;
      }
      this.#fileBytes += bytes.length;
    } catch (error) {
      throw storageError(`cannot write to the spool file ${this.#file}`, error);
    }
  }

  async #readFile(offset: number, into: Uint8Array): Promise<void> {
    const handle = await this.#opened();
    try {
      for (let at = 0; at < into.length; ) {
        const { bytesRead } = await handle.read(into, at, into.length - at, offset + at);
        if (bytesRead === 0) throw new Error('it is shorter than what was written to it');
        at += bytesRead;
      }
    } catch (error) {
      throw storageError(`cannot read the spool file ${this.#file}`, error);
    }
  }

  async #closeHandle(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }

  async #opened(): Promise<FileHandle> {
    if (this.#handle !== null) return this.#handle;
    if (this.#file === null) {
      const { file, handle } = await this.#folder.makeFile();
      this.#file = file;
      this.#handle = handle;
      return handle;
    }
    try {
      this.#handle = await open(this.#file, 'r+');
      return this.#handle;
    } catch (error) {
      throw storageError(`cannot open the spool file ${this.#file}`, error);
    }
  }
}
