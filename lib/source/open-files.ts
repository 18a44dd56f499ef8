/** Files that were taken and are not read to the end: how many splits of each are left, and how those before ended. */
import { isUntouched, type Split, type SplitOutcome } from './split.ts';

/** How a file ended, once no split of it is left. */
export interface FileEnd {
  readonly fileId: string;
  readonly path: string;
  /** As it was taken. */
  readonly sizeBytes: number;
  readonly modifiedNs: string;
  readonly identity?: string;
  readonly birthKey?: string;
  /** The worst that happened to one of its splits. */
  readonly kind: SplitOutcome['kind'];
  /** Not one byte of it was taken. */
  readonly untouched: boolean;
  /** Something of it was quarantined, and not as a whole. */
  readonly incomplete: boolean;
}

interface OpenFile {
  readonly path: string;
  /** null: it has none. */
  readonly fileKey: string | null;
  splits: number;
  kind: SplitOutcome['kind'];
  untouched: boolean;
  incomplete: boolean;
}

const RANK: Readonly<Record<SplitOutcome['kind'], number>> = { read: 0, missing: 1, changed: 2 };

/** Bounded by the splits that exist: those being read and those pending, a few for each subtask. */
export class OpenFiles {
  readonly #byId = new Map<string, OpenFile>();
  /** How many takes of a path are open: one, but for what a restart may bring together. */
  readonly #paths = new Map<string, number>();
  /** The same by file key, where files may be found under other names. */
  readonly #keys = new Map<string, number>();

  get size(): number {
    return this.#byId.size;
  }

  has(path: string): boolean {
    return this.#paths.has(path);
  }

  hasKey(fileKey: bigint): boolean {
    return this.#keys.size > 0 && this.#keys.has(String(fileKey));
  }

  /** Whether splits of the same file are left, under whatever name it was taken. */
  hasFileOf(split: Split): boolean {
    const fileKey = keyOf(split);
    return fileKey === null ? this.has(split.path) : this.#keys.has(fileKey);
  }

  /**
   * One more split of a file.
   * @param restored it comes from a checkpoint. Ranges of the file that were read before are not heard of again then,
   *   so a file that may have had several counts as touched.
   */
  add(split: Split, restored: boolean): void {
    const { fileId, path } = split;
    const fileKey = keyOf(split);
    let file = this.#byId.get(fileId);
    if (file === undefined) {
      const untouched = !restored || (split.id.endsWith('.0') && split.endByte === null);
      file = { path, fileKey, splits: 0, kind: 'read', untouched, incomplete: false };
      this.#byId.set(fileId, file);
      count(this.#paths, path, 1);
      if (fileKey !== null) count(this.#keys, fileKey, 1);
    } else if (restored) file.untouched = false;
    file.splits++;
  }

  /** One split less. @returns how the file ended if that was the last */
  finish(split: Split, kind: SplitOutcome['kind']): FileEnd | null {
    const file = this.#byId.get(split.fileId);
    if (file === undefined) return null;
    if (RANK[kind] > RANK[file.kind]) file.kind = kind;
    file.incomplete ||= split.incomplete === true;
    if (kind === 'read' || !isUntouched(split)) file.untouched = false;
    if (--file.splits > 0) return null;
    this.#byId.delete(split.fileId);
    count(this.#paths, file.path, -1);
    if (file.fileKey !== null) count(this.#keys, file.fileKey, -1);
    const { fileId, sizeBytes, modifiedNs, identity, birthKey } = split;
    const { path, kind: worst, untouched, incomplete } = file;
    const version = {
      ...(identity === undefined ? {} : { identity }),
      ...(birthKey === undefined ? {} : { birthKey }),
    };
    return { fileId, path, sizeBytes, modifiedNs, ...version, kind: worst, untouched, incomplete };
  }
}

function keyOf({ prefix, fileKey = '0' }: Split): string | null {
  const key = prefix?.fileKey ?? fileKey;
  return key === '0' ? null : key;
}

function count(counts: Map<string, number>, key: string, by: 1 | -1): void {
  const now = (counts.get(key) ?? 0) + by;
  if (now === 0) counts.delete(key);
  else counts.set(key, now);
}
