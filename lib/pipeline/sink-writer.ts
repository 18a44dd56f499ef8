/** A StreamingFileSink that is open: what a program writes with. */
import { isDeepStrictEqual } from 'node:util';
import type { Checkpoint } from '../commit/checkpoint.ts';
import type { CheckpointStore } from '../commit/checkpoint-store.ts';
import type { Committer } from '../commit/committer.ts';
import type { JobState } from '../commit/job-state.ts';
import { Batch } from '../core/batch.ts';
import type { Clock } from '../core/clock.ts';
import { SluiceError } from '../core/errors.ts';
import { columnsOf } from '../core/values.ts';
import type { Buckets } from '../sink/buckets.ts';
import type { SinkDescription } from './sink-description.ts';

/** Records collected before they go to their buckets together. */
const COLLECTED_RECORDS = 1024;
export const RETAINED_CHECKPOINTS = 3;

export interface RecordContext {
  /** Event time, milliseconds since 1970. */
  readonly timestamp?: number;
}

/** An open sink. One caller at a time: each call is awaited before the next. */
export class SinkWriter {
  readonly #description: SinkDescription;
  readonly #store: CheckpointStore;
  readonly #state: JobState;
  readonly #committer: Committer;
  readonly #buckets: Buckets;
  readonly #clock: Clock;
  readonly #runId: string;
  #last: Checkpoint;
  #records: unknown[] = [];
  #timestamps: number[] = [];
  #watermarkMs: number;
  /** The newest that a restart goes on with: Infinity, the end of an input, is none. */
  #keptWatermarkMs: number;
  #checkAt: number;
  #closed = false;
  /** What failed half-way: parts and checkpoints may be out of step, so nothing is promised any more. */
  #failure: SluiceError | null = null;

  /** @internal Use StreamingFileSink.open. */
  constructor(
    description: SinkDescription,
    state: JobState,
    committer: Committer,
    buckets: Buckets,
    clock: Clock,
    runId: string,
  ) {
    this.#description = description;
    this.#state = state;
    this.#store = state.store;
    this.#committer = committer;
    this.#buckets = buckets;
    this.#clock = clock;
    this.#runId = runId;
    this.#last = state.base;
    this.#keptWatermarkMs = state.base.eventTime?.watermarkMs ?? Number.NEGATIVE_INFINITY;
    this.#watermarkMs = this.#keptWatermarkMs;
    this.#checkAt = clock.elapsed() + description.bucketCheckIntervalMs;
  }

  /** What the newest checkpoint was given as `position`: where the program goes on. null at the first start. */
  get position(): unknown {
    return this.#last.position ?? null;
  }

  /** How far event time has come, milliseconds since 1970; -Infinity before the program has said so. */
  get watermarkMs(): number {
    return this.#watermarkMs;
  }

  /**
   * Writes a record (an object with the schema's fields; anything, where the encoder takes records as they are) or a
   * batch of columns. Visible once a checkpoint after the part's end is complete.
   * @throws SluiceError BAD_RECORD where the record does not fit the schema; nothing of it is then written
   */
  async write(record: unknown, context: RecordContext = {}): Promise<void> {
    this.#proveOpen();
    if (record instanceof Batch) {
      await this.#flushRecords();
      await this.#writeBatch(record, null);
      return;
    }
    const { schema } = this.#description;
    if (schema.fields.length > 0) {
      proveRecord(record);
      // Checked now, so that the caller learns which record it was.
      columnsOf(schema, [record]);
    }
    this.#records.push(record);
    this.#timestamps.push(context.timestamp ?? Number.NaN);
    if (this.#records.length >= COLLECTED_RECORDS) await this.#flushRecords();
    await this.#checkTime();
  }

  /**
   * Makes everything written so far durable, then publishes the parts that are closed.
   * @param options.position JSON that `position` gives back after a restart; as it was where left out
   * @param options.closeParts closes every open part first, so that all rows become visible
   */
  async checkpoint(
    options: { readonly position?: unknown; readonly closeParts?: boolean } = {},
  ): Promise<number> {
    this.#proveOpen();
    if (options.position !== undefined) provePosition(options.position);
    await this.#flushRecords();
    const id = this.#last.id + 1;
    const snapshot = await this.#orBreak(() => this.#buckets.snapshot(id, options.closeParts ?? false));
    await this.#write({
      ...this.#last,
      id,
      position: options.position === undefined ? this.#last.position : options.position,
      ...(this.#keptWatermarkMs === Number.NEGATIVE_INFINITY
        ? {}
        : { eventTime: { watermarkMs: this.#keptWatermarkMs, newestMs: null } }),
      subtasks: [{ splits: [], sink: snapshot.state }],
      committables: [...this.#committer.promised, ...snapshot.committables],
    });
    this.#committer.promise(snapshot.committables);
    await this.#committer.commit();
    await this.#store.collectSegments();
    return id;
  }

  /**
   * Says how far event time has come: no older record is expected. Assigners and policies see it with what is written from
   * now on, and parts are closed whose policy goes by it. It never goes back, a restart included: each checkpoint keeps
   * it. Flink: the watermark that a sink's context gives.
   * @param watermarkMs milliseconds since 1970; Infinity at the end of an input, which is not kept (the newest before it
   *   is), since a program that starts again has more input
   */
  async advanceWatermark(watermarkMs: number): Promise<void> {
    this.#proveOpen();
    if (!(watermarkMs > this.#watermarkMs)) return;
    // What came before came under the older one.
    await this.#flushRecords();
    this.#watermarkMs = watermarkMs;
    if (watermarkMs !== Number.POSITIVE_INFINITY) this.#keptWatermarkMs = watermarkMs;
    await this.#orBreak(() => this.#buckets.onWatermark(watermarkMs));
  }

  /** Lets time-based rolling happen while nothing is written. */
  async tick(): Promise<void> {
    this.#proveOpen();
    await this.#flushRecords();
    await this.#orBreak(() => this.#buckets.onProcessingTime());
  }

  /** Closes every part, takes a last checkpoint, publishes, and lets the state go. */
  async close(options: { readonly position?: unknown } = {}): Promise<void> {
    if (this.#closed) return;
    try {
      await this.checkpoint({ ...options, closeParts: true });
      if (this.#last.committables.length > 0)
        await this.#write({ ...this.#last, id: this.#last.id + 1, committables: [] });
    } finally {
      await this.#letGo();
    }
  }

  /** Lets go of everything without a checkpoint, as a crash would: rows since the last one are not kept. */
  async abandon(): Promise<void> {
    if (this.#closed) return;
    await this.#letGo();
  }

  async #letGo(): Promise<void> {
    this.#closed = true;
    await this.#buckets.close().finally(() => this.#state.lock.release());
  }

  async #write(checkpoint: Checkpoint): Promise<void> {
    const stamped = { ...checkpoint, runId: this.#runId, createdMs: this.#clock.now() };
    await this.#orBreak(() => this.#store.write(stamped, RETAINED_CHECKPOINTS));
    this.#last = stamped;
  }

  async #flushRecords(): Promise<void> {
    if (this.#records.length === 0) return;
    const { schema } = this.#description;
    const records = this.#records;
    const timestamps = Float64Array.from(this.#timestamps);
    this.#records = [];
    this.#timestamps = [];
    await this.#orBreak(async () => {
      const batch =
        schema.fields.length === 0
          ? Batch.ofObjects(records)
          : new Batch(schema, columnsOf(schema, records as Record<string, unknown>[]), records.length);
      await this.#writeBatch(batch, timestamps);
    });
  }

  async #writeBatch(batch: Batch, timestampsMs: Float64Array | null): Promise<void> {
    await this.#orBreak(() => this.#buckets.write(batch, { watermarkMs: this.#watermarkMs, timestampsMs }));
  }

  /** A step whose rows or parts may be in no later checkpoint where it fails: a new `open` goes on from the last one. */
  async #orBreak<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (thrown) {
      this.#failure = SluiceError.from(thrown);
      throw thrown;
    }
  }

  async #checkTime(): Promise<void> {
    if (this.#clock.elapsed() < this.#checkAt) return;
    this.#checkAt = this.#clock.elapsed() + this.#description.bucketCheckIntervalMs;
    await this.tick();
  }

  #proveOpen(): void {
    if (this.#closed) throw new SluiceError('STEP_ILLEGAL', 'the sink is closed');
    if (this.#failure !== null)
      throw new SluiceError('STEP_ILLEGAL', `the sink failed before: ${this.#failure.message}`, {
        cause: this.#failure,
        hint: 'abandon() it and open it anew: it goes on from its last checkpoint, at `position`',
      });
  }
}

function proveRecord(value: unknown): asserts value is Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  const given = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`;
  throw new SluiceError('BAD_RECORD', `${given} is no record`, {
    hint: "a record is an object with the schema's fields",
    details: { value: String(value).slice(0, 200) },
  });
}

/** What JSON changes on its way would be another position after a restart. */
function provePosition(position: unknown): void {
  let stored: unknown;
  try {
    stored = JSON.parse(JSON.stringify(position));
  } catch {
    stored = undefined;
  }
  if (isDeepStrictEqual(stored, position)) return;
  throw new SluiceError('USAGE', 'the position is not JSON: it would be another one after a restart', {
    hint: 'give null, booleans, finite numbers, text, arrays and plain objects of these; write a bigint as text',
  });
}
