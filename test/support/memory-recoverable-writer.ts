/** The RecoverableWriter of MemoryFileSystem. */
import { SluiceError } from '../../lib/core/errors.ts';
import type {
  OpenFile,
  PendingFile,
  RecoverableWriter,
  ResumePoint,
} from '../../lib/storage/recoverable-writer.ts';
import type { MemoryFile, MemoryFileSystem } from './memory-file-system.ts';

/** A file that a crash removes altogether, because its folder entry was never made durable. */
const NEVER_PERSISTED = -1;

export class MemoryRecoverableWriter implements RecoverableWriter {
  readonly supportsResume = true;
  readonly #fileSystem: MemoryFileSystem;
  #next = 0;
  /** Final path -> the file published under it by `commit`, to tell ours from another's. */
  readonly #published = new Map<string, string>();

  constructor(fileSystem: MemoryFileSystem) {
    this.#fileSystem = fileSystem;
  }

  async open(finalPath: string, hiddenFolder: string | null): Promise<OpenFile> {
    const cut = finalPath.lastIndexOf('/');
    const hiddenPath = `${hiddenFolder ?? finalPath.slice(0, cut)}/.${finalPath.slice(cut + 1)}.inprogress.${this.#next++}`;
    this.#fileSystem.put(hiddenPath, new Uint8Array(0));
    this.#file(hiddenPath).durableBytes = NEVER_PERSISTED;
    return new MemoryOpenFile(this.#fileSystem, hiddenPath, finalPath);
  }

  async writeWhole(finalPath: string, hiddenFolder: string | null, bytes: Uint8Array): Promise<PendingFile> {
    const file = await this.open(finalPath, hiddenFolder);
    await file.write(bytes);
    return file.closeForCommit();
  }

  async recover(point: ResumePoint): Promise<OpenFile> {
    this.#fileSystem.enter('recover', point.hiddenPath);
    const file = this.#fileSystem.files.get(point.hiddenPath);
    if (file === undefined || file.bytes.length < point.lengthBytes) throw partMissing(point);
    file.bytes = file.bytes.slice(0, point.lengthBytes);
    file.durableBytes = Math.min(file.durableBytes, point.lengthBytes);
    return new MemoryOpenFile(this.#fileSystem, point.hiddenPath, point.finalPath);
  }

  async commit(files: readonly PendingFile[]): Promise<void> {
    for (const pending of files) {
      this.#fileSystem.enter('commit', pending.finalPath);
      const hidden = this.#fileSystem.files.get(pending.hiddenPath);
      const published = this.#fileSystem.files.get(pending.finalPath);
      if (published !== undefined) {
        if (this.#published.get(pending.finalPath) === pending.hiddenPath) continue;
        throw new SluiceError('TARGET_EXISTS', `${pending.finalPath} is there and is not ours`);
      }
      if (hidden === undefined) throw partMissing(pending);
      if (hidden.bytes.length !== pending.lengthBytes) throw partMissing(pending);
      this.#fileSystem.files.delete(pending.hiddenPath);
      this.#fileSystem.files.set(pending.finalPath, hidden);
      this.#published.set(pending.finalPath, pending.hiddenPath);
    }
  }

  async cleanup(point: ResumePoint): Promise<boolean> {
    return this.#fileSystem.files.delete(point.hiddenPath);
  }

  #file(path: string): MemoryFile {
    const file = this.#fileSystem.files.get(path);
    if (file === undefined) throw new SluiceError('NOT_FOUND', `${path} does not exist`);
    return file;
  }
}

class MemoryOpenFile implements OpenFile {
  readonly finalPath: string;
  readonly #fileSystem: MemoryFileSystem;
  readonly #hiddenPath: string;
  #state: 'open' | 'closed' | 'discarded' = 'open';

  constructor(fileSystem: MemoryFileSystem, hiddenPath: string, finalPath: string) {
    this.#fileSystem = fileSystem;
    this.#hiddenPath = hiddenPath;
    this.finalPath = finalPath;
  }

  get lengthBytes(): number {
    return this.#fileSystem.files.get(this.#hiddenPath)?.bytes.length ?? 0;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const file = this.#openFile('write');
    this.#fileSystem.enter('write', this.#hiddenPath);
    file.bytes = Buffer.concat([file.bytes, bytes]);
  }

  async persist(): Promise<ResumePoint> {
    const file = this.#openFile('persist');
    this.#fileSystem.enter('persist', this.#hiddenPath);
    file.durableBytes = file.bytes.length;
    return { hiddenPath: this.#hiddenPath, finalPath: this.finalPath, lengthBytes: file.bytes.length };
  }

  async closeForCommit(): Promise<PendingFile> {
    const file = this.#openFile('closeForCommit');
    this.#fileSystem.enter('closeForCommit', this.#hiddenPath);
    file.durableBytes = file.bytes.length;
    this.#state = 'closed';
    return { hiddenPath: this.#hiddenPath, finalPath: this.finalPath, lengthBytes: file.bytes.length };
  }

  async discard(): Promise<void> {
    if (this.#state === 'open') this.#fileSystem.files.delete(this.#hiddenPath);
    this.#state = 'discarded';
  }

  async release(): Promise<void> {}

  #openFile(step: string): MemoryFile {
    if (this.#state !== 'open') {
      throw new SluiceError('STEP_ILLEGAL', `${step} of ${this.#hiddenPath}, which is ${this.#state}`);
    }
    const file = this.#fileSystem.files.get(this.#hiddenPath);
    if (file === undefined)
      throw partMissing({ hiddenPath: this.#hiddenPath, finalPath: this.finalPath, lengthBytes: 0 });
    return file;
  }
}

function partMissing(point: ResumePoint): SluiceError {
  return new SluiceError(
    'PART_MISSING',
    `${point.hiddenPath} is gone or shorter than ${point.lengthBytes} bytes`,
  );
}
