/** `max_bad_records` and `max_bad_ratio`: when bad records are no exception any more. */
import { SluiceError } from '../core/errors.ts';
import type { BadRecordLimits } from '../core/specs.ts';

/** Before so many records a ratio says nothing: the first bad one would be all there is. */
const MIN_RECORDS = 1000;

/** Since the job began. */
export interface RecordCounts {
  readonly rows: number;
  readonly rejected: number;
  readonly quarantined: number;
  /** Read well, and left out. */
  readonly filtered?: number;
}

/**
 * Asked before a checkpoint is written: what goes beyond a limit gets into none, so that raising the limit (or mending
 * the input) goes on from before it.
 * @param atEnd the input is at its end: the ratio counts however few records there were
 * @throws SluiceError TOO_MANY_BAD_RECORDS
 */
export function checkBadRecords(limits: BadRecordLimits, counts: RecordCounts, atEnd: boolean): void {
  const { maxRecords, maxRatio } = limits;
  const bad = counts.rejected + counts.quarantined;
  const all = counts.rows + (counts.filtered ?? 0) + bad;
  if (maxRecords !== null && bad > maxRecords)
    throw tooMany(`${bad} bad records, max_bad_records is ${maxRecords}`, counts);
  if (maxRatio === null || (all < MIN_RECORDS && !atEnd) || bad <= all * maxRatio) return;
  throw tooMany(`${bad} of ${all} records are bad, max_bad_ratio is ${maxRatio}`, counts);
}

function tooMany(what: string, counts: RecordCounts): SluiceError {
  return new SluiceError('TOO_MANY_BAD_RECORDS', `the job has read ${what}`, {
    hint: 'correct the input or the schema, or raise the limit: the job goes on from its last checkpoint',
    details: { ...counts },
  });
}
