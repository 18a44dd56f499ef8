/**
 * Deletes or moves source files (`source.after_commit`) once every row of theirs is in a visible part: after the
 * checkpoint that holds them all is durable, and after each part that was open at that checkpoint is published. What is
 * still to be done is in each checkpoint, so a crash at any point leads to the same end. Nothing is done to a file that is
 * no longer the one that was read.
 */
import path from 'node:path';
import pLimit from 'p-limit';
import type { AfterCommit } from '../core/compiled-job.ts';
import { SluiceError } from '../core/errors.ts';
import { failpoint } from '../core/failpoint.ts';
import { isAnother } from '../source/file-version.ts';
import { removalsOf } from '../source/known-files-log.ts';
import type { SpentFile } from '../source/spent-file.ts';
import type { Warnings } from '../source/warnings.ts';
import type { FileStatus, FileSystem } from '../storage/file-system.ts';
import { type Checkpoint, openPartsOf } from './checkpoint.ts';

/** Files that may wait for their parts to become visible; beyond that every open part is closed. */
const MAX_WAITING = 10_000;
/** Files that cannot be deleted or moved before that is an error: the state must not grow with them for ever. */
const MAX_FAILED = 1000;
/** Files dealt with at once. */
const CONCURRENCY = 8;
const NS_PER_MS = 1_000_000n;
/** Names tried for a file whose own is taken where it is moved to. */
const MAX_NAMES = 1000;

/** What has to know that files go. See SplitEnumerator. */
export interface CleanedSource {
  beginCleaning(path: string): void;
  endCleaning(file: SpentFile, gone: boolean): boolean;
}

export interface SourceCleanerOptions {
  readonly fileSystem: FileSystem;
  readonly policy: Exclude<AfterCommit, { readonly kind: 'keep' }>;
  /** The source's folders: a file moves under its path relative to the one it is in. */
  readonly folders: readonly string[];
  readonly warnings: Warnings;
  readonly source: CleanedSource;
  /** What the checkpoint at the start says is still to be done. */
  readonly restored: readonly SpentFile[];
}

export class SourceCleaner {
  readonly #options: SourceCleanerOptions;
  #waiting: readonly SpentFile[];
  /** Paths of files that went since the last checkpoint that may say so. Bounded as `#waiting` is. */
  #gone: string[] = [];

  constructor(options: SourceCleanerOptions) {
    this.#options = options;
    this.#waiting = options.restored;
  }

  /** What a checkpoint has to keep. */
  get waiting(): readonly SpentFile[] {
    return this.#waiting;
  }

  /** Whether so many wait that the open parts have to be closed for them. */
  get crowded(): boolean {
    return this.#waiting.length >= MAX_WAITING;
  }

  /** Files of a checkpoint that is durable now. */
  add(files: readonly SpentFile[]): void {
    this.#waiting = [...this.#waiting, ...files];
  }

  /** For a last checkpoint: a delta that forgets the files that went since the one before. */
  takeForgotten(): Uint8Array {
    const removals = removalsOf(this.#gone);
    this.#gone = [];
    return removals;
  }

  /**
   * Does what can be done now that everything promised by `checkpoint`, the newest durable one, is published.
   * @returns how many files are done. A file that cannot be deleted or moved is told of and tried again next time
   * @throws SluiceError where that is so of very many
   */
  async clean(checkpoint: Checkpoint): Promise<number> {
    // What went before is in the checkpoint's own delta.
    this.#gone = [];
    const published = newestPublished(checkpoint);
    const ready = this.#waiting.filter(({ checkpointId }) => checkpointId <= published);
    if (ready.length === 0) return 0;
    const limit = pLimit(CONCURRENCY);
    const failures = new Map<SpentFile, SluiceError>();
    await Promise.all(
      ready.map((file) =>
        limit(async () => {
          const failure = await this.#dispose(file);
          if (failure !== null) failures.set(file, failure);
        }),
      ),
    );
    this.#waiting = this.#waiting.filter((file) => file.checkpointId > published || failures.has(file));
    for (const failure of failures.values()) {
      // Its rows are safe and visible: no reason to stop, unless it is a crash that a test asked for, or goes on for ever.
      if (failure.domain === 'internal' || failures.size > MAX_FAILED) throw failure;
      this.#options.warnings.warn(
        'after-commit-failed',
        `${failure.message}; tried again after the next checkpoint`,
      );
    }
    return ready.length - failures.size;
  }

  /**
   * Before the first scan of a run: where files that wait were replaced since, what has their names is new, and it is this
   * scan that has to find it.
   */
  async dropReplaced(): Promise<void> {
    const { fileSystem, source } = this.#options;
    const limit = pLimit(CONCURRENCY);
    const replaced = new Set<SpentFile>();
    const look = async (file: SpentFile): Promise<void> => {
      // What cannot be looked at now is looked at once more before anything is done to it.
      const status = await fileSystem.stat(file.path).catch(() => null);
      if (status !== null && isAnother(status, file)) replaced.add(file);
    };
    const keyed = this.#waiting.filter(({ birthKey }) => birthKey !== undefined);
    await Promise.all(keyed.map((file) => limit(() => look(file))));
    for (const file of replaced) {
      if (!this.#isNewest(file)) continue;
      if (source.endCleaning(file, true)) this.#gone.push(file.path);
    }
    this.#waiting = this.#waiting.filter((file) => !replaced.has(file));
  }

  /** Whether no later file of the name waits: then what is known by the name is this one. */
  #isNewest(file: SpentFile): boolean {
    return this.#waiting.findLast(({ path: other }) => other === file.path) === file;
  }

  async #dispose(file: SpentFile): Promise<SluiceError | null> {
    const { source } = this.#options;
    source.beginCleaning(file.path);
    let gone = false;
    try {
      gone = await this.#remove(file);
      return null;
    } catch (thrown) {
      return SluiceError.from(thrown);
    } finally {
      if (source.endCleaning(file, gone)) this.#gone.push(file.path);
    }
  }

  /** @returns whether the file is gone, be it that another one has its name by now, and nothing else is known by it */
  async #remove(spent: SpentFile): Promise<boolean> {
    const { path: file, checkpointMs, birthKey } = spent;
    const { fileSystem, policy, warnings } = this.#options;
    const status = await fileSystem.stat(file);
    // Done before a crash, or by somebody else.
    if (status === null) return true;
    if (isAnother(status, spent)) return this.#isNewest(spent);
    if (!isVersion(status, spent)) {
      const hasKeys = birthKey !== undefined && status.birthKey !== undefined;
      const isYounger = status.createdNs !== null && status.createdNs > BigInt(checkpointMs) * NS_PER_MS;
      const isNew = isYounger && !hasKeys;
      if (!isNew)
        warnings.warn('file-modified', `${file} changed after it was read, so it is kept (after_commit)`);
      return isNew;
    }
    failpoint('clean.before');
    if (policy.kind === 'delete') await fileSystem.remove(file);
    else await this.#move(file, policy.folder);
    failpoint('clean.after');
    return true;
  }

  /** Under its own name; where that is taken, with `.1`, `.2` ... behind it. */
  async #move(file: string, folder: string): Promise<void> {
    const target = path.join(folder, this.#relative(file));
    for (let n = 0; n < MAX_NAMES; n++) {
      const moved = await this.#options.fileSystem.move(file, n === 0 ? target : `${target}.${n}`);
      if (moved !== 'occupied') return;
    }
    throw new SluiceError('TARGET_EXISTS', `${target} and ${MAX_NAMES - 1} names like it are taken`, {
      hint: 'clear the folder that after_commit moves files to',
    });
  }

  #relative(file: string): string {
    const within = this.#options.folders.filter((folder) => file.startsWith(`${folder}/`));
    const folder = within.reduce((longest, each) => (each.length > longest.length ? each : longest), '');
    return folder === '' ? path.basename(file) : file.slice(folder.length + 1);
  }
}

function isVersion(status: FileStatus, { sizeBytes, modifiedNs, identity }: SpentFile): boolean {
  const isSame = identity === undefined || String(status.identity) === identity;
  return isSame && status.sizeBytes === sizeBytes && String(status.modifiedNs) === modifiedNs;
}

/** The newest checkpoint whose rows are all in parts that are not open any more. */
function newestPublished(checkpoint: Checkpoint): number {
  let newest = checkpoint.id;
  for (const { sinceCheckpoint = 0 } of openPartsOf(checkpoint)) newest = Math.min(newest, sinceCheckpoint);
  return newest;
}
