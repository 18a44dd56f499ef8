/**
 * Small files that are read before they are asked for. Each takes some calls of the operating system, or a request, that a
 * subtask would wait for one after the other: on a disk 0.5 ms a file, of which reading several at once leaves 0.1.
 *
 * Each is read in the version that was listed, or not at all: then the reader opens it itself, and meets the error, or the
 * other version, where it can be dealt with. What was read is kept until its split is done: a record that is refused is
 * looked at once more, and a change of the schema reads on from the same bytes.
 */
import pLimit from 'p-limit';
import type { FileSystem } from '../storage/file-system.ts';
import { isSmallFile } from './small-files.ts';
import type { Split } from './split.ts';

/** Held at once: more are not read ahead. The one asked for, and those handed out with it. */
const MAX_FILES = 33;
const MAX_BYTES = 4 * 1024 * 1024;
/** Read at once. */
const MAX_READS = 8;

interface Ahead {
  readonly sizeBytes: number;
  /** null where it could not be read. */
  readonly bytes: Promise<Uint8Array | null>;
}

export class FilesAhead {
  readonly #fileSystem: FileSystem;
  /** By the split's id. */
  readonly #files = new Map<string, Ahead>();
  readonly #limit = pLimit(MAX_READS);
  #sizeBytes = 0;
  #closed = false;

  constructor(fileSystem: FileSystem) {
    this.#fileSystem = fileSystem;
  }

  /** A split will be opened soon: begins to read its file if that is a small one, and there is room for it. */
  add(split: Split): void {
    const { id, sizeBytes } = split;
    if (!isSmallFile(split) || this.#closed || this.#files.has(id)) return;
    if (this.#files.size >= MAX_FILES || this.#sizeBytes + sizeBytes > MAX_BYTES) return;
    const bytes = this.#limit(() => (this.#closed ? null : this.#read(split))).catch(() => null);
    this.#files.set(id, { sizeBytes, bytes });
    this.#sizeBytes += sizeBytes;
  }

  /** A file as it is stored; null where it was not read ahead. */
  async bytesOf({ id }: Split): Promise<Uint8Array | null> {
    return (await this.#files.get(id)?.bytes) ?? null;
  }

  /** A split is done. */
  drop({ id }: Split): void {
    this.#sizeBytes -= this.#files.get(id)?.sizeBytes ?? 0;
    this.#files.delete(id);
  }

  /** What is under way is waited for. Calls may repeat. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#files.values()].map(({ bytes }) => bytes));
    this.#files.clear();
    this.#sizeBytes = 0;
  }

  #read({ path, sizeBytes, modifiedNs, identity, birthKey }: Split): Promise<Uint8Array | null> {
    const version = {
      ...(identity === undefined ? {} : { identity: BigInt(identity) }),
      ...(birthKey === undefined ? {} : { birthKey: BigInt(birthKey) }),
    };
    return this.#fileSystem.readVersion({ path, sizeBytes, modifiedNs: BigInt(modifiedNs), ...version });
  }
}
