/**
 * An output whose schema or format may change while it runs: what is written goes to one `Buckets`, and those before it
 * live on until the next checkpoint promises their closed parts. So no part ever holds rows of two schemas, and a
 * checkpoint never holds open parts of an old one.
 */
import type { Batch } from '../core/batch.ts';
import type { BucketContext } from '../core/bucket-assigner.ts';
import { SluiceError } from '../core/errors.ts';
import type { PartFileInfo } from '../core/rolling-policy.ts';
import type { Buckets } from './buckets.ts';
import type { LateRows } from './sink-config.ts';
import type { SinkSnapshot } from './sink-state.ts';

const NO_LATE_ROWS: LateRows = { rows: 0, dropped: 0 };

export class EvolvingSink {
  /** What is written to; null where nothing is, and only what was left open has to be closed. */
  #current: Buckets | null;
  /** All their parts are closed. At most one a change of schema since the last checkpoint. */
  #retired: Buckets[];
  /** Part names go on from here where nothing is written. */
  readonly #nextCounter: number;
  /** That came to those retired since they were asked for. */
  #late: LateRows = NO_LATE_ROWS;

  /** @param retired holding parts that an earlier run left open in another schema or format: they are closed now */
  constructor(current: Buckets | null, retired: readonly Buckets[], nextCounter: number) {
    this.#current = current;
    this.#retired = [...retired];
    this.#nextCounter = nextCounter;
    for (const buckets of retired) buckets.closeRestored();
  }

  get current(): Buckets {
    if (this.#current === null) throw new SluiceError('INTERNAL', 'an output that is closed was written to');
    return this.#current;
  }

  get openParts(): number {
    return this.#current?.openParts ?? 0;
  }

  write(batch: Batch, context: Omit<BucketContext, 'processingTimeMs'>): Promise<void> {
    return this.current.write(batch, context);
  }

  /** Closes every part: rows from now on go to `next`. */
  async replace(next: Buckets): Promise<void> {
    const before = this.current;
    await before.closeAll();
    await next.restore({ nextCounter: before.nextCounter, openParts: [] });
    // Rows that it had put aside were looked at only now.
    this.#late = addLate(this.#late, before.takeLate());
    this.#retired.push(before);
    this.#current = next;
  }

  async onProcessingTime(): Promise<void> {
    await this.#current?.onProcessingTime();
  }

  async onWatermark(watermarkMs: number): Promise<void> {
    await this.#current?.onWatermark(watermarkMs);
  }

  /** Since this was asked last. */
  takeLate(): LateRows {
    const late = addLate(this.#late, this.#current?.takeLate() ?? NO_LATE_ROWS);
    this.#late = NO_LATE_ROWS;
    return late;
  }

  /** @param isDue see Buckets */
  async snapshot(
    checkpointId: number,
    closeAll: boolean,
    isDue?: (part: PartFileInfo) => boolean,
  ): Promise<SinkSnapshot> {
    const current = (await this.#current?.snapshot(checkpointId, closeAll, isDue)) ?? {
      state: { nextCounter: this.#nextCounter, openParts: [] },
      committables: [],
    };
    const committables = [...current.committables];
    const retired = this.#retired;
    for (const buckets of retired)
      committables.push(...(await buckets.snapshot(checkpointId, true)).committables);
    this.#retired = [];
    for (const buckets of retired) await buckets.close();
    return { state: current.state, committables };
  }

  async close(): Promise<void> {
    await this.#current?.close();
    for (const buckets of this.#retired) await buckets.close();
  }
}

function addLate(a: LateRows, b: LateRows): LateRows {
  return { rows: a.rows + b.rows, dropped: a.dropped + b.dropped };
}
