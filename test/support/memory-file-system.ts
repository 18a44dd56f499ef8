/**
 * A FileSystem in memory, for tests: files with nanosecond mtimes, folders with identities, faults on demand, and a
 * `crash` that drops what was not made durable. Slow on purpose nowhere, exact about what the contract promises.
 */
import type { ByteSource } from '../../lib/core/byte-source.ts';
import type { Clock } from '../../lib/core/clock.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import type {
  FileStatus,
  FileSystem,
  FileVersion,
  ListOptions,
  PathStatus,
  RandomSource,
} from '../../lib/storage/file-system.ts';
import type { RecoverableWriter } from '../../lib/storage/recoverable-writer.ts';
import { MemoryRecoverableWriter } from './memory-recoverable-writer.ts';

export type Operation =
  | 'list'
  | 'stat'
  | 'folderIdentity'
  | 'open'
  | 'read'
  | 'readFile'
  | 'createExclusive'
  | 'replace'
  | 'makeFolder'
  | 'remove'
  | 'move'
  | 'write'
  | 'persist'
  | 'closeForCommit'
  | 'recover'
  | 'commit';

/** A call that goes wrong. */
export interface Fault {
  readonly operation: Operation;
  /** Which paths; all where left out. */
  readonly path?: string | RegExp;
  /** Calls that still go well before (for `list`: pieces that still come). */
  readonly skip?: number;
  /** How often it happens; 1 where left out. */
  readonly times?: number;
  /** What is thrown; STORAGE_FAILED where left out. */
  readonly error?: Error;
  /** Called instead of throwing, to change things under the feet of the caller. */
  readonly action?: () => void;
}

export interface MemoryFile {
  bytes: Uint8Array;
  /** How much of it a crash leaves. */
  durableBytes: number;
  modifiedNs: bigint;
  /** Stays as long as the file is the same one: `write` keeps it, `put` does not. */
  readonly fileKey: bigint;
}

/** Files in one piece of a listing. */
const LIST_PIECE = 3;

const toUtf8 = new TextEncoder();

function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? toUtf8.encode(content) : content.slice();
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 1));
}

export class MemoryFileSystem implements FileSystem {
  readonly files = new Map<string, MemoryFile>();
  /** Folder path -> identity. */
  readonly folders = new Map<string, string>([['/', 'folder-0']]);
  readonly recoverableWriter: RecoverableWriter;
  /** How often each operation was called. */
  readonly calls = new Map<Operation, number>();
  /** ByteSources that were opened and not closed. */
  openSources = 0;
  #faults: { fault: Fault; skip: number; times: number }[] = [];
  #nextFolder = 1;
  #nextFileKey = 1n;
  /** Whether files have keys. */
  fileKeys = true;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.recoverableWriter = new MemoryRecoverableWriter(this);
  }

  // What tests do to it.

  fail(fault: Fault): void {
    this.#faults.push({ fault, skip: fault.skip ?? 0, times: fault.times ?? 1 });
  }

  clearFaults(): void {
    this.#faults = [];
  }

  /** Makes a file, as another program would: durable, with folders made as needed. One of that name is replaced. */
  put(path: string, content: string | Uint8Array, modifiedNs: bigint = this.nowNs()): void {
    const bytes = bytesOf(content);
    this.addFolder(parentOf(path));
    this.files.set(path, {
      bytes,
      durableBytes: bytes.length,
      modifiedNs,
      fileKey: this.#nextFileKey++,
    });
  }

  /** Writes into the file that is there, or makes one. Who has it open sees the change. */
  write(path: string, content: string | Uint8Array, modifiedNs: bigint = this.nowNs()): void {
    const file = this.files.get(path);
    if (file === undefined) {
      this.put(path, content, modifiedNs);
      return;
    }
    file.bytes = bytesOf(content);
    file.durableBytes = file.bytes.length;
    file.modifiedNs = modifiedNs;
  }

  append(path: string, content: string | Uint8Array, modifiedNs: bigint = this.nowNs()): void {
    const before = this.files.get(path)?.bytes ?? new Uint8Array(0);
    this.write(path, Buffer.concat([before, bytesOf(content)]), modifiedNs);
  }

  touch(path: string, modifiedNs: bigint = this.nowNs()): void {
    const file = this.files.get(path);
    if (file !== undefined) file.modifiedNs = modifiedNs;
  }

  rename(from: string, to: string): void {
    const file = this.files.get(from);
    if (file === undefined) return;
    this.files.delete(from);
    this.addFolder(parentOf(to));
    this.files.set(to, file);
  }

  addFolder(path: string): void {
    for (let at = path; !this.folders.has(at); at = parentOf(at)) {
      this.folders.set(at, `folder-${this.#nextFolder++}`);
    }
  }

  /** Gives a folder another identity and other content, as mounting and unmounting does. @returns the old content */
  replaceFolder(path: string, content: ReadonlyMap<string, MemoryFile> = new Map(), identity?: string) {
    const hidden = new Map<string, MemoryFile>();
    for (const [name, file] of this.files) if (name.startsWith(`${path}/`)) hidden.set(name, file);
    for (const name of hidden.keys()) this.files.delete(name);
    for (const [name, file] of content) this.files.set(name, file);
    const before = this.folders.get(path);
    this.folders.set(path, identity ?? `folder-${this.#nextFolder++}`);
    return { content: hidden, identity: before };
  }

  text(path: string): string | null {
    const file = this.files.get(path);
    return file === undefined ? null : new TextDecoder().decode(file.bytes);
  }

  /** Power goes: what was not made durable is gone, files that were never made durable with it. */
  crash(): void {
    for (const [path, file] of this.files) {
      if (file.durableBytes < 0) this.files.delete(path);
      else file.bytes = file.bytes.slice(0, file.durableBytes);
    }
  }

  nowNs(): bigint {
    return BigInt(Math.floor(this.#clock.now() * 1e3)) * 1000n;
  }

  /** Counts a call and lets it go wrong if a fault says so. */
  enter(operation: Operation, path: string): void {
    this.calls.set(operation, (this.calls.get(operation) ?? 0) + 1);
    for (const armed of this.#faults) {
      const { fault } = armed;
      if (fault.operation !== operation || armed.times === 0) continue;
      if (typeof fault.path === 'string' && fault.path !== path) continue;
      if (fault.path instanceof RegExp && !fault.path.test(path)) continue;
      if (armed.skip > 0) {
        armed.skip--;
        continue;
      }
      armed.times--;
      if (fault.action === undefined) {
        throw (
          fault.error ??
          new SluiceError('STORAGE_FAILED', `${operation} ${path}: injected`, { retryable: true })
        );
      }
      fault.action();
    }
  }

  // FileSystem.

  async *list(folder: string, options: ListOptions): AsyncIterable<readonly FileStatus[]> {
    const prefix = folder === '/' ? '/' : `${folder}/`;
    if (!this.folders.has(folder)) throw notFound(folder);
    this.enter('list', folder);
    const entered = new Map<string, boolean>([['', true]]);
    const enters = (relative: string): boolean => {
      const known = entered.get(relative);
      if (known !== undefined) return known;
      const above = relative.includes('/') ? relative.slice(0, relative.lastIndexOf('/')) : '';
      const answer = enters(above) && options.enterFolder(relative);
      entered.set(relative, answer);
      return answer;
    };
    let piece: FileStatus[] = [];
    for (const path of [...this.files.keys()]) {
      if (!path.startsWith(prefix)) continue;
      const relative = path.slice(prefix.length);
      const above = relative.includes('/') ? relative.slice(0, relative.lastIndexOf('/')) : '';
      if (!enters(above) || !options.wantFile(relative)) continue;
      const file = this.files.get(path);
      if (file === undefined || options.nameSuffices?.(path)) continue;
      piece.push({
        path,
        sizeBytes: file.bytes.length,
        modifiedNs: file.modifiedNs,
        ...(options.fileKeys && this.fileKeys ? { fileKey: file.fileKey } : {}),
        ...(options.birthKeys && this.fileKeys ? { birthKey: file.fileKey } : {}),
      });
      if (piece.length < LIST_PIECE) continue;
      yield piece;
      piece = [];
      this.enter('list', folder);
    }
    if (piece.length > 0) yield piece;
  }

  async stat(path: string): Promise<PathStatus | null> {
    this.enter('stat', path);
    const file = this.files.get(path);
    if (file !== undefined) {
      return {
        path,
        sizeBytes: file.bytes.length,
        modifiedNs: file.modifiedNs,
        ...(this.fileKeys ? { fileKey: file.fileKey, birthKey: file.fileKey } : {}),
        isFolder: false,
        createdNs: null,
      };
    }
    return this.folders.has(path)
      ? { path, sizeBytes: 0, modifiedNs: 0n, isFolder: true, createdNs: null }
      : null;
  }

  async folderIdentity(folder: string): Promise<string | null> {
    this.enter('folderIdentity', folder);
    return this.folders.get(folder) ?? null;
  }

  async open(path: string, offset: number): Promise<ByteSource> {
    this.enter('open', path);
    const file = this.files.get(path);
    if (file === undefined) throw notFound(path);
    this.openSources++;
    let at = offset;
    let closed = false;
    return {
      read: async (into) => {
        this.enter('read', path);
        const piece = file.bytes.subarray(at, at + into.length);
        into.set(piece);
        at += piece.length;
        return piece.length;
      },
      close: async () => {
        if (!closed) this.openSources--;
        closed = true;
      },
    };
  }

  async readVersion({ path, sizeBytes, modifiedNs, birthKey }: FileStatus): Promise<Uint8Array | null> {
    this.enter('read', path);
    const file = this.files.get(path);
    if (birthKey !== undefined && this.fileKeys && file?.fileKey !== birthKey) return null;
    return file?.bytes.length === sizeBytes && file.modifiedNs === modifiedNs ? file.bytes.slice() : null;
  }

  async openRandom(path: string, version?: FileVersion): Promise<RandomSource> {
    this.enter('open', path);
    const file = this.files.get(path);
    if (file === undefined) throw notFound(path);
    const wanted = version?.fileKey;
    if (wanted !== undefined && wanted !== file.fileKey)
      throw new SluiceError('FILE_MODIFIED', `${path} is another file`, { details: { path } });
    this.openSources++;
    let closed = false;
    return {
      read: async (offset, into) => {
        this.enter('read', path);
        const piece = file.bytes.subarray(offset, offset + into.length);
        into.set(piece);
        return piece.length;
      },
      close: async () => {
        if (!closed) this.openSources--;
        closed = true;
      },
    };
  }

  async readFile(path: string): Promise<Uint8Array | null> {
    this.enter('readFile', path);
    return this.files.get(path)?.bytes.slice() ?? null;
  }

  async createExclusive(path: string, bytes: Uint8Array): Promise<boolean> {
    this.enter('createExclusive', path);
    if (this.files.has(path)) return false;
    this.put(path, bytes);
    return true;
  }

  async replace(path: string, bytes: Uint8Array): Promise<void> {
    this.enter('replace', path);
    this.put(path, bytes);
  }

  async makeFolder(path: string): Promise<void> {
    this.enter('makeFolder', path);
    this.addFolder(path);
  }

  async remove(path: string): Promise<boolean> {
    this.enter('remove', path);
    return this.files.delete(path);
  }

  async move(from: string, to: string): Promise<'moved' | 'occupied' | 'missing'> {
    this.enter('move', from);
    if (!this.files.has(from)) return 'missing';
    if (this.files.has(to)) return 'occupied';
    this.rename(from, to);
    return 'moved';
  }

  async removeDurably(paths: readonly string[]): Promise<void> {
    for (const path of paths) await this.remove(path);
  }

  async removeEmptyFolder(path: string): Promise<void> {
    for (const name of [...this.files.keys(), ...this.folders.keys()]) {
      if (name.startsWith(`${path}/`)) return;
    }
    this.folders.delete(path);
  }
}

function notFound(path: string): SluiceError {
  return new SluiceError('NOT_FOUND', `${path} does not exist`, { details: { path } });
}
