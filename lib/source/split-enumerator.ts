/**
 * Hands out splits: scans the source, has files taken oldest first, cuts them, and gives each split to a subtask that
 * asked (Flink: SplitEnumerator, ContinuousFileSplitEnumerator). Lives in the coordinator.
 *
 * What a checkpoint holds of it: splits that nobody reads, at their positions, and which files were taken (KnownFiles).
 * `snapshot` and `takeDiscoveryDelta` fit together when they are called without an await between them, and fit the
 * subtasks' answers when those are asked for in the same moment: what was assigned before is theirs, the rest is here.
 * Files that wait are in no checkpoint: a restart lists them again.
 */
import { AppendFollower } from './append-follower.ts';
import { endWarning, lossWarning } from './end-warnings.ts';
import type {
  RestoredEnumerator,
  SourceCounters,
  SplitEnumeratorContext,
  SplitEnumeratorOptions,
} from './enumerator-options.ts';
import { checkEnumeratorState, ENUMERATOR_VERSION, type EnumeratorState } from './enumerator-state.ts';
import { FileScanner, type ScanResult } from './file-scanner.ts';
import { wants } from './file-selector.ts';
import { FileTaker } from './file-taker.ts';
import { HomelessSplits, isHomeless } from './homeless-splits.ts';
import { KnownFiles } from './known-files.ts';
import { type FileEnd, OpenFiles } from './open-files.ts';
import { Realms } from './realms.ts';
import { ScanLoop } from './scan-loop.ts';
import { SecondLook } from './second-look.ts';
import { takeSmallBehind } from './small-files.ts';
import type { SpentFile } from './spent-file.ts';
import { checkSplit, remainingBytes, type Split, type SplitOutcome } from './split.ts';
import { SplitPlanner } from './split-planner.ts';
import { TakeQuota } from './take-quota.ts';

export class SplitEnumerator {
  readonly #options: SplitEnumeratorOptions;
  readonly #context: SplitEnumeratorContext;
  readonly #known: KnownFiles;
  readonly #realms = new Realms();
  readonly #planner: SplitPlanner;
  readonly #taker: FileTaker;
  readonly #scans: ScanLoop;
  readonly #quota: TakeQuota;
  readonly #openFiles = new OpenFiles();
  /** Splits that nobody reads: given back, restored, or the rest of a file being cut. As many as there are subtasks, about. */
  #pending: Split[] = [];
  /** Subtask by split. */
  readonly #assigned = new Map<string, number>();
  readonly #homeless = new HomelessSplits();
  /** As many as were homeless, until the next checkpoint. */
  readonly #givenUp: SplitOutcome[] = [];
  readonly #readers = new Set<number>();
  /** Files that are being deleted or moved: neither what is left of them nor what comes in their place is judged yet. */
  readonly #cleaning = new Set<string>();
  /** Subtasks that asked and got nothing yet, first come first served. */
  readonly #asking = new Set<number>();
  readonly #secondLook = new SecondLook();
  /** PROCESS_ONCE: the last scan is over. */
  #scanned = false;
  #closed = false;
  #scan: Pick<ScanResult, 'listed' | 'tooYoung'> = { listed: 0, tooYoung: 0 };
  #restoredBytes = 0;
  #counts = { scans: 0, looks: 0, read: 0, missing: 0, changed: 0, ignored: 0, forgotten: 0 };

  /** @throws SluiceError STATE_CORRUPT, STATE_VERSION */
  constructor(
    options: SplitEnumeratorOptions,
    context: SplitEnumeratorContext,
    restored: RestoredEnumerator | null,
  ) {
    this.#options = options;
    this.#context = context;
    const followAppends = options.modified === 'append';
    this.#known = new KnownFiles(followAppends);
    this.#planner = new SplitPlanner({ ...options, followAppends });
    const scanner = new FileScanner({
      ...options,
      known: this.#known,
      realms: this.#realms,
      isOpen: ({ path, fileKey = 0n }) =>
        this.#openFiles.has(path) ||
        this.#openFiles.hasKey(fileKey) ||
        this.#taker.isLookingInto(path) ||
        this.#cleaning.has(path),
      onPassedOver: () => this.#secondLook.want(),
      isSought: (path) => this.#homeless.has(path),
      seeksAny: () => this.#homeless.size > 0,
      onFoundSoFar: (waiting, realms) => {
        this.#taker.accept(waiting, realms);
        this.#dispatch();
      },
    });
    this.#scans = new ScanLoop({
      ...options,
      scanner,
      onScan: () => this.#giveUpHomeless(),
      onScanned: (result) => this.#accept(result),
      onLookedAt: ({ waiting, ignored }) => {
        this.#counts.looks++;
        this.#counts.ignored += ignored;
        this.#taker.add(waiting);
        this.#dispatch();
      },
      fail: (error) => this.#context.fail(error),
    });
    this.#quota = new TakeQuota(options.limits);
    const isWanted = (path: string) => options.roots.some((root) => wants(root, path));
    this.#taker = new FileTaker({
      known: this.#known,
      planner: this.#planner,
      openFiles: this.#openFiles,
      follower: new AppendFollower({
        ...options,
        known: this.#known,
        planner: this.#planner,
        isWanted,
      }),
      isWanted,
      onReplaced: options.onReplaced,
      homeless: this.#homeless,
      quota: this.#quota,
      modified: options.modified,
      warnings: options.warnings,
      lastScan: options.mode === 'once',
      onSplit: (split) => this.#pending.push(split),
      onFound: (split) => {
        this.#openFiles.add(split, true);
        this.#pending.push(split);
      },
      onLooked: () => this.#dispatch(),
      fail: (error) => this.#context.fail(error),
    });
    if (restored !== null) this.#restore(restored);
  }

  #restore({ state, discovery, splits }: RestoredEnumerator): void {
    this.#taker.nextFile = checkEnumeratorState(state).nextFile;
    this.#realms.restore(state.realms);
    for (const delta of discovery) this.#known.apply(delta);
    this.#restoredBytes = [...splits, ...state.splits].reduce((sum, split) => sum + remainingBytes(split), 0);
    // Splits begun come first: their files were taken first.
    this.addSplitsBack([...splits.map(checkSplit), ...state.splits]);
  }

  /** Begins scanning. */
  start(): void {
    this.#scans.start();
  }

  /**
   * Something seems to have happened: looks soon, at the files of these names alone, or (null) by a listing.
   * @returns once that is done; false where the source is closed before
   */
  hint(names: readonly string[] | null): Promise<boolean> {
    // What a followed file is, a look at it alone does not tell.
    return this.#scans.hint(this.#options.modified === 'append' ? null : names);
  }

  addReader(subtask: number): void {
    this.#readers.add(subtask);
  }

  /** The subtask is gone: it gets nothing more. Its splits come back by `addSplitsBack`. */
  removeReader(subtask: number): void {
    this.#readers.delete(subtask);
    this.#asking.delete(subtask);
  }

  /** A subtask asks for a split. One, or several small ones, are assigned now or once there are some; requests of unknown subtasks are ignored. */
  handleSplitRequest(subtask: number): void {
    if (!this.#readers.has(subtask)) return;
    this.#asking.add(subtask);
    this.#dispatch();
  }

  /** Splits whose subtask is gone, at the positions that the last checkpoint knows. */
  addSplitsBack(splits: readonly Split[]): void {
    for (const split of splits) {
      // One that this enumerator gave away is counted already.
      if (!this.#assigned.delete(split.id)) this.#openFiles.add(split, true);
      this.#pending.push(split);
    }
    this.#dispatch();
  }

  /**
   * A subtask is done with a split.
   * @returns how its file ended, null while other splits of it are left
   */
  finishSplit({ split, kind }: SplitOutcome): FileEnd | null {
    if (!this.#assigned.delete(split.id)) return null;
    if (isHomeless({ split, kind })) {
      this.#seekFile(split, kind);
      return null;
    }
    if (kind !== 'read') {
      // What is left would be read from another file than the rest was.
      for (const pending of this.#takePendingOf(split)) this.#openFiles.finish(pending, kind);
    }
    const end = this.#openFiles.finish(split, kind);
    if (end !== null) this.#closeFile(end);
    // Its subtask may have asked for more before it said so.
    if (this.#secondLook.isWanted) this.#dispatch();
    return end;
  }

  /** The file is followed and elsewhere by now: what is left of it waits until it is found. */
  #seekFile(split: Split, kind: SplitOutcome['kind']): void {
    for (const each of [split, ...this.#takePendingOf(split)]) {
      this.#homeless.add(each);
      this.#openFiles.finish(each, kind);
    }
    // PROCESS_ONCE: the one scan may be over.
    this.#scans.start();
    this.#dispatch();
  }

  /** Splits of the same file that wait to be handed out; they do not any more. */
  #takePendingOf({ fileId }: Split): Split[] {
    const taken = this.#pending.filter((pending) => pending.fileId === fileId);
    if (taken.length > 0) this.#pending = this.#pending.filter((pending) => pending.fileId !== fileId);
    return taken;
  }

  /** Only once everything was looked into that the scan before found, it tells that their files are nowhere. */
  #giveUpHomeless(): void {
    if (!this.#scanned || this.#taker.waiting > 0 || this.#taker.looking > 0) return;
    const isOpen = (split: Split) => this.#openFiles.hasFileOf(split);
    for (const split of this.#homeless.scanEnded(isOpen)) {
      this.#counts.missing++;
      this.#givenUp.push({ split, kind: 'missing' });
      this.#options.warnings.warn(...lossWarning(split));
    }
  }

  #closeFile(end: FileEnd): void {
    this.#counts[end.kind]++;
    if (end.kind === 'read') return;
    // Nothing of it was read: it is as if it had not been taken. If it is there, the next scan finds it as it is.
    if (end.untouched) this.#known.remove(end.path);
    const isLast = this.#options.mode === 'once' && !this.#secondLook.isWanted;
    this.#options.warnings.warn(...endWarning(end, isLast ? 'run' : 'scan'));
  }

  /** For a checkpoint; see above for when. */
  snapshot(): EnumeratorState {
    return {
      version: ENUMERATOR_VERSION,
      nextFile: this.#taker.nextFile,
      realms: this.#realms.state(),
      splits: [...this.#pending, ...this.#homeless.splits],
    };
  }

  /** Which subtask has which split, by its id, a few dozen of them; belongs to `snapshot`. */
  get assigned(): ReadonlyMap<string, number> {
    return new Map(this.#assigned);
  }

  /** What became of splits of followed files that were given up since the last call; belongs to `snapshot`. */
  takeGivenUp(): readonly SplitOutcome[] {
    return this.#givenUp.splice(0);
  }

  /** Whether no file of the name is known any more: a listing did not show it, or it was moved away. */
  isForgotten(path: string): boolean {
    return this.#known.find(path) === -1;
  }

  /** A file that was read is about to be deleted or moved away. */
  beginCleaning(path: string): void {
    this.#cleaning.add(path);
  }

  /** @returns whether its name is forgotten: not where another was taken by it meanwhile, under `reread` as a change */
  endCleaning({ path, sizeBytes, modifiedNs, identity = modifiedNs }: SpentFile, gone: boolean): boolean {
    this.#cleaning.delete(path);
    if (!gone || this.#openFiles.has(path)) return false;
    const entry = this.#options.modified === 'reread' ? this.#known.find(path) : -1;
    if (entry !== -1 && !this.#known.matches(entry, sizeBytes, BigInt(identity))) return false;
    this.#known.remove(path);
    return true;
  }

  /** The checkpoint of the last `snapshot` is durable: what `limits` held back may be taken. */
  checkpointTaken(): void {
    this.#quota.reset();
    this.#dispatch();
  }

  /** What became known and forgotten since the last call; empty where nothing did. Belongs to `snapshot`. */
  takeDiscoveryDelta(): Uint8Array {
    return this.#known.takeDelta();
  }

  /** All that is known, in place of all deltas so far. */
  discoverySnapshot(): Uint8Array {
    return this.#known.snapshot();
  }

  get counters(): SourceCounters {
    const { taken, takenBytes, missing, ignored, replaced } = this.#taker.counts;
    return {
      ...this.#counts,
      ...this.#scan,
      taken,
      takenBytes: takenBytes + this.#restoredBytes,
      waitingBytes: this.#taker.waitingBytes,
      missing: this.#counts.missing + missing,
      ignored: this.#counts.ignored + ignored,
      replaced,
      known: this.#known.size,
      waiting: this.#taker.waiting,
      open: this.#openFiles.size + this.#homeless.size,
    };
  }

  /** Stops scanning; returns once nothing runs any more. Calls may repeat. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#taker.close();
    await this.#scans.close();
  }

  /** @returns whether to look again */
  #accept(result: ScanResult): boolean {
    this.#taker.accept(result.waiting, result.realms);
    this.#scan = { listed: result.listed, tooYoung: result.tooYoung };
    this.#counts.scans++;
    this.#counts.ignored += result.ignored;
    this.#counts.forgotten += result.forgotten;
    this.#scanned = true;
    if (this.#options.mode === 'once' && result.tooYoung > 0) {
      this.#options.warnings.warn(
        'file-too-young',
        `${result.tooYoung} files are younger than min_age and are left for the next run`,
      );
    }
    this.#dispatch();
    return this.#options.mode !== 'once' || this.#homeless.size > 0 || !this.#scanned;
  }

  /** Gives what there is to those who asked. */
  #dispatch(): void {
    while (this.#asking.size > 0 && !this.#closed) {
      const split = this.#pending.shift();
      if (split !== undefined) {
        this.#assign(split);
        continue;
      }
      if (!this.#takesNext(this.#asking.size)) break;
    }
    if (this.#isQuotaUsedUp()) this.#context.quotaUsedUp();
    const exhausted =
      this.#scanned &&
      this.#pending.length === 0 &&
      this.#homeless.size === 0 &&
      this.#taker.looking === 0 &&
      this.#taker.waiting === 0;
    if (this.#options.mode !== 'once' || !exhausted || this.#closed) return;
    if (this.#secondLook.isWanted) {
      if (this.#openFiles.size > 0) return;
      this.#secondLook.begin();
      this.#scanned = false;
      this.#scans.start();
      return;
    }
    for (const subtask of this.#asking) {
      this.#asking.delete(subtask);
      this.#context.signalNoMoreSplits(subtask);
    }
  }

  /** One file is looked into for each subtask that waits, not the whole backlog. @returns false where none was taken */
  #takesNext(subtasks: number): boolean {
    const { looking } = this.#taker;
    return looking < subtasks && this.#quota.allows(looking) && this.#taker.takeNext();
  }

  /** Whether subtasks wait for nothing but the next checkpoint, and everything taken is read. */
  #isQuotaUsedUp(): boolean {
    const idle = this.#assigned.size === 0 && this.#pending.length === 0 && this.#taker.looking === 0;
    return idle && this.#asking.size > 0 && this.#taker.waiting > 0 && !this.#quota.allows(0);
  }

  #assign(split: Split): void {
    const [range, rest] = this.#planner.cut(split);
    if (rest !== null) {
      this.#openFiles.add(rest, false);
      this.#pending.unshift(rest);
    }
    const [subtask] = this.#asking;
    this.#asking.delete(subtask!);
    // Of what is left, a quarter of a subtask's part.
    const share = Math.floor((this.#pending.length + this.#taker.waiting) / (4 * this.#readers.size));
    const isWhole = (next: Split) => this.#planner.cut(next)[1] === null;
    const ahead = takeSmallBehind(range, this.#pending, share, isWhole, () => this.#takesNext(1));
    for (const each of [range, ...ahead]) this.#assigned.set(each.id, subtask!);
    this.#context.assignSplit(subtask!, range, ahead);
  }
}
