/** Writes the batches of one schema to their buckets, and says what became of their rows. */
import type { Batch } from '../core/batch.ts';
import type { BucketContext } from '../core/bucket-assigner.ts';
import type { EvolvingSink } from '../sink/evolving-sink.ts';
import type { Split } from '../source/split.ts';
import type { Warnings } from '../source/warnings.ts';
import { type BucketlessPolicy, captureRecords, writeRows } from './bucketless-rows.ts';
import type { Quarantine } from './quarantine.ts';
import { newestOf } from './subtask-counts.ts';

/** Event times of a batch's rows, in milliseconds since 1970. */
export type EventTimeOf = (batch: Batch) => Float64Array;

export interface BatchWriterOptions {
  readonly sink: EvolvingSink;
  readonly quarantine: Quarantine | null;
  /** null: the job has no event time. */
  readonly eventTime: EventTimeOf | null;
  /** What becomes of rows without a bucket; null: they stop the job. */
  readonly bucketless: BucketlessPolicy | null;
  readonly warnings: Warnings;
}

export interface Written {
  /** In the sink. */
  readonly rows: number;
  readonly rejected: number;
  readonly quarantined: number;
  /** The newest event time among them; -Infinity where there is none. */
  readonly newestMs: number;
}

export class BatchWriter {
  readonly #options: BatchWriterOptions;

  constructor(options: BatchWriterOptions) {
    this.#options = options;
  }

  /**
   * @param before the split at the beginning of the batch
   * @param checkpointId of the checkpoint that will hold it
   * @throws SluiceError BAD_RECORD, PATH_ESCAPE for a row without a bucket, where that stops the job
   */
  async write(batch: Batch, before: Split, watermarkMs: number, checkpointId: number): Promise<Written> {
    const { sink, quarantine, eventTime, bucketless, warnings } = this.#options;
    let newestMs = Number.NEGATIVE_INFINITY;
    const contextOf = (rows: Batch): Omit<BucketContext, 'processingTimeMs'> => ({
      watermarkMs,
      timestampsMs: eventTime?.(rows) ?? null,
    });
    const write = (rows: Batch) => {
      const context = contextOf(rows);
      const { timestampsMs } = context;
      if (timestampsMs !== null) newestMs = newestOf(timestampsMs, rows.length, newestMs);
      return sink.write(rows, context);
    };
    if (bucketless === null) {
      await write(batch);
      return { rows: batch.length, rejected: 0, quarantined: 0, newestMs };
    }
    const probe = (rows: Batch) => sink.current.probe(rows, contextOf(rows));
    const bad = await writeRows(batch, { probe, write });
    const rows = batch.length - bad.size;
    if (bad.size === 0) return { rows, rejected: 0, quarantined: 0, newestMs };
    for (const { message } of bad.values()) warnings.warn('record-skipped', `${before.path}: ${message}`);
    if (bucketless.kind === 'skip') return { rows, rejected: bad.size, quarantined: 0, newestMs };
    await quarantine?.write(await captureRecords(before, bad, bucketless.capture), checkpointId);
    return { rows, rejected: 0, quarantined: bad.size, newestMs };
  }
}
