/**
 * Takes files: out of those that wait, oldest first, it makes splits, and remembers that it did. Most files are taken as
 * they are; large ones and those that are followed are looked into first, which takes a moment.
 *
 * That a file is known and that its split exists becomes true in one synchronous moment (`#commit`), so no checkpoint
 * can hold one without the other. A file that is being looked into is neither: a restart finds it again.
 */
import { SluiceError } from '../core/errors.ts';
import { modifiedError, versionOf } from './file-version.ts';
import { type KnownFiles, NO_REALM } from './known-files.ts';
import type { KnownFile } from './known-files-log.ts';
import { judge, type ModifiedPolicy } from './modification.ts';
import type { OpenFiles } from './open-files.ts';
import { type Split, startPosition } from './split.ts';
import type { Plan, SplitPlanner } from './split-planner.ts';
import type { TakeQuota } from './take-quota.ts';
import { type WaitingFile, WaitingFiles } from './waiting-files.ts';
import type { Warnings } from './warnings.ts';

export interface FileTakerOptions {
  readonly known: KnownFiles;
  readonly planner: SplitPlanner;
  readonly openFiles: OpenFiles;
  readonly quota: TakeQuota;
  readonly modified: ModifiedPolicy;
  readonly warnings: Warnings;
  /** No later scan looks at what is left: say so. */
  readonly lastScan: boolean;
  /** A file was taken. Called synchronously, also from `takeNext`. */
  readonly onSplit: (split: Split) => void;
  /** A file was looked into; it was taken, or not. */
  readonly onLooked: () => void;
  readonly fail: (error: SluiceError) => void;
}

export class FileTaker {
  readonly #options: FileTakerOptions;
  /** At most one a subtask that waits. */
  readonly #looking = new Set<string>();
  #waiting = new WaitingFiles([]);
  #realmOfRoot: readonly number[] = [];
  #closed = false;
  /** Number of the next file taken. */
  nextFile = 1;
  readonly counts = { taken: 0, takenBytes: 0, missing: 0, ignored: 0 };

  constructor(options: FileTakerOptions) {
    this.#options = options;
  }

  /** What a scan found, in place of what the one before did. */
  accept(waiting: WaitingFiles, realmOfRoot: readonly number[]): void {
    this.#waiting = waiting;
    this.#realmOfRoot = realmOfRoot;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  get waitingBytes(): number {
    return this.#waiting.sizeBytes;
  }

  /** Files being looked into. */
  get looking(): number {
    return this.#looking.size;
  }

  isLookingInto(path: string): boolean {
    return this.#looking.has(path);
  }

  /** Takes the next file, or begins to look into it, or passes over it. @returns false where none waits */
  takeNext(): boolean {
    const file = this.#waiting.pop();
    if (file === null) return false;
    const { known, modified, planner, openFiles, fail } = this.#options;
    const { path } = file;
    if (openFiles.has(path) || this.#looking.has(path)) return true;
    const realm = this.#realmOfRoot[file.root] ?? NO_REALM;
    const entry = known.find(path);
    const verdict = judge(
      entry === -1 ? null : known.matches(entry, file.sizeBytes, versionOf(file)),
      modified,
    );
    // Same or ignored: listed twice (roots overlap), or noted by a scan that runs since.
    if (verdict === 'fail') fail(modifiedError(path));
    else if (verdict === 'append') void this.#look(file, realm, known.get(entry));
    else if (verdict === 'take' || verdict === 'reread') {
      const plan = planner.planUnseen(file);
      if (plan === null) void this.#look(file, realm, null);
      else this.#commit(file, realm, plan);
    }
    return true;
  }

  /** What is being looked into is not taken any more. */
  close(): void {
    this.#closed = true;
  }

  async #look(file: WaitingFile, realm: number, before: KnownFile | null): Promise<void> {
    this.#looking.add(file.path);
    try {
      const plan = await this.#options.planner.plan(file, before);
      if (!this.#closed) this.#commit(file, realm, plan);
    } catch (thrown) {
      const error = SluiceError.from(thrown);
      if (error.code === 'NOT_FOUND') {
        this.counts.missing++;
        this.#options.warnings.warn('file-missing', `${file.path} was gone before it was read`);
      } else if (!this.#closed) this.#options.fail(error);
    }
    this.#looking.delete(file.path);
    this.#options.onLooked();
  }

  #commit(file: WaitingFile, realm: number, plan: Plan): void {
    const { known, openFiles, quota, onSplit } = this.#options;
    const { path, sizeBytes, modifiedNs, identity } = file;
    const { consumedBytes, fingerprint } =
      plan.kind === 'replaced' ? { consumedBytes: 0, fingerprint: 0n } : plan;
    known.record(path, { sizeBytes, modifiedNs: versionOf(file), realm, consumedBytes, fingerprint });
    if (plan.kind !== 'read') {
      this.#tellUnread(file, plan);
      return;
    }
    this.counts.taken++;
    this.counts.takenBytes += (plan.endByte ?? sizeBytes) - plan.startByte;
    quota.take(sizeBytes);
    const fileId = String(this.nextFile++);
    const split: Split = {
      id: `${fileId}.0`,
      fileId,
      path,
      sizeBytes,
      modifiedNs: String(modifiedNs),
      ...(identity === undefined ? {} : { identity: String(identity) }),
      compression: plan.compression,
      startByte: plan.startByte,
      endByte: plan.endByte,
      position: startPosition(plan.startByte),
    };
    openFiles.add(split, false);
    onSplit(split);
  }

  #tellUnread({ path, sizeBytes }: WaitingFile, plan: Exclude<Plan, { kind: 'read' }>): void {
    const { warnings, lastScan } = this.#options;
    if (plan.kind === 'replaced') {
      this.counts.ignored++;
      warnings.warn('file-modified', `${path} is not read again: ${plan.why} (modified: append)`);
    } else if (lastScan && plan.consumedBytes < sizeBytes) {
      warnings.warn(
        'line-unfinished',
        `${path} ends without a line end: its last line waits for one (modified: append)`,
      );
    }
  }
}
