/** What a split enumerator is made with, and what it tells of itself. */
import type { Clock } from '../core/clock.ts';
import type { SourceLimits } from '../core/compiled-job.ts';
import type { SluiceError } from '../core/errors.ts';
import type { ProcessingMode } from '../core/specs.ts';
import type { FileSystem } from '../storage/file-system.ts';
import type { ReplacedPolicy, Rotation } from './append-follower.ts';
import type { EnumeratorState } from './enumerator-state.ts';
import type { SourceRoot } from './file-selector.ts';
import type { ModifiedPolicy } from './modification.ts';
import type { Split } from './split.ts';
import type { SplitPlannerOptions } from './split-planner.ts';
import type { Warnings } from './warnings.ts';

/** What the enumerator needs of the coordinator. Called synchronously. Flink: SplitEnumeratorContext. */
export interface SplitEnumeratorContext {
  /** @param ahead small ones to be read after it */
  assignSplit(subtask: number, split: Split, ahead: readonly Split[]): void;
  /** PROCESS_ONCE: nothing is left to hand out. */
  signalNoMoreSplits(subtask: number): void;
  /** What may be taken until the next checkpoint is taken and read, and more waits: time to take it. */
  quotaUsedUp(): void;
  /** Scanning or planning failed for good. */
  fail(error: SluiceError): void;
}

export interface SplitEnumeratorOptions extends Omit<SplitPlannerOptions, 'followAppends'> {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly roots: readonly SourceRoot[];
  readonly mode: ProcessingMode;
  readonly monitorIntervalMs: number;
  readonly minAgeMs: number;
  readonly modified: ModifiedPolicy;
  /** Both only under `modified: append`. */
  readonly onReplaced: ReplacedPolicy;
  readonly rotation: Rotation;
  readonly limits: SourceLimits;
  /** See FileScanner. */
  readonly birthKeys?: boolean | undefined;
  /** See FileScanner; for tests. */
  readonly looksPerScan?: number | undefined;
  readonly warnings: Warnings;
}

/** What a checkpoint and the subtasks' parts of it held. */
export interface RestoredEnumerator {
  readonly state: EnumeratorState;
  /** In the order in which they were taken. */
  readonly discovery: readonly Uint8Array[];
  /** Splits that subtasks were reading. */
  readonly splits: readonly Split[];
}

/** Since the start of this run. */
export interface SourceCounters {
  /** Listings, and looks at files that hints named. */
  readonly scans: number;
  readonly looks: number;
  /** By the last scan: input files there are, and files not taken yet because of min_age. */
  readonly listed: number;
  readonly tooYoung: number;
  readonly taken: number;
  /** Bytes of files that were taken or restored, and of those that wait. */
  readonly takenBytes: number;
  readonly waitingBytes: number;
  readonly read: number;
  readonly missing: number;
  /** Changed between listing and reading, or while being read. */
  readonly changed: number;
  /** Changed after they were taken, and not read again. */
  readonly ignored: number;
  /** Followed files that were truncated or replaced, and are read from their beginning. */
  readonly replaced: number;
  readonly forgotten: number;
  readonly known: number;
  readonly waiting: number;
  readonly open: number;
}
