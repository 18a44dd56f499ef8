/** An enumerator with one reader, over files in memory: scans when told to, reads what is assigned, survives crashes. */
import type { SluiceError } from '../../../lib/core/errors.ts';
import type { SplitEnumeratorOptions } from '../../../lib/source/enumerator-options.ts';
import { type EnumeratorState, withOutcomes } from '../../../lib/source/enumerator-state.ts';
import { type SelectorSpec, selectRoots } from '../../../lib/source/file-selector.ts';
import type { Split, SplitOutcome } from '../../../lib/source/split.ts';
import { SplitEnumerator } from '../../../lib/source/split-enumerator.ts';
import type { SplitReader } from '../../../lib/source/split-reader.ts';
import type { SplitReaderOptions } from '../../../lib/source/split-reader-options.ts';
import { type Warning, Warnings } from '../../../lib/source/warnings.ts';
import { NO_LIMITS } from '../../support/job.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryFileSystem } from '../../support/memory-file-system.ts';
import { linesOf } from './line-format.ts';
import { readerOf } from './reading.ts';

export const INTERVAL_MS = 10_000;
const TURNS = 2000;

/** What a checkpoint holds, as JSON would give it back. */
export interface Saved {
  readonly state: EnumeratorState;
  readonly discovery: readonly Uint8Array[];
  readonly splits: readonly Split[];
  readonly lines: readonly string[];
}

/** The enumerator's part of a checkpoint, before the subtask's. */
interface Captured {
  readonly state: EnumeratorState;
  readonly assigned: ReadonlyMap<string, number>;
  /** Of the subtask. */
  /** What the subtask has. */
  readonly splits: readonly Split[];
}

export class SourceHarness {
  readonly clock = new ManualClock(1_700_000_000_000);
  readonly fileSystem = new MemoryFileSystem(this.clock);
  readonly warnings: Warning[] = [];
  /** What was read, and with what came of a checkpoint. */
  lines: string[] = [];
  /** Paths of the splits in the order in which they were assigned. */
  assignedPaths: string[] = [];
  noMoreSplits = false;
  failure: SluiceError | null = null;
  enumerator!: SplitEnumerator;
  reader!: SplitReader;
  readonly #options: Partial<SplitEnumeratorOptions> & Partial<SelectorSpec>;
  readonly #readerOptions: Partial<SplitReaderOptions>;
  #assigned: Split[] = [];
  #reading = false;
  /** Since the last checkpoint. */
  #outcomes: SplitOutcome[] = [];
  #discovery: Uint8Array[] = [];

  constructor(
    options: Partial<SplitEnumeratorOptions> & Partial<SelectorSpec> = {},
    readerOptions: Partial<SplitReaderOptions> = {},
  ) {
    this.#options = options;
    this.#readerOptions = { ...readerOptions, modified: options.modified ?? 'ignore' };
    this.fileSystem.addFolder('/in');
  }

  /** Subtasks that ask for splits, and so files that are looked into at once; all that they get is read by one reader. */
  subtasks = 1;
  /** Whether the reader asks for a split before the first scan begins. */
  asksBeforeScan = false;
  /** How often a checkpoint was asked for. */
  quotaUsedUp = 0;

  /** Starts a process, from a checkpoint or anew, and waits for its first scan. */
  async start(saved: Saved | null = null): Promise<void> {
    const warnings = new Warnings(this.clock, (warning) => this.warnings.push(warning));
    const roots = await selectRoots(
      { paths: ['/in'], include: [], exclude: [], recursive: true, ...this.#options },
      this.fileSystem,
      () => {},
    );
    this.#assigned = [];
    this.#reading = false;
    this.#outcomes = [];
    this.noMoreSplits = false;
    this.failure = null;
    this.lines = [...(saved?.lines ?? [])];
    this.#discovery = [...(saved?.discovery ?? [])];
    this.reader = readerOf(this.fileSystem, this.#readerOptions);
    this.enumerator = new SplitEnumerator(
      {
        fileSystem: this.fileSystem,
        clock: this.clock,
        roots,
        mode: 'continuously',
        monitorIntervalMs: INTERVAL_MS,
        minAgeMs: 0,
        modified: 'ignore',
        onReplaced: 'read',
        rotation: 'rename',
        limits: NO_LIMITS,
        warnings,
        splittable: true,
        compression: 'none',
        splitSizeBytes: 1 << 20,
        maxRecordBytes: 1 << 20,
        ...this.#options,
      },
      {
        assignSplit: (_, split, ahead) => {
          for (const each of [split, ...ahead]) this.assignedPaths.push(each.path);
          this.#assigned.push(split, ...ahead);
        },
        signalNoMoreSplits: () => {
          this.noMoreSplits = true;
        },
        quotaUsedUp: () => {
          this.quotaUsedUp++;
        },
        fail: (error) => {
          this.failure = error;
        },
      },
      saved,
    );
    for (let subtask = 0; subtask < this.subtasks; subtask++) this.enumerator.addReader(subtask);
    if (this.asksBeforeScan) this.#ask();
    this.enumerator.start();
    await this.until(() => this.enumerator.counters.scans > 0 || this.failure !== null);
  }

  /** Lets the next scan run. */
  async scan(): Promise<void> {
    const { scans } = this.enumerator.counters;
    await this.turn();
    this.clock.advance(INTERVAL_MS);
    await this.until(() => this.enumerator.counters.scans > scans || this.failure !== null);
  }

  /** Reads until nothing is left to read. */
  async drain(): Promise<void> {
    while (await this.step());
  }

  /** Asks for a split, or reads one batch of the one at hand. @returns false when there is nothing to do */
  async step(): Promise<boolean> {
    if (!this.#reading) {
      if (this.#assigned.length === 0) this.#ask();
      await this.turn();
      const [split] = this.#assigned;
      if (split === undefined || this.failure !== null) return false;
      if (await this.reader.open(split)) this.#reading = true;
      else this.#finish(split);
      return true;
    }
    const batch = await this.reader.next();
    if (batch === null) {
      this.#reading = false;
      this.#finish(this.reader.split());
    } else this.lines.push(...linesOf(batch));
    return true;
  }

  #ask(): void {
    for (let subtask = 0; subtask < this.subtasks; subtask++) this.enumerator.handleSplitRequest(subtask);
  }

  #finish(split: Split): void {
    this.#assigned.shift();
    const outcome = { split, kind: this.reader.outcome };
    this.#outcomes.push(outcome);
    this.enumerator.finishSplit(outcome);
  }

  checkpoint(): Saved {
    return this.#answer(this.#capture());
  }

  /** A checkpoint that the subtask answers only after it has read on, and perhaps ended the split that it had. */
  async checkpointWhileReading(batches: number): Promise<Saved> {
    const captured = this.#capture();
    const [split] = captured.splits;
    for (let i = 0; i < batches && split !== undefined && this.#assigned[0] === split; i++) await this.step();
    return this.#answer(captured);
  }

  #capture(): Captured {
    const state = JSON.parse(JSON.stringify(this.enumerator.snapshot())) as EnumeratorState;
    this.#discovery.push(this.enumerator.takeDiscoveryDelta());
    const assigned = new Map([...this.enumerator.assigned.keys()].map((id) => [id, 0]));
    return { state, assigned, splits: [...this.#assigned] };
  }

  #answer({ state, assigned, splits: captured }: Captured): Saved {
    // What was assigned meanwhile comes to the subtask after its answer.
    const splits = captured.filter((split) => this.#assigned.includes(split));
    if (this.#reading && splits[0] === this.#assigned[0]) splits[0] = this.reader.split();
    const outcomes = this.#outcomes.splice(0);
    return {
      state: withOutcomes(state, assigned, [{ subtask: 0, outcomes, splits }]),
      discovery: [...this.#discovery],
      splits: structuredClone(splits),
      lines: [...this.lines],
    };
  }

  /** The process is gone; nothing of it goes on. */
  async kill(): Promise<void> {
    await this.reader.close();
    const closed = this.enumerator.close();
    await closed;
  }

  async until(condition: () => boolean): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) {
      if (condition()) return;
      await new Promise(setImmediate);
      // A listing that is tried again waits on the clock.
      if (turn % 20 === 19) this.clock.advance(200);
    }
    throw new Error('this never comes');
  }

  async turn(): Promise<void> {
    for (let i = 0; i < 4; i++) await new Promise(setImmediate);
  }
}
