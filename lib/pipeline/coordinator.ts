/**
 * Runs a job's subtasks: hands out splits, takes checkpoints at their interval, and ends the job when the input is at
 * its end, when it is told to stop, or when anything fails. It decides; subtasks, the enumerator and the checkpoint
 * coordinator do.
 */
import type { CheckpointCoordinator, HeldFiles } from '../commit/checkpoint-coordinator.ts';
import type { PartitionCommits } from '../commit/partitions/partition-commits.ts';
import type { CheckpointRequest, SubtaskCounts } from '../commit/snapshot.ts';
import type { Watermarks } from '../commit/watermarks.ts';
import type { Compaction } from '../compaction/compaction.ts';
import type { Clock } from '../core/clock.ts';
import { SluiceError, unreachable } from '../core/errors.ts';
import { noStageTimes, STAGES, type StageTimes } from '../core/stage-clock.ts';
import type { FileEnd } from '../source/open-files.ts';
import type { Split, SplitOutcome } from '../source/split.ts';
import type { SplitEnumerator } from '../source/split-enumerator.ts';
import type { FromSubtask, ToSubtask } from './messages.ts';
import type { JobEvent, JobProgress } from './progress.ts';
import type { SchemaRegistry } from './schema-registry.ts';
import { WakeUp } from './wake-up.ts';

/** How often the progress callback is called at the most, in milliseconds. */
const PROGRESS_INTERVAL_MS = 200;

/** How long an announcement that is under way may take at a stop. */
const PARTITION_GRACE_MS = 5000;
/** How often subtasks are told the watermark at the most, in milliseconds. Flink: auto-watermark interval. */
const SHARE_INTERVAL_MS = 200;

export interface CoordinatorConfig {
  readonly subtasks: number;
  readonly send: (subtask: number, message: ToSubtask) => void;
  readonly enumerator: SplitEnumerator;
  readonly checkpoints: CheckpointCoordinator;
  readonly compaction: Compaction | null;
  readonly schemas: SchemaRegistry;
  readonly checkpointIntervalMs: number;
  readonly clock: Clock;
  /** null where the job has no event time. */
  readonly watermarks: Watermarks | null;
  /** null where partitions are not announced. */
  readonly partitions: PartitionCommits | null;
  readonly onEvent: (event: JobEvent) => void;
  readonly onProgress: (progress: JobProgress) => void;
}

/** The input is at its end · somebody asked to stop. */
export type JobEnd = 'finished' | 'stopped';

export class Coordinator {
  readonly #config: CoordinatorConfig;
  readonly #wakeUp: WakeUp;
  /** Subtasks that were told that nothing is left. */
  readonly #drained = new Set<number>();
  /** Since its last snapshot, by subtask. */
  readonly #counts = new Map<number, SubtaskCounts>();
  readonly #openParts = new Map<number, number>();
  /** Files that ended, until a checkpoint holds them. */
  #fileEnds: FileEnd[] = [];
  #stopping = false;
  #failure: SluiceError | null = null;
  /** Whether anything happened that the last checkpoint does not know. */
  #dirty = true;
  /** Whether somebody waits for the next checkpoint. */
  #checkpointDue = false;
  #ended = 0;
  #checkpointsTaken = 0;
  #progressAt = 0;
  /** The watermark that the subtasks know, and when they may be told a newer one. */
  #sharedWatermarkMs = Number.NEGATIVE_INFINITY;
  #shareAt = 0;
  /** Read by earlier runs. */
  readonly #bytesBefore: number;
  readonly #times = noStageTimes();

  constructor(config: CoordinatorConfig) {
    this.#config = config;
    this.#wakeUp = new WakeUp(config.clock);
    this.#bytesBefore = config.checkpoints.last.totals.bytesIn;
  }

  get checkpointsTaken(): number {
    return this.#checkpointsTaken;
  }

  /** Summed over subtasks; complete once `run` is done. */
  get times(): StageTimes {
    return this.#times;
  }

  /** Ends the job in good order: a last checkpoint, commits; open parts stay resumable. Calls may repeat. */
  stop(): void {
    this.#stopping = true;
    // Those that wait for another try stay promised.
    this.#config.partitions?.stop();
    // What is merged already is promised by the last checkpoint; the rest is merged another time.
    void this.#config.compaction?.stop();
    this.#wakeUp.signal();
  }

  /** A partition was announced, or could not be. */
  partitionsChanged(): void {
    this.#dirty = true;
  }

  /** Runs the job to its end. @throws SluiceError the first failure of any part of it */
  async run(): Promise<JobEnd> {
    const { clock, checkpointIntervalMs, checkpoints, compaction } = this.#config;
    let nextCheckpointAt = clock.elapsed() + checkpointIntervalMs;
    for (;;) {
      this.#throwFailure();
      const finished = this.#drained.size === this.#config.subtasks;
      if (finished || this.#stopping) {
        await this.#checkpoint({ closeAll: finished, last: true });
        await this.#settlePartitions(finished);
        // Merging the last parts can make another small part.
        while (finished && !this.#stopping && (await compaction?.finish()) === true) {
          await checkpoints.acknowledge();
          this.#throwFailure();
        }
        await checkpoints.acknowledge();
        await this.#subtasksEnded();
        return finished ? 'finished' : 'stopped';
      }
      if (this.#checkpointDue || clock.elapsed() >= nextCheckpointAt) {
        const isDue = this.#dirty || this.#checkpointDue || checkpoints.hasDuePartitions();
        if (isDue || compaction?.hasReady === true) await this.#checkpoint({ closeAll: false, last: false });
        else {
          // Buckets may have become quiet, and replaced parts old.
          compaction?.start();
          await checkpoints.sweep();
        }
        nextCheckpointAt = clock.elapsed() + checkpointIntervalMs;
      }
      this.#shareWatermark();
      this.#reportProgress();
      await this.#wakeUp.wait(Math.min(nextCheckpointAt - clock.elapsed(), this.#untilShare()));
    }
  }

  /** A message of a subtask. Comes in a turn of its own, where nobody would catch what it throws. */
  receive(message: FromSubtask): void {
    try {
      this.#handle(message);
    } catch (thrown) {
      this.fail(SluiceError.from(thrown));
    }
  }

  /** What the loop has nothing to do about returns; everything else wakes it. */
  #handle(message: FromSubtask): void {
    const { enumerator, checkpoints, watermarks, onEvent } = this.#config;
    switch (message.type) {
      case 'ready':
        this.#openParts.set(message.subtask, message.openParts);
        enumerator.addReader(message.subtask);
        break;
      case 'split-request':
        enumerator.handleSplitRequest(message.subtask);
        break;
      case 'splits-finished':
        for (const outcome of message.outcomes) this.#onFinished(outcome);
        break;
      case 'schema-proposal':
        this.#changeSchema(message);
        return;
      case 'progress':
        this.#dirty ||=
          message.counts.bytesIn > 0 || this.#openParts.get(message.subtask) !== message.openParts;
        this.#counts.set(message.subtask, message.counts);
        this.#openParts.set(message.subtask, message.openParts);
        if (message.eventTime !== null)
          watermarks?.observe(message.eventTime.splitId, message.eventTime.newestMs);
        this.#shareWatermark();
        this.#reportProgress();
        return;
      case 'warning':
        onEvent({ type: 'warning', code: message.code, message: message.message });
        return;
      case 'snapshot':
        this.#counts.delete(message.subtask);
        this.#openParts.set(
          message.subtask,
          message.sink.state.openParts.length + (message.quarantine?.state.openParts.length ?? 0),
        );
        checkpoints.onSnapshot(message);
        return;
      case 'ended':
        this.#ended++;
        for (const stage of STAGES) this.#times[stage] += message.times[stage];
        break;
      case 'failed':
        this.fail(SluiceError.fromMessage(message.error));
        break;
      default:
        unreachable(message);
    }
    this.#wakeUp.signal();
  }

  #onFinished(outcome: SplitOutcome): void {
    const { enumerator, watermarks } = this.#config;
    const { id, newestEventMs } = outcome.split;
    this.#dirty = true;
    if (newestEventMs !== undefined) watermarks?.observe(id, newestEventMs);
    watermarks?.end(id);
    const end = enumerator.finishSplit(outcome);
    if (end !== null) this.#fileEnds.push(end);
  }

  /** One schema for all: every subtask writes by it before it is asked for the next snapshot. */
  #changeSchema({
    subtask: from,
    number,
    seen,
    path,
  }: Extract<FromSubtask, { type: 'schema-proposal' }>): void {
    const { schemas, subtasks, send, checkpoints, clock, onEvent } = this.#config;
    const changed = schemas.propose(seen, path, checkpoints.last.id + 1, clock.now());
    const { version, schema } = schemas;
    if (!changed) {
      send(from, { type: 'schema', version, schema, answers: number });
      return;
    }
    this.#dirty = true;
    for (let subtask = 0; subtask < subtasks; subtask++)
      send(subtask, { type: 'schema', version, schema, answers: subtask === from ? number : null });
    onEvent({ type: 'schema', version, changes: schemas.state.history.at(-1)?.changes ?? [], path });
  }

  /** The enumerator has a split for a subtask, and small ones to be read after it. */
  assign(subtask: number, split: Split, ahead: readonly Split[]): void {
    this.#dirty = true;
    let before: string | null = null;
    for (const { id, newestEventMs = Number.NEGATIVE_INFINITY } of [split, ...ahead]) {
      this.#config.watermarks?.begin(id, newestEventMs, before);
      before = id;
    }
    this.#config.send(subtask, { type: 'assign', split, ahead });
  }

  /** The next checkpoint need not wait for its interval. */
  checkpointSoon(): void {
    this.#checkpointDue = true;
    this.#wakeUp.signal();
  }

  /** The enumerator has nothing left, ever. */
  drained(subtask: number): void {
    this.#drained.add(subtask);
    this.#wakeUp.signal();
  }

  /** Something the job cannot go on without has failed. The first failure counts. */
  fail(error: SluiceError): void {
    this.#failure ??= error;
    this.#config.partitions?.stop();
    this.#config.checkpoints.abort(this.#failure);
    this.#wakeUp.signal();
  }

  /** For the checkpoint: files that ended and that it holds everything of. */
  takeEndedFiles({ nextFile, open }: HeldFiles): readonly FileEnd[] {
    const isHeld = ({ fileId }: FileEnd) => Number(fileId) < nextFile && !open.has(fileId);
    const held = this.#fileEnds.filter(isHeld);
    this.#fileEnds = this.#fileEnds.filter((end) => !isHeld(end));
    return held;
  }

  async #checkpoint(request: CheckpointRequest): Promise<void> {
    // Before, not after: what happens while it is taken belongs to the next one.
    this.#dirty = false;
    this.#checkpointDue = false;
    this.#advanceWatermark();
    const { id, durationMs, sizeBytes, published, cleaned } = await this.#config.checkpoints.take(request);
    this.#throwFailure();
    // Published parts are promised until a checkpoint says that they are done.
    this.#dirty ||= published.length > 0 || cleaned > 0 || this.#config.checkpoints.promisesSwaps;
    this.#checkpointsTaken++;
    if (!request.last) this.#config.enumerator.checkpointTaken();
    this.#config.onEvent({ type: 'checkpoint', id, durationMs, bytes: sizeBytes, parts: published.length });
  }

  #advanceWatermark(): void {
    const { watermarks, enumerator } = this.#config;
    // A scan of the source has to have been: before it, nothing being known says nothing.
    const { scans, waiting, open } = enumerator.counters;
    watermarks?.advance(waiting > 0 || open > 0 || scans === 0);
  }

  /** Tells the subtasks how far event time has come, at most every SHARE_INTERVAL_MS. */
  #shareWatermark(): void {
    const { watermarks, clock, subtasks, send } = this.#config;
    if (watermarks === null || clock.elapsed() < this.#shareAt) return;
    this.#advanceWatermark();
    if (watermarks.watermarkMs === this.#sharedWatermarkMs) return;
    this.#sharedWatermarkMs = watermarks.watermarkMs;
    this.#shareAt = clock.elapsed() + SHARE_INTERVAL_MS;
    for (let subtask = 0; subtask < subtasks; subtask++)
      send(subtask, { type: 'watermark', watermarkMs: watermarks.watermarkMs });
  }

  /** While there is event time, a split may become idle without anything else happening. */
  #untilShare(): number {
    return this.#config.watermarks === null ? Number.POSITIVE_INFINITY : SHARE_INTERVAL_MS;
  }

  /** At the end of the input, all partitions are announced before the job ends; at a stop, only what is under way. */
  async #settlePartitions(finished: boolean): Promise<void> {
    const { partitions, checkpoints } = this.#config;
    await partitions?.settle();
    // Those that were being announced at the last checkpoint got rows since.
    while (finished && partitions !== null && checkpoints.hasRestOfPartitions()) {
      await checkpoints.acknowledge(true);
      await partitions.settle();
      this.#throwFailure();
    }
    await partitions?.close(PARTITION_GRACE_MS);
    this.#throwFailure();
  }

  /** They end by themselves after the last checkpoint's snapshot. */
  async #subtasksEnded(): Promise<void> {
    while (this.#ended < this.#config.subtasks) {
      this.#throwFailure();
      await this.#wakeUp.wait(Number.POSITIVE_INFINITY);
    }
    this.#progressAt = 0;
    this.#reportProgress();
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  /** Once every subtask is ready: before, there is none. */
  #reportProgress(): void {
    const { clock, enumerator, checkpoints, onProgress, subtasks } = this.#config;
    if (this.#openParts.size < subtasks || clock.elapsed() < this.#progressAt) return;
    this.#progressAt = clock.elapsed() + PROGRESS_INTERVAL_MS;
    const { totals, id } = checkpoints.last;
    const sum = (value: (counts: SubtaskCounts) => number) =>
      [...this.#counts.values()].reduce((total, counts) => total + value(counts), 0);
    const { known, waiting, takenBytes, waitingBytes } = enumerator.counters;
    const bytesRead = totals.bytesIn + sum((counts) => counts.bytesIn);
    onProgress({
      filesKnown: known + waiting,
      filesDone: totals.files + this.#fileEnds.length,
      bytesRead,
      bytesLeft: Math.max(0, takenBytes + waitingBytes - (bytesRead - this.#bytesBefore)),
      rows: totals.rows + sum((counts) => counts.rows),
      rejected: totals.rejected + sum((counts) => counts.rejected),
      quarantined: (totals.quarantined ?? 0) + sum((counts) => counts.quarantined),
      filtered: (totals.filtered ?? 0) + sum((counts) => counts.filtered),
      openParts: [...this.#openParts.values()].reduce((total, parts) => total + parts, 0),
      partsCommitted: totals.parts,
      bytesOut: totals.bytesOut,
      checkpointId: id,
    });
  }
}
