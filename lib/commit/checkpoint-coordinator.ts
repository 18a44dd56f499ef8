/**
 * Takes checkpoints: asks every subtask for its snapshot, writes all of it durably, then publishes what it promises.
 * One at a time. Flink: CheckpointCoordinator.
 *
 *     capture source, ask subtasks -> all answered -> discovery segment -> checkpoint file (the fence) -> commit
 */
import { crc32 } from 'node:zlib';
import type { Clock } from '../core/clock.ts';
import type { Schema } from '../core/data-type.ts';
import { SluiceError } from '../core/errors.ts';
import { failpoint } from '../core/failpoint.ts';
import type { SchemaVersion } from '../core/schema-change.ts';
import type { EventTimes, FromSubtask } from '../pipeline/messages.ts';
import type { Watermarks } from '../pipeline/watermarks.ts';
import type { Committable } from '../sink/sink-state.ts';
import { type EnumeratorState, withOutcomes } from '../source/enumerator-state.ts';
import type { SplitOutcome } from '../source/split.ts';
import type { FileSystem } from '../storage/file-system.ts';
import type { Checkpoint, SegmentPiece, Totals } from './checkpoint.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import type { Committer } from './committer.ts';

/** Discovery pieces after which they are written anew in one. */
const MAX_DISCOVERY_PIECES = 16;

export type SnapshotAnswer = Extract<FromSubtask, { type: 'snapshot' }>;

/** The coordinator's own part of a checkpoint, taken in one synchronous moment. */
export interface SourceCapture {
  readonly enumerator: EnumeratorState;
  /** What the last discovery pieces lack, or all of it where that was asked for; empty where nothing changed. */
  readonly discovery: Uint8Array;
  /** That all subtasks write by the time they answer: a change is sent to them before they are asked. */
  readonly schema: Schema;
  readonly schemaHistory: readonly SchemaVersion[];
}

export interface CheckpointRequest {
  /** Close every open part: the end of the input. */
  readonly closeAll: boolean;
  /** Subtasks read nothing afterwards. */
  readonly last: boolean;
}

/** What subtasks are asked with. */
export interface SnapshotRequest extends CheckpointRequest {
  readonly times: EventTimes;
}

export interface CheckpointResult {
  readonly id: number;
  readonly durationMs: number;
  readonly sizeBytes: number;
  readonly published: readonly Committable[];
}

export interface CheckpointConfig {
  readonly store: CheckpointStore;
  readonly committer: Committer;
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly runId: string;
  readonly retain: number;
  readonly subtasks: number;
  /** The checkpoint that the run began with. */
  readonly base: Checkpoint;
  /** Called in the same synchronous moment in which the subtasks are asked. */
  readonly capture: (allDiscovery: boolean) => SourceCapture;
  readonly ask: (subtask: number, checkpointId: number, request: SnapshotRequest) => void;
  /** How far event time has come; null where the job has none. */
  readonly watermarks: Watermarks | null;
  /** Asked before a checkpoint is written: throws where the job must not go so far. */
  readonly checkTotals: (totals: Totals, atEnd: boolean) => void;
  /** How many files ended with these splits; asked once a checkpoint. */
  readonly countFiles: (outcomes: readonly SplitOutcome[]) => { files: number; missing: number };
}

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

  constructor(config: CheckpointConfig) {
    this.#config = config;
    this.#last = config.base;
  }

  /** The newest durable checkpoint. */
  get last(): Checkpoint {
    return this.#last;
  }

  /** Takes one checkpoint and commits it. @throws SluiceError; the job then has to end, and a restart continues it */
  async take(request: CheckpointRequest): Promise<CheckpointResult> {
    const { clock, store, committer, retain } = this.#config;
    const start = clock.elapsed();
    const id = this.#last.id + 1;
    const compact = this.#last.discovery.length >= MAX_DISCOVERY_PIECES;
    const capture = this.#config.capture(compact);
    const times = { nowMs: clock.now(), watermarkMs: this.#watermarkMs() };
    const eventTime = this.#config.watermarks?.state;
    const answers = await this.#askAll(id, { ...request, times });
    failpoint('checkpoint.snapshots.complete');
    const fresh = answers.flatMap((answer) => answer.sink.committables);
    const refused = answers.flatMap((answer) => answer.quarantine?.committables ?? []);
    const discovery = await this.#writeDiscovery(id, capture, compact);
    const totals = this.#totals(answers, fresh);
    this.#config.checkTotals(totals, request.closeAll);
    const checkpoint: Checkpoint = {
      ...this.#last,
      id,
      runId: this.#config.runId,
      createdMs: clock.now(),
      schema: capture.schema,
      schemaHistory: capture.schemaHistory,
      enumerator: withOutcomes(
        capture.enumerator,
        answers.flatMap((answer) => answer.outcomes),
      ),
      discovery,
      subtasks: answers.map(({ splits, sink, quarantine }) => ({
        splits,
        sink: sink.state,
        ...(quarantine === null ? {} : { quarantine: quarantine.state }),
      })),
      committables: [...committer.promised, ...fresh, ...refused],
      totals,
      ...(eventTime === undefined ? {} : { eventTime }),
    };
    const sizeBytes = await store.write(checkpoint, retain);
    this.#last = checkpoint;
    committer.promise([...fresh, ...refused]);
    const published = await committer.commit();
    await store.collectSegments();
    failpoint('checkpoint.complete');
    return { id, durationMs: clock.elapsed() - start, sizeBytes, published };
  }

  /**
   * Writes one more checkpoint that says that the last one's commits are done, with everything else as it was: at a
   * clean end, so that a later start does not look for parts which somebody may have moved on by then.
   */
  async acknowledge(): Promise<void> {
    const { store, committer, retain, clock } = this.#config;
    if (this.#last.committables.length === 0) return;
    const checkpoint: Checkpoint = {
      ...this.#last,
      id: this.#last.id + 1,
      createdMs: clock.now(),
      committables: committer.promised,
    };
    await store.write(checkpoint, retain);
    this.#last = checkpoint;
    await store.collectSegments();
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

  #watermarkMs(): number {
    return this.#config.watermarks?.watermarkMs ?? Number.NEGATIVE_INFINITY;
  }

  async #writeDiscovery(
    id: number,
    capture: SourceCapture,
    compact: boolean,
  ): Promise<readonly SegmentPiece[]> {
    const { fileSystem, store, runId } = this.#config;
    const bytes = capture.discovery;
    if (bytes.length === 0) return compact ? [] : this.#last.discovery;
    const segment = `${id}-discovery-${runId}.segment`;
    if (!(await fileSystem.createExclusive(`${store.segmentsFolder}/${segment}`, bytes))) {
      throw new SluiceError(
        'FENCED',
        `the segment ${segment} exists already: another process writes this job's state`,
      );
    }
    const piece: SegmentPiece = { segment, lengthBytes: bytes.length, crc32: crc32(bytes) };
    return compact ? [piece] : [...this.#last.discovery, piece];
  }

  #totals(answers: readonly SnapshotAnswer[], fresh: readonly Committable[]): Totals {
    const before = this.#last.totals;
    const files = this.#config.countFiles(answers.flatMap((answer) => answer.outcomes));
    const sum = (value: (answer: SnapshotAnswer) => number) =>
      answers.reduce((total, answer) => total + value(answer), 0);
    // A replay reads again what was counted when it was read first.
    const replaying = this.#last.lane === 'replay';
    const read = (value: (answer: SnapshotAnswer) => number) => (replaying ? 0 : sum(value));
    const replayed = replaying ? sum(({ counts }) => counts.rows + counts.rejected + counts.quarantined) : 0;
    return {
      files: before.files + (replaying ? 0 : files.files),
      missingFiles: before.missingFiles + (replaying ? 0 : files.missing),
      rows: before.rows + sum((answer) => answer.counts.rows),
      rejected: before.rejected + sum((answer) => answer.counts.rejected),
      quarantined: (before.quarantined ?? 0) + sum((answer) => answer.counts.quarantined),
      bytesIn: before.bytesIn + read((answer) => answer.counts.bytesIn),
      replayed: (before.replayed ?? 0) + replayed,
      late: before.late + sum((answer) => answer.counts.late),
      parts: before.parts + fresh.length,
      bytesOut: before.bytesOut + fresh.reduce((total, { file }) => total + file.lengthBytes, 0),
    };
  }
}
