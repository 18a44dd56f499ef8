/** Writes the batches of one schema to their buckets, and says what became of their rows. */
import type { Batch } from '../core/batch.ts';
import type { BucketContext } from '../core/bucket-assigner.ts';
import { SluiceError } from '../core/errors.ts';
import type { BadRecordPolicy } from '../core/specs.ts';
import type { EvolvingSink } from '../sink/evolving-sink.ts';
import type { Split } from '../source/split.ts';
import type { Warnings } from '../source/warnings.ts';
import {
  type CaptureOptions,
  captureRecords,
  isOfRow,
  type RowRefusal,
  writeRows,
} from './bucketless-rows.ts';
import type { Quarantine } from './quarantine.ts';
import { newestOf } from './subtask-counts.ts';

/** Event times of a batch's rows, in milliseconds since 1970. */
export type EventTimeOf = (batch: Batch) => Float64Array;

/** What becomes of rows that are not written. */
export interface Refusals {
  /** Of rows without a bucket. */
  readonly bucketless: BadRecordPolicy;
  /** Whether late rows are quarantined. */
  readonly late: boolean;
  /** null: nothing is quarantined. */
  readonly capture: CaptureOptions | null;
}

export interface BatchWriterOptions {
  readonly sink: EvolvingSink;
  readonly quarantine: Quarantine | null;
  /** null: the job has no event time. */
  readonly eventTime: EventTimeOf | null;
  readonly refusals: Refusals;
  readonly warnings: Warnings;
}

export interface Written {
  /** In the sink. */
  readonly rows: number;
  readonly rejected: number;
  readonly quarantined: number;
  /** Of the quarantined ones: they came after the time of their bucket was over. */
  readonly late: number;
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
    const { sink, quarantine, eventTime, refusals, warnings } = this.#options;
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
    const lateRows = (rows: Batch) => sink.current.lateRows(rows, contextOf(rows));
    const policy = {
      bucketless: refusals.bucketless !== 'fail',
      late: refusals.late && watermarkMs !== Number.NEGATIVE_INFINITY,
    };
    const refused = await writeRows(batch, { lateRows, write }, policy).catch((thrown: unknown) => {
      throw isOfRow(thrown) ? inFile(thrown, before) : thrown;
    });
    const rows = batch.length - refused.size;
    if (refused.size === 0) return { rows, rejected: 0, quarantined: 0, late: 0, newestMs };
    const homeless = new Map([...refused].filter(([, { code }]) => code === 'no_bucket'));
    const skips = refusals.bucketless === 'skip';
    if (skips)
      for (const { reason } of homeless.values())
        warnings.warn('record-skipped', `${before.path}: ${reason}`);
    const kept = skips ? without(refused, homeless) : refused;
    if (kept.size > 0 && refusals.capture !== null) {
      const records = await captureRecords(before, kept, refusals.capture);
      for (const { code, path, offset, line, reason } of records) {
        const place = line === null ? `byte ${offset}` : `line ${line}`;
        if (code === 'no_bucket') warnings.warn('record-quarantined', `${path}, ${place}: ${reason}`);
      }
      await quarantine?.write(records, checkpointId);
    }
    return {
      rows,
      rejected: refused.size - kept.size,
      quarantined: kept.size,
      late: refused.size - homeless.size,
      newestMs,
    };
  }
}

/** Which of the batch's rows it is only reading them again would tell. */
function inFile(
  { code, message, hint, details, cause }: SluiceError,
  { path, position }: Split,
): SluiceError {
  const { offset } = position;
  return new SluiceError(code, `${path}, in a record behind byte ${offset}: ${message}`, {
    hint: hint ?? 'mend it, or set on_bad_record: quarantine, which keeps such records',
    details: { ...details, path, offset },
    cause,
  });
}

function without(
  refused: ReadonlyMap<number, RowRefusal>,
  others: ReadonlyMap<number, RowRefusal>,
): ReadonlyMap<number, RowRefusal> {
  return new Map([...refused].filter(([row]) => !others.has(row)));
}
