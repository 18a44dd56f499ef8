/**
 * One chain source -> sink, driven by messages: reads the split it was given, writes each batch to its buckets, and
 * takes a snapshot between two batches, so that the position in the split and the state of every part agree by
 * construction. Shares nothing with other subtasks.
 */

import type { SubtaskCounts } from '../commit/snapshot.ts';
import type { Batch } from '../core/batch.ts';
import { yieldToEventLoop } from '../core/clock.ts';
import type { Schema } from '../core/data-type.ts';
import { unreachable } from '../core/errors.ts';
import { failpoint } from '../core/failpoint.ts';
import type { Stage } from '../core/stage-clock.ts';
import { isUntouched, type Split, type SplitOutcome } from '../source/split.ts';
import type { SplitReader } from '../source/split-reader.ts';
import { addTallies, NO_TALLY, type SplitTally } from '../source/tally.ts';
import type { RowTransform } from '../transform/row-transform.ts';
import { BatchWriter } from './batch-writer.ts';
import type { SplitEventTime, ToSubtask } from './messages.ts';
import { addCounts, counted, NO_COUNTS } from './subtask-counts.ts';
import type { Evolved, SubtaskParts } from './subtask-parts.ts';
import { WakeUp } from './wake-up.ts';

/** How often progress is reported, in milliseconds. */
const PROGRESS_INTERVAL_MS = 200;

export class Subtask {
  readonly #parts: SubtaskParts;
  /** Messages in the order of their arrival: few, each but a schema waits for the answer to the one before. */
  readonly #inbox: Exclude<ToSubtask, { type: 'watermark' }>[] = [];
  readonly #wakeUp: WakeUp;
  #splitRequested = false;
  /** Assigned, to be read after the present one: a few dozen small files at most. */
  readonly #ahead: Split[] = [];
  #reading = false;
  /** After the last snapshot nothing is read or written any more. */
  #done = false;
  #outcomes: SplitOutcome[] = [];
  /** Of these, the ones that the coordinator does not know: those that were handed out together, at most. */
  #untold: SplitOutcome[] = [];
  /** Since the last snapshot. */
  #counts: SubtaskCounts = NO_COUNTS;
  /** Of the checkpoint that will hold what is read now: they are taken one after the other, each by all subtasks. */
  #nextCheckpointId: number;
  /** Of the split that was opened last. */
  #tally: SplitTally = NO_TALLY;
  #watermarkMs = Number.NEGATIVE_INFINITY;
  /** The watermark moved since the sink was told. */
  #watermarkMoved = false;
  /** The newest event time in the split being read. */
  #newestMs = Number.NEGATIVE_INFINITY;
  #progressAt = 0;
  /** Those of the present schema. */
  #reader: SplitReader;
  #transform: RowTransform | null;
  #writer: BatchWriter;
  #schemaVersion: number;
  /** Of the last one made, and of the one that is waited for. */
  #proposal = 0;
  #awaiting: number | null = null;
  #timerAt: number;

  constructor(parts: SubtaskParts) {
    this.#parts = parts;
    this.#wakeUp = new WakeUp(parts.clock);
    this.#reader = parts.reader;
    this.#transform = parts.transform;
    this.#writer = this.#writerOf(parts);
    this.#schemaVersion = parts.schemaVersion;
    this.#nextCheckpointId = parts.firstCheckpointId;
    this.#timerAt = parts.clock.elapsed() + parts.bucketCheckIntervalMs;
  }

  #writerOf({ eventTime, refusals }: Pick<Evolved, 'eventTime' | 'refusals'>): BatchWriter {
    const { sink, quarantine, warnings } = this.#parts;
    return new BatchWriter({ sink, quarantine, eventTime, refusals, warnings });
  }

  /** A message from the coordinator. */
  receive(message: ToSubtask): void {
    // Only the newest one counts, so that no queue of them grows while the subtask is busy.
    if (message.type === 'watermark') {
      this.#watermarkMoved ||= message.watermarkMs > this.#watermarkMs;
      this.#watermarkMs = Math.max(this.#watermarkMs, message.watermarkMs);
    } else this.#inbox.push(message);
    this.#wakeUp.signal();
  }

  /**
   * Runs until its last snapshot, or until it is told to `end`. Its thread then ends beside the writing of that checkpoint,
   * so that its memory is not held while the parts are published: with 10,000 of them that takes a hundred megabytes.
   * @throws SluiceError what reading or writing threw
   */
  async run(): Promise<void> {
    const { send, subtask, sink, warnings } = this.#parts;
    send({ type: 'ready', subtask, openParts: sink.openParts });
    while (!this.#done) {
      const message = this.#inbox.shift();
      if (message === undefined) await this.#work();
      else if (message.type === 'end') break;
      else await this.#handle(message);
      // Messages and finished writes come in here; everything above may run on what is ready already.
      await yieldToEventLoop();
    }
    await this.release();
    warnings.flush();
    send({ type: 'ended', subtask, times: this.#parts.stages.times });
  }

  /** Lets go of files once what is under way is done. Calls may repeat. */
  async release(): Promise<void> {
    await this.#parts.ahead?.close();
    await this.#reader.close();
    await this.#parts.sink.close();
    await this.#parts.quarantine?.close();
  }

  async #handle(message: Exclude<ToSubtask, { type: 'end' | 'watermark' }>): Promise<void> {
    switch (message.type) {
      case 'assign':
        this.#splitRequested = false;
        this.#ahead.push(...message.ahead);
        for (const each of [message.split, ...message.ahead]) this.#parts.ahead?.add(each);
        await this.#open(message.split);
        return;
      case 'schema':
        await this.#onSchema(message);
        return;
      case 'snapshot':
        await this.#during('checkpoint', () => this.#snapshot(message));
        return;
      default:
        unreachable(message);
    }
  }

  async #work(): Promise<void> {
    if (this.#parts.clock.elapsed() >= this.#timerAt) await this.#onTimer();
    if (this.#watermarkMoved) await this.#onWatermark();
    const reads = this.#reading && this.#awaiting === null;
    const waitMs = reads ? (this.#parts.pace?.waitMs ?? 0) : 0;
    if (waitMs > 0) await this.#idle(Math.min(waitMs, this.#timerAt - this.#parts.clock.elapsed()));
    else if (reads) await this.#readBatch();
    else {
      const next = this.#reading ? undefined : this.#ahead.shift();
      if (next !== undefined) return this.#open(next);
      if (!this.#reading) this.#requestSplit();
      await this.#idle(this.#timerAt - this.#parts.clock.elapsed());
    }
  }

  #requestSplit(): void {
    if (this.#splitRequested) return;
    this.#splitRequested = true;
    this.#report();
    this.#parts.send({ type: 'split-request', subtask: this.#parts.subtask });
  }

  async #open(split: Split): Promise<void> {
    const reader = this.#reader;
    this.#newestMs = split.newestEventMs ?? Number.NEGATIVE_INFINITY;
    this.#tally = split.tally ?? (isUntouched(split) ? NO_TALLY : { ...NO_TALLY, partial: true });
    this.#reading = await this.#during('read', () => reader.open(split));
    await this.#keepRefused();
    if (this.#reading) return;
    this.#bookCounts();
    this.#finish({ split: this.#split(), kind: reader.outcome });
  }

  async #readBatch(): Promise<void> {
    const reader = this.#reader;
    const before = reader.split();
    const read = await this.#during('read', () => reader.next());
    await this.#keepRefused();
    if (read === null) {
      this.#bookCounts();
      this.#reading = false;
      this.#finish({ split: this.#split(), kind: reader.outcome });
      return;
    }
    const written = await this.#during('assign', () =>
      this.#writer.write(this.#transformed(read), before, this.#watermarkMs, this.#nextCheckpointId),
    );
    this.#newestMs = Math.max(this.#newestMs, written.newestMs);
    this.#bookLate();
    const became = { bytes: 0, ...written, ...this.#transform?.takeLeftOut() };
    this.#counts = addCounts(this.#counts, became);
    this.#tally = addTallies(this.#tally, became);
    if (this.#parts.pace !== null) this.#bookCounts();
    if (reader.drift !== null) this.#propose(reader.drift);
    failpoint('subtask.batch.after');
    if (this.#parts.clock.elapsed() >= this.#progressAt) this.#report();
  }

  #transformed(batch: Batch): Batch {
    const { path } = this.#reader.split();
    const origin = { path, nowMs: this.#parts.clock.now(), checkpointId: this.#nextCheckpointId };
    return this.#transform?.apply(batch, this.#reader.places, origin) ?? batch;
  }

  /** The split being read, at its position, with what it came to. */
  #split(): Split {
    const split = { ...this.#reader.split(), tally: this.#tally };
    return Number.isFinite(this.#newestMs) ? { ...split, newestEventMs: this.#newestMs } : split;
  }

  /** The next record needs a wider schema: one for all subtasks, which the coordinator decides on. */
  #propose(seen: Schema): void {
    const { send, subtask } = this.#parts;
    this.#awaiting = ++this.#proposal;
    send({ type: 'schema-proposal', subtask, number: this.#proposal, seen, path: this.#reader.split().path });
  }

  async #onSchema({ schema, version, answers }: Extract<ToSubtask, { type: 'schema' }>): Promise<void> {
    if (version === this.#schemaVersion) {
      if (answers !== this.#awaiting) return;
      this.#awaiting = null;
      this.#reader.passDrift();
      return;
    }
    // Whatever was proposed, it is looked at again under the new schema; the answer to it comes too late.
    this.#awaiting = null;
    this.#schemaVersion = version;
    this.#bookCounts();
    const split = this.#reading ? this.#split() : null;
    await this.#reader.close();
    const next = await this.#parts.evolve(schema);
    this.#reader = next.reader;
    this.#transform = next.transform;
    this.#writer = this.#writerOf(next);
    await this.#parts.sink.replace(next.buckets);
    if (split !== null) await this.#open(split);
  }

  /** Refused records go to the quarantine before the position behind them can get into a checkpoint. */
  async #keepRefused(): Promise<void> {
    const { quarantine } = this.#parts;
    const records = await this.#reader.takeQuarantined();
    if (records.length > 0) await quarantine?.write(records, this.#nextCheckpointId);
  }

  #finish(outcome: SplitOutcome): void {
    this.#parts.ahead?.drop(outcome.split);
    this.#outcomes.push(outcome);
    this.#untold.push(outcome);
  }

  #tell(): void {
    const { send, subtask } = this.#parts;
    if (this.#untold.length > 0) send({ type: 'splits-finished', subtask, outcomes: this.#untold.splice(0) });
  }

  async #onTimer(): Promise<void> {
    const { clock, bucketCheckIntervalMs, sink, quarantine } = this.#parts;
    this.#timerAt = clock.elapsed() + bucketCheckIntervalMs;
    const before = this.#openParts;
    await sink.onProcessingTime();
    await quarantine?.onProcessingTime();
    if (this.#openParts !== before) this.#report();
  }

  /** Of the lake and of the quarantine. */
  get #openParts(): number {
    const { sink, quarantine } = this.#parts;
    return sink.openParts + (quarantine?.openParts ?? 0);
  }

  async #onWatermark(): Promise<void> {
    const { sink } = this.#parts;
    this.#watermarkMoved = false;
    const before = this.#openParts;
    await sink.onWatermark(this.#watermarkMs);
    if (this.#openParts !== before) this.#report();
  }

  async #snapshot(request: Extract<ToSubtask, { type: 'snapshot' }>): Promise<void> {
    const { checkpointId, closeAll, last, times } = request;
    const { sink, quarantine, window, send, subtask, isDue } = this.#parts;
    this.#bookCounts();
    this.#tell();
    const splits = [...(this.#reading ? [this.#split()] : []), ...this.#ahead];
    this.#watermarkMs = Math.max(this.#watermarkMs, times.watermarkMs);
    await this.#onWatermark();
    const snapshot = await sink.snapshot(checkpointId, closeAll, (part) => isDue?.(part, times) ?? false);
    // Rows that the sink had put aside were looked at only now.
    this.#bookLate();
    // Whoever stops the job wants to look at what was refused, or to replay it.
    const kept = (await quarantine?.snapshot(checkpointId, closeAll || last)) ?? null;
    this.#nextCheckpointId = checkpointId + 1;
    this.#done = last;
    send({
      type: 'snapshot',
      subtask,
      checkpointId,
      splits,
      outcomes: this.#outcomes,
      counts: this.#counts,
      sink: snapshot,
      quarantine: kept,
      ...(window === null ? {} : { keys: window.capture() }),
    });
    this.#outcomes = [];
    this.#counts = NO_COUNTS;
  }

  #bookLate(): void {
    const { rows, dropped } = this.#parts.sink.takeLate();
    this.#counts = addCounts(this.#counts, { late: rows, lateDropped: dropped });
  }

  /** Takes over what the reader counted since it was asked last. */
  #bookCounts(): void {
    const counts = this.#reader.takeCounts();
    const { rejected, quarantined, bytesIn } = counts;
    this.#counts = addCounts(this.#counts, { rejected, quarantined, bytesIn });
    this.#tally = addTallies(this.#tally, { ...NO_TALLY, ...counted(counts) });
    this.#parts.pace?.spend(counts.bytesIn);
  }

  /** Tells the coordinator what was done since the last snapshot: for people, and to know that there is something to keep. */
  #report(): void {
    this.#bookCounts();
    this.#tell();
    const { clock, send, subtask } = this.#parts;
    this.#progressAt = clock.elapsed() + PROGRESS_INTERVAL_MS;
    send({
      type: 'progress',
      subtask,
      counts: this.#counts,
      openParts: this.#openParts,
      eventTime: this.#eventTime(),
    });
  }

  #eventTime(): SplitEventTime | null {
    if (!this.#reading || !Number.isFinite(this.#newestMs)) return null;
    return { splitId: this.#reader.split().id, newestMs: this.#newestMs };
  }

  /** Waits for a message, at most so long. */
  async #idle(delayMs: number): Promise<void> {
    if (this.#inbox.length > 0) return;
    this.#tell();
    await this.#wakeUp.wait(delayMs);
  }

  /** Runs a step with its time counted as a stage's, awaiting included. */
  async #during<T>(stage: Stage, step: () => Promise<T>): Promise<T> {
    const { stages } = this.#parts;
    const before = stages.enter(stage);
    try {
      return await step();
    } finally {
      stages.enter(before);
    }
  }
}
