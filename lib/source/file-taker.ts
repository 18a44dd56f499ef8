/**
 * Takes files: out of those that wait, oldest first, it makes splits, and remembers that it did. Most files are taken as
 * they are; large ones and those that are followed are looked into first, which takes a moment.
 *
 * That a file is known and that its split exists becomes true in one synchronous moment (`#commit`), so no checkpoint
 * can hold one without the other. A file that is being looked into is neither: a restart finds it again.
 */
import { SluiceError } from '../core/errors.ts';
import type { FileStatus } from '../storage/file-system.ts';
import type { AppendFollower, Following, JudgedName, ReplacedPolicy } from './append-follower.ts';
import { modifiedError, versionOf } from './file-version.ts';
import type { HomelessSplits } from './homeless-splits.ts';
import { type KnownFiles, type KnownRef, NO_REALM } from './known-files.ts';
import { judge, type ModifiedPolicy } from './modification.ts';
import type { OpenFiles } from './open-files.ts';
import { type Split, startPosition } from './split.ts';
import type { SplitPlanner, TakenPlan } from './split-planner.ts';
import type { TakeQuota } from './take-quota.ts';
import { type WaitingFile, WaitingFiles } from './waiting-files.ts';
import type { Warnings } from './warnings.ts';

export interface FileTakerOptions {
  readonly known: KnownFiles;
  readonly planner: SplitPlanner;
  readonly openFiles: OpenFiles;
  /** Asked under `modified: append`, in place of everything else. */
  readonly follower: AppendFollower;
  /** Whether the job's patterns want a file. */
  readonly isWanted: (path: string) => boolean;
  readonly onReplaced: ReplacedPolicy;
  readonly homeless: HomelessSplits;
  readonly quota: TakeQuota;
  readonly modified: ModifiedPolicy;
  readonly warnings: Warnings;
  /** No later scan looks at what is left: say so. */
  readonly lastScan: boolean;
  /** A file was taken. Called synchronously, also from `takeNext`. */
  readonly onSplit: (split: Split) => void;
  /** What is left of a split is in this file. */
  readonly onFound: (split: Split) => void;
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
  readonly counts = { taken: 0, takenBytes: 0, missing: 0, ignored: 0, replaced: 0 };

  constructor(options: FileTakerOptions) {
    this.#options = options;
  }

  /** What a scan found, in place of what the one before did. */
  accept(waiting: WaitingFiles, realmOfRoot: readonly number[]): void {
    this.#waiting = waiting;
    this.#realmOfRoot = realmOfRoot;
  }

  /** What was found beside it. */
  add(found: WaitingFiles): void {
    for (let file = found.pop(); file !== null; file = found.pop()) this.#waiting.add(file, file.root);
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

  /** By name; of one that is followed, a second name may be looked into: what comes second changes nothing. */
  isLookingInto(path: string): boolean {
    return this.#looking.has(path);
  }

  /** Takes the next file, or begins to look into it, or passes over it. @returns false where none waits */
  takeNext(): boolean {
    const file = this.#waiting.pop();
    if (file === null) return false;
    const { known, modified, planner, openFiles, homeless, fail } = this.#options;
    const { path } = file;
    if (openFiles.has(path) || openFiles.hasKey(file.fileKey ?? 0n) || this.#looking.has(path)) return true;
    const realm = this.#realmOfRoot[file.root] ?? NO_REALM;
    const entry = known.find(path);
    const matches = entry === -1 ? null : known.matches(entry, file.sizeBytes, versionOf(file));
    if (modified === 'append') {
      const same = matches === true && known.mayBe(entry, file.fileKey);
      if (!same || homeless.has(path) || known.get(entry).isCopy) void this.#look(file, realm);
      return true;
    }
    const verdict = judge(matches, modified);
    // Same or ignored: listed twice (roots overlap), or noted by a scan that runs since.
    if (verdict === 'fail') fail(modifiedError(path));
    else if (verdict === 'take' || verdict === 'reread') {
      const plan = planner.planUnseen(file);
      if (plan === null) void this.#look(file, realm);
      else this.#commit(file, realm, plan);
    }
    return true;
  }

  /** What is being looked into is not taken any more. */
  close(): void {
    this.#closed = true;
  }

  async #look(file: WaitingFile, realm: number): Promise<void> {
    const { planner, follower, modified, warnings, fail } = this.#options;
    this.#looking.add(file.path);
    try {
      if (modified === 'append') {
        const looked = await follower.look(file);
        if (!this.#closed) this.#commitFollowed(looked.file, realm, looked.following);
      } else {
        const plan = await planner.plan(file, null);
        if (!this.#closed && plan.kind !== 'replaced') this.#commit(file, realm, plan);
      }
    } catch (thrown) {
      const error = SluiceError.from(thrown);
      if (error.code === 'NOT_FOUND') {
        this.counts.missing++;
        warnings.warn('file-missing', `${file.path} was gone before it was read`);
      } else if (error.code !== 'FILE_MODIFIED' && !this.#closed) fail(error);
    }
    this.#looking.delete(file.path);
    this.#options.onLooked();
  }

  /** Takes what the follower found, unless what it was told is known of the file has changed since: then the next scan does. */
  #commitFollowed(file: FileStatus, realm: number, following: Following): void {
    const { known, openFiles, onReplaced, warnings, lastScan, fail } = this.#options;
    const { path } = file;
    if (openFiles.has(path) || openFiles.hasKey(file.fileKey ?? 0n)) return;
    const stale = (ref: KnownRef) => !known.isCurrent(ref) || openFiles.hasKey(ref.file.fileKey);
    const isStale = (name: string, own: KnownRef | null) =>
      openFiles.has(name) || (own === null ? known.find(name) !== -1 : stale(own));
    // It may be a copy of what was taken meanwhile.
    const isJudged = (names: readonly JudgedName[]) => names.every((name) => isAsJudged(name, known));
    switch (following.kind) {
      case 'continue': {
        const { from, plan } = following;
        if (stale(from) || !isJudged(following.judged)) return;
        // Without a key, it is known to be read by its name alone.
        if (following.fromPath !== undefined && openFiles.has(following.fromPath)) return;
        known.removeRef(from);
        this.#commit(file, realm, plan);
        this.#findHomeless(from, file);
        return;
      }
      case 'new':
        if (!isJudged(following.judged)) return;
        if (following.renamed !== null && stale(following.renamed)) return;
        this.#commitNew(file, realm, following.plan);
        return;
      case 'copied': {
        const { from, copies, plan } = following;
        if (stale(from) || copies.some((copy) => isStale(copy.file.path, copy.own))) return;
        for (const [index, copy] of copies.entries()) {
          const { consumedBytes, fingerprint } = copy.plan;
          const nothing: TakenPlan = { kind: 'nothing', consumedBytes, fingerprint };
          this.#commit(copy.file, realm, index === 0 ? copy.plan : nothing);
        }
        this.#findHomeless(from, copies[0]!.file);
        this.#commitNew(file, realm, plan);
        return;
      }
      case 'replaced': {
        const { from, why, plan } = following;
        if (stale(from) || !isJudged(following.judged)) return;
        if (onReplaced === 'fail') {
          fail(modifiedError(path, `${why} (on_replaced: fail)`));
          return;
        }
        if (plan === null) {
          this.#passOver(file, realm, why);
          return;
        }
        if (!this.#commitNew(file, realm, plan)) return;
        this.counts.replaced++;
        warnings.warn(
          'file-replaced',
          `${path}: ${why}; it is read from its beginning. What the one before had behind byte ${from.file.consumedBytes}, if anything, is lost (modified: append)`,
        );
        return;
      }
      case 'unfollowed':
        if (stale(following.from)) return;
        this.#passOver(file, realm, following.why);
        return;
      case 'copy': {
        const { own, plan } = following;
        if (isStale(path, own)) return;
        this.#record(file, realm, plan, true);
        return;
      }
      case 'wait':
        if (lastScan) {
          warnings.warn(
            'file-is-copy',
            `${path} is not read: it is the copy of a file beside it, which is taken first; the next run looks at it again`,
          );
        }
    }
  }

  /** A followed file that was renamed may have got a name that no pattern wants; what comes in its place is not input. */
  #commitNew(file: FileStatus, realm: number, plan: TakenPlan): boolean {
    const { known, isWanted } = this.#options;
    const wanted = isWanted(file.path);
    if (wanted) this.#commit(file, realm, plan);
    else {
      this.#freeName(file);
      known.remove(file.path);
    }
    return wanted;
  }

  /** The one that is known by a file's name, and is another one, may have got another name behind the listing's back. */
  #freeName({ path, fileKey }: FileStatus): void {
    const { known } = this.#options;
    const entry = known.find(path);
    if (entry !== -1 && !known.mayBe(entry, fileKey)) known.loseName(entry);
  }

  /** Notes that the file changed, and reads nothing. */
  #passOver(file: FileStatus, realm: number, why: string): void {
    this.#record(file, realm, { consumedBytes: 0, fingerprint: 0n });
    this.counts.ignored++;
    this.#options.warnings.warn('file-modified', `${file.path} is not read again: ${why} (modified: append)`);
  }

  #findHomeless({ file: { consumedBytes, fingerprint } }: KnownRef, file: FileStatus): void {
    const { homeless, onFound } = this.#options;
    const { path, sizeBytes, modifiedNs } = file;
    for (const split of homeless.takeOf(consumedBytes, fingerprint))
      onFound({ ...split, path, sizeBytes, modifiedNs: String(modifiedNs) });
  }

  #record(
    file: FileStatus,
    realm: number,
    { consumedBytes, fingerprint }: Pick<TakenPlan, 'consumedBytes' | 'fingerprint'>,
    isCopy = false,
  ): void {
    const { sizeBytes, fileKey = 0n } = file;
    this.#freeName(file);
    this.#options.known.record(file.path, {
      sizeBytes,
      modifiedNs: versionOf(file),
      realm,
      consumedBytes,
      fingerprint,
      fileKey,
      isCopy,
    });
  }

  #commit(file: FileStatus, realm: number, plan: TakenPlan): void {
    const { openFiles, quota, onSplit } = this.#options;
    const { path, sizeBytes, modifiedNs, identity, fileKey = 0n, birthKey } = file;
    this.#record(file, realm, plan);
    this.#tellUnread(file, plan);
    if (plan.kind !== 'read') return;
    this.counts.taken++;
    this.counts.takenBytes += (plan.endByte ?? sizeBytes) - plan.startByte;
    quota.take(sizeBytes);
    const { consumedBytes: bytes, fingerprint } = plan;
    const prefix = { bytes, fingerprint: String(fingerprint), fileKey: String(fileKey) };
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
      ...(fingerprint === 0n ? {} : { prefix }),
      ...(fingerprint === 0n && fileKey !== 0n ? { fileKey: String(fileKey) } : {}),
      ...(birthKey === undefined ? {} : { birthKey: String(birthKey) }),
    };
    openFiles.add(split, false);
    onSplit(split);
  }

  #tellUnread({ path, sizeBytes }: FileStatus, plan: TakenPlan): void {
    const { warnings, lastScan } = this.#options;
    if (!lastScan || plan.fingerprint === 0n || plan.consumedBytes >= sizeBytes) return;
    warnings.warn(
      'line-unfinished',
      `${path} ends without a line end: its last line waits for one (modified: append)`,
    );
  }
}

function isAsJudged({ path, known: before }: JudgedName, known: KnownFiles): boolean {
  return before === null ? known.find(path) === -1 : known.isCurrent(before);
}
