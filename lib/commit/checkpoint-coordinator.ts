/**
 * Takes checkpoints: asks every subtask for its snapshot, writes all of it durably, then publishes what it promises.
 * One at a time. Flink: CheckpointCoordinator.
 *
 *     capture source, ask subtasks -> all answered -> discovery segment -> checkpoint file (the fence) -> commit
 */
import type { Clock } from '../core/clock.ts';
import type { Schema } from '../core/data-type.ts';
import { SluiceError } from '../core/errors.ts';
import { failpoint } from '../core/failpoint.ts';
import type { SchemaVersion } from '../core/schema-change.ts';
import type { Committable } from '../sink/sink-state.ts';
import { type EnumeratorState, withOutcomes } from '../source/enumerator-state.ts';
import { isHomeless } from '../source/homeless-splits.ts';
import type { FileEnd } from '../source/open-files.ts';
import { spentFiles } from '../source/spent-file.ts';
import type { SplitOutcome } from '../source/split.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { type SegmentPiece, writeWholeSegment } from '../storage/segment-file.ts';
import type { Checkpoint, Totals } from './checkpoint.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import { totalsAfter } from './checkpoint-totals.ts';
import type { Committer } from './committer.ts';
import { inputEntry, type LedgerEntry, type PartEntry, partEntry, swapEntries } from './ledger/entry.ts';
import type { Forgetting } from './ledger/forget.ts';
import { appendToLedger, type LedgerState, openLedger } from './ledger/ledger.ts';
import type { PartitionCommits } from './partitions/partition-commits.ts';
import { NO_PARTITIONS } from './partitions/partition-state.ts';
import type { Publication } from './publication.ts';
import type { CheckpointRequest, SnapshotAnswer, SnapshotRequest } from './snapshot.ts';
import type { SourceCleaner } from './source-cleaner.ts';
import type { SwapSource } from './swap.ts';
import type { Watermarks } from './watermarks.ts';
import type { SchemaState } from './written-columns.ts';

/** Discovery pieces after which they are written anew in one. */
const MAX_DISCOVERY_PIECES = 16;

/** The coordinator's own part of a checkpoint, taken in one synchronous moment. */
export interface SourceCapture {
  readonly enumerator: EnumeratorState;
  /** See SplitEnumerator, both. */
  readonly assigned: ReadonlyMap<string, number>;
  readonly givenUp: readonly SplitOutcome[];
  /** What the last discovery pieces lack, or all of it where that was asked for; empty where nothing changed. */
  readonly discovery: Uint8Array;
  /** That all subtasks write by the time they answer: a change is sent to them before they are asked. */
  readonly schema: Schema;
  readonly schemaHistory: readonly SchemaVersion[];
  /** null or left out where rows always were written as they are read. */
  readonly columns?: SchemaState | null;
  /** Which files the source has forgotten; null or left out where it is not the job's source that is read. */
  readonly forgetting?: Forgetting | null;
}

export interface CheckpointResult {
  readonly id: number;
  readonly durationMs: number;
  readonly sizeBytes: number;
  readonly published: readonly Committable[];
  /** Source files deleted or moved. */
  readonly cleaned: number;
}

export interface CheckpointConfig {
  readonly store: CheckpointStore;
  readonly committer: Committer;
  readonly publication: Publication;
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly runId: string;
  readonly retain: number;
  readonly subtasks: number;
  /** Made, and gone before they were promised: the first checkpoint enters them in the ledger. */
  readonly dropped?: readonly PartEntry[];
  /** Before a checkpoint counts on files in the lake. @throws SluiceError LAKE_MISSING */
  readonly proveLake?: () => Promise<void>;
  /** The checkpoint that the run began with. */
  readonly base: Checkpoint;
  /** Called in the same synchronous moment in which the subtasks are asked. */
  readonly capture: (allDiscovery: boolean) => SourceCapture;
  readonly ask: (subtask: number, checkpointId: number, request: SnapshotRequest) => void;
  /** null where parts stay as they were written. */
  readonly compaction: SwapSource | null;
  /** How far event time has come; null where the job has none. */
  readonly watermarks: Watermarks | null;
  /** Asked before a checkpoint is written: throws where the job must not go so far. */
  readonly checkTotals: (totals: Totals, atEnd: boolean) => void;
  /** null where partitions are not announced. */
  readonly partitions: PartitionCommits | null;
  /** Files that ended and of which a checkpoint with this state holds everything; each is told once. */
  readonly takeEndedFiles: (held: HeldFiles) => readonly FileEnd[];
  /** null: `source.after_commit: keep`. */
  readonly cleaner: SourceCleaner | null;
}

/** Which files a checkpoint holds to their ends: those numbered below `nextFile` that are not `open`. */
export interface HeldFiles {
  readonly nextFile: number;
  /** Ids of files that have a split in the checkpoint. */
  readonly open: ReadonlySet<string>;
}

/** What a checkpoint adds to the ledger. */
interface LedgerNews {
  readonly answers: readonly SnapshotAnswer[];
  /** Parts of the lake that it promises. */
  readonly fresh: readonly Committable[];
  /** Of the quarantine. */
  readonly refused: readonly Committable[];
  /** Splits whose files were found nowhere. */
  readonly givenUp: readonly SplitOutcome[];
  readonly forgetting: Forgetting | null;
}

const NOTHING_NEW: LedgerNews = { answers: [], fresh: [], refused: [], givenUp: [], forgetting: null };

/** The one round that is under way. */
interface Round {
  readonly id: number;
  readonly answers: Map<number, SnapshotAnswer>;
  readonly complete: () => void;
  readonly fail: (error: unknown) => void;
}

export class CheckpointCoordinator {
  readonly #config: CheckpointConfig;
  #last: Checkpoint;
  #round: Round | null = null;
  #dropped: readonly PartEntry[];

  constructor(config: CheckpointConfig) {
    this.#config = config;
    this.#last = config.base;
    this.#dropped = config.dropped ?? [];
  }

  /** The newest durable checkpoint. */
  get last(): Checkpoint {
    return this.#last;
  }

  /** Whether the newest checkpoint has swaps that the next one will say are done. */
  get promisesSwaps(): boolean {
    return (this.#last.compaction?.swaps ?? []).length > 0;
  }

  /** Takes one checkpoint and commits it. @throws SluiceError; the job then has to end, and a restart continues it */
  async take(request: CheckpointRequest): Promise<CheckpointResult> {
    const { clock, store, committer, publication, partitions, cleaner, compaction } = this.#config;
    const { watermarks } = this.#config;
    const start = clock.elapsed();
    const id = this.#last.id + 1;
    const wholeDiscovery = this.#last.discovery.length >= MAX_DISCOVERY_PIECES;
    const closeAll = request.closeAll || cleaner?.crowded === true;
    const capture = this.#config.capture(wholeDiscovery);
    const times = { nowMs: clock.now(), watermarkMs: this.#watermarkMs() };
    const timeBefore = watermarks?.state;
    const answers = await this.#askAll(id, { ...request, closeAll, times });
    const ends = answers.flatMap(({ outcomes }) => outcomes.map(({ split }) => split.newestEventMs));
    const eventTime = timeBefore === undefined ? undefined : watermarks?.withEnded(timeBefore, ends);
    failpoint('checkpoint.snapshots.complete');
    const enumerator = withOutcomes(capture.enumerator, capture.assigned, answers);
    const ended = this.#config.takeEndedFiles(heldFiles(enumerator, answers));
    const createdMs = clock.now();
    const spent = cleaner === null ? [] : spentFiles(ended, id, createdMs);
    const fresh = answers.flatMap((answer) => answer.sink.committables);
    const refused = answers.flatMap((answer) => answer.quarantine?.committables ?? []);
    const discovery = await this.#writeDiscovery(id, capture.discovery, wholeDiscovery);
    const totals = totalsAfter(this.#last, answers, fresh, ended);
    this.#config.checkTotals(totals, request.closeAll);
    const { givenUp, forgetting = null } = capture;
    const ledger = await this.#writeLedger(id, { answers, fresh, refused, givenUp, forgetting });
    const partitionState = partitions?.promise(id, fresh, times, request.closeAll);
    const checkpoint: Checkpoint = {
      ...this.#last,
      id,
      runId: this.#config.runId,
      createdMs,
      schema: capture.schema,
      schemaHistory: capture.schemaHistory,
      ...(capture.columns === undefined || capture.columns === null ? {} : { columns: capture.columns }),
      enumerator,
      discovery,
      subtasks: answers.map(({ splits, sink, quarantine, keys }) => ({
        splits,
        sink: sink.state,
        ...(quarantine === null ? {} : { quarantine: quarantine.state }),
        ...(keys === undefined ? {} : { keys }),
      })),
      committables: [...committer.promised, ...fresh, ...refused],
      spent: [...(cleaner?.waiting ?? this.#last.spent ?? []), ...spent],
      totals,
      ...(eventTime === undefined ? {} : { eventTime }),
      ...(partitionState === undefined ? {} : { partitions: partitionState }),
      ...(compaction === null ? {} : { compaction: compaction.capture() }),
      ledger,
      ...this.#lakeState(id),
    };
    // What the table does not take gets into no checkpoint: after it, no start could go on.
    if (checkpoint.schema !== this.#last.schema && checkpoint.schema !== null)
      await publication.prepare(checkpoint.columns?.schema ?? checkpoint.schema);
    await this.#config.proveLake?.();
    const { sizeBytes, published } = await this.#commit(checkpoint, [...fresh, ...refused]);
    partitions?.announce();
    cleaner?.add(spent);
    const cleaned = (await cleaner?.clean(checkpoint)) ?? 0;
    await store.collectSegments();
    failpoint('checkpoint.complete');
    return { id, durationMs: clock.elapsed() - start, sizeBytes, published, cleaned };
  }

  /**
   * Writes one more checkpoint that says that the last one's commits and deletions are done, with everything else as it
   * was: at a clean end, so that a later start does not look for parts which somebody may have moved on by then. It
   * promises and does swaps that are ready.
   * @param announceRest promises, too, what partitions got while an earlier announcement of theirs was under way: at the
   *   end of the input, once that is done
   */
  async acknowledge(announceRest = false): Promise<void> {
    const { store, committer, partitions, clock, cleaner, compaction } = this.#config;
    const { promised } = this.#last.partitions ?? NO_PARTITIONS;
    const hasSpent = cleaner !== null && (this.#last.spent ?? []).length > 0;
    const hasSwaps = this.promisesSwaps || compaction?.hasReady === true;
    const hasPromised = this.#last.committables.length > 0 || promised.length > 0;
    if (!hasPromised && !hasSpent && !hasSwaps && !announceRest) return;
    const id = this.#last.id + 1;
    const times = { nowMs: clock.now(), watermarkMs: this.#watermarkMs() };
    if (announceRest) partitions?.promise(id, [], times, true);
    const checkpoint: Checkpoint = {
      ...this.#last,
      id,
      createdMs: clock.now(),
      // Files taken since the last capture were never read, so nothing but what was deleted may be told of them.
      discovery: await this.#writeDiscovery(id, cleaner?.takeForgotten() ?? new Uint8Array(0), false),
      committables: committer.promised,
      spent: cleaner?.waiting ?? this.#last.spent ?? [],
      ...(partitions === null ? {} : { partitions: partitions.state }),
      ...(compaction === null ? {} : { compaction: compaction.capture() }),
      ledger: await this.#writeLedger(id, NOTHING_NEW),
      ...this.#lakeState(id),
    };
    await this.#commit(checkpoint, []);
    if (announceRest) partitions?.announce();
    await store.collectSegments();
  }

  /** Whether partitions are due, or open parts of theirs, though nothing else has happened. */
  hasDuePartitions(): boolean {
    const { partitions, clock } = this.#config;
    if (partitions === null) return false;
    const times = { nowMs: clock.now(), watermarkMs: this.#watermarkMs() };
    return partitions.hasDue(
      times,
      this.#last.subtasks.flatMap(({ sink }) => sink.openParts),
    );
  }

  /** Whether partitions have got rows that the end of the input makes due. */
  hasRestOfPartitions(): boolean {
    const { partitions, clock } = this.#config;
    return partitions?.hasRest({ nowMs: clock.now(), watermarkMs: this.#watermarkMs() }) ?? false;
  }

  /** Removes replaced parts whose time has come; for when no checkpoint is due. */
  async sweep(): Promise<void> {
    await this.#config.publication.sweep();
  }

  /** A subtask's answer has come. */
  onSnapshot(answer: SnapshotAnswer): void {
    const round = this.#round;
    if (round === null || round.id !== answer.checkpointId) {
      throw new SluiceError(
        'INTERNAL',
        `subtask ${answer.subtask} answered for checkpoint ${answer.checkpointId}, which nobody waits for`,
      );
    }
    round.answers.set(answer.subtask, answer);
    if (round.answers.size === this.#config.subtasks) round.complete();
  }

  /** A subtask has died: the round under way cannot complete. */
  abort(error: unknown): void {
    this.#round?.fail(error);
  }

  async #askAll(id: number, request: SnapshotRequest): Promise<SnapshotAnswer[]> {
    const { subtasks, ask } = this.#config;
    const answers = new Map<number, SnapshotAnswer>();
    try {
      await new Promise<void>((complete, fail) => {
        this.#round = { id, answers, complete, fail };
        for (let subtask = 0; subtask < subtasks; subtask++) ask(subtask, id, request);
      });
    } finally {
      this.#round = null;
    }
    return [...answers.values()].sort((a, b) => a.subtask - b.subtask);
  }

  /** Makes a checkpoint durable, and does what it promises. @param promised new in it */
  async #commit(
    checkpoint: Checkpoint,
    promised: readonly Committable[],
  ): Promise<{ readonly sizeBytes: number; readonly published: readonly Committable[] }> {
    const { store, retain, committer, publication, compaction } = this.#config;
    const sizeBytes = await store.write(checkpoint, retain);
    this.#last = checkpoint;
    committer.promise(promised);
    const { parts, refused } = await publication.publish(checkpoint);
    compaction?.settle(parts, refused);
    return { sizeBytes, published: parts };
  }

  #lakeState(id: number): Pick<Checkpoint, 'table' | 'replaced'> {
    const { publication } = this.#config;
    return { table: publication.tableState(id), replaced: publication.replaced };
  }

  #watermarkMs(): number {
    return this.#config.watermarks?.watermarkMs ?? Number.NEGATIVE_INFINITY;
  }

  async #writeDiscovery(id: number, bytes: Uint8Array, whole: boolean): Promise<readonly SegmentPiece[]> {
    const { fileSystem, store, runId } = this.#config;
    if (bytes.length === 0) return whole ? [] : this.#last.discovery;
    const segment = `${id}-discovery-${runId}.segment`;
    const piece = await writeWholeSegment(fileSystem, store.segmentsFolder, segment, bytes);
    return whole ? [piece] : [...this.#last.discovery, piece];
  }

  /** What this checkpoint adds. Swaps only once they are done: the lake's table may refuse them. */
  async #writeLedger(
    id: number,
    { answers, fresh, refused, givenUp, forgetting }: LedgerNews,
  ): Promise<LedgerState> {
    const { fileSystem, store, runId, publication } = this.#config;
    const lane = this.#last.lane ?? 'source';
    const before = this.#last.ledger ?? openLedger(this.#last);
    const dropped = answers.reduce((sum, { counts }) => sum + counts.lateDropped, 0);
    // What may still be found elsewhere has not ended, and says later all that became of it.
    const ended = answers.flatMap(({ outcomes }) => outcomes.filter((outcome) => !isHomeless(outcome)));
    const inputs = [...ended, ...givenUp].map((outcome) => inputEntry(outcome, lane));
    const entries: LedgerEntry[] = [
      ...inputs.filter((entry) => entry !== null),
      ...this.#dropped,
      ...fresh.map((part) => partEntry(part)),
      ...refused.map((part) => ({ ...partEntry(part), quarantine: true as const })),
      ...swapEntries(publication.takeSwapped()),
    ];
    this.#dropped = [];
    const state = { ...before, lateDropped: before.lateDropped + dropped };
    const writer = { fileSystem, segmentsFolder: store.segmentsFolder, runId };
    return appendToLedger(state, id, entries, writer, forgetting);
  }
}

/**
 * Every split of a file taken before the capture is in the checkpoint, or was read to its end before its subtask
 * answered; one that was taken later may have ended too by now, and the checkpoint holds none of it.
 */
function heldFiles(enumerator: EnumeratorState, answers: readonly SnapshotAnswer[]): HeldFiles {
  const splits = [...enumerator.splits, ...answers.flatMap((answer) => answer.splits)];
  return { nextFile: enumerator.nextFile, open: new Set(splits.map(({ fileId }) => fileId)) };
}
