/**
 * Rows that are decoded and not written: those that belong nowhere (an event time that cannot be read, a value that cannot
 * name a folder), and late ones under `late: quarantine`. Only a batch that has such a row costs anything: its other rows are
 * written in pieces, and for the quarantine it is read once more, row by row, to have the records as they stand in the file.
 */
import { sliceColumn } from '../../formats/columns/slice-column.ts';
import { parseReplayRecord } from '../../formats/replay/input.ts';
import { Batch } from '../core/batch.ts';
import type { ByteSource } from '../core/byte-source.ts';
import { SluiceError } from '../core/errors.ts';
import { type QuarantinedRecord, type RefusedRecord, RefusedRecords } from '../source/refused-records.ts';
import type { CapturedRecord } from '../source/row-capture.ts';
import type { Split } from '../source/split.ts';
import type { SplitReader } from '../source/split-reader.ts';

/** Where rows go. */
export interface RowTarget {
  /** Looks for the buckets of all rows, and writes none. @returns rows that are late @throws SluiceError where one has none */
  readonly lateRows: (batch: Batch) => readonly number[];
  readonly write: (batch: Batch) => Promise<void>;
}

/** Which rows are not written. */
export interface RowPolicy {
  /** Those without a bucket; otherwise they are an error. */
  readonly bucketless: boolean;
  readonly late: boolean;
}

/** Why a row is not written. */
export interface RowRefusal {
  readonly code: 'no_bucket' | 'late';
  readonly reason: string;
  readonly column: string | null;
}

const LATE: RowRefusal = {
  code: 'late',
  reason: 'it came after the time of its bucket was over',
  column: null,
};

/** Writes the rows that are to be written. @returns the others, ascending; @throws what is not about single rows */
export async function writeRows(
  batch: Batch,
  target: RowTarget,
  policy: RowPolicy,
): Promise<ReadonlyMap<number, RowRefusal>> {
  const refused = new Map<number, RowRefusal>();
  if (policy.late) judge(batch, 0, batch.length, target, policy, refused);
  if (refused.size === 0) {
    try {
      await target.write(batch);
      return refused;
    } catch (thrown) {
      if (!policy.bucketless || !isOfRow(thrown)) throw thrown;
      judge(batch, 0, batch.length, target, policy, refused);
      // Every row has a bucket: it failed later, with rows written already.
      if (refused.size === 0) throw thrown;
    }
  }
  let from = 0;
  for (const row of [...refused.keys(), batch.length]) {
    if (row > from) await target.write(sliceBatch(batch, from, row));
    from = row + 1;
  }
  return refused;
}

/** By halves where a row has no bucket: one of 8,192 takes 26 looks at ever smaller pieces. */
function judge(
  batch: Batch,
  from: number,
  to: number,
  target: RowTarget,
  policy: RowPolicy,
  refused: Map<number, RowRefusal>,
): void {
  try {
    const late = target.lateRows(sliceBatch(batch, from, to));
    if (policy.late) for (const row of late) refused.set(from + row, LATE);
  } catch (thrown) {
    if (!policy.bucketless || !isOfRow(thrown)) throw thrown;
    if (to - from === 1) {
      const { column } = thrown.details;
      const name = typeof column === 'string' ? column : null;
      refused.set(from, { code: 'no_bucket', reason: thrown.message, column: name });
      return;
    }
    const middle = (from + to) >> 1;
    judge(batch, from, middle, target, policy, refused);
    judge(batch, middle, to, target, policy, refused);
  }
}

/** Whether an error is about one row, not about the sink. */
export function isOfRow(thrown: unknown): thrown is SluiceError {
  return thrown instanceof SluiceError && (thrown.code === 'BAD_RECORD' || thrown.code === 'PATH_ESCAPE');
}

function sliceBatch(batch: Batch, from: number, to: number): Batch {
  const { schema, columns, lines } = batch;
  return new Batch(
    schema,
    columns.map((column) => sliceColumn(column, from, to)),
    to - from,
    lines === null
      ? null
      : { ...lines, starts: lines.starts.subarray(from, to), ends: lines.ends.subarray(from, to) },
  );
}

export interface CaptureOptions {
  /** Reads one row a batch and tells the record of each before `next` returns; null: records have no bytes of their own. */
  readonly createReader: ((onRow: (record: CapturedRecord) => void) => SplitReader) | null;
  /** How many of a batch of one row go on. */
  readonly rowsOf: (row: Batch) => number;
  /** Whether replay files are read, whose records are those of other files. */
  readonly replay: boolean;
  /** Opens the file of a split at its first byte, decompressed. */
  readonly open: (split: Split) => Promise<ByteSource>;
}

/**
 * The records of the rows that were not written, for the quarantine.
 * @param before the split where the batch begins
 * @param refused rows of the batch, ascending, and why
 */
export async function captureRecords(
  before: Split,
  refused: ReadonlyMap<number, RowRefusal>,
  options: CaptureOptions,
): Promise<readonly QuarantinedRecord[]> {
  const records = new RefusedRecords();
  const captured = options.createReader === null ? null : await readAgain(before, refused, options);
  for (const [row, refusal] of refused) {
    const record = captured?.get(row);
    records.add({
      ...refusal,
      path: record?.path ?? before.path,
      offset: record?.offset ?? before.position.offset,
      line: record === undefined ? null : record.line,
      bytes: record?.bytes ?? new Uint8Array(0),
      complete: record !== undefined,
      state: record?.state ?? null,
    });
  }
  const taken = await records.take(() => options.open(before));
  await records.nextFile();
  return taken;
}

type Captured = Pick<RefusedRecord, 'path' | 'offset' | 'line' | 'bytes' | 'state'>;

async function readAgain(
  before: Split,
  refused: ReadonlyMap<number, RowRefusal>,
  { createReader, rowsOf, replay }: CaptureOptions,
): Promise<Map<number, Captured>> {
  const found = new Map<number, Captured>();
  let told: CapturedRecord | null = null;
  const reader = createReader!((record) => {
    told = record;
  });
  let row = 0;
  const last = Math.max(...refused.keys());
  try {
    if (!(await reader.open(before))) return found;
    while (row <= last) {
      told = null;
      const batch = await reader.next();
      if (batch === null) break;
      if (batch.length === 0 && reader.drift !== null) reader.passDrift();
      const rows = batch.length === 0 ? 0 : rowsOf(batch);
      if (rows > 0 && refused.has(row)) {
        const record = capturedOf(told, before.path, replay);
        if (record !== null) found.set(row, record);
      }
      row += rows;
    }
  } finally {
    await reader.close();
  }
  return found;
}

function capturedOf(record: CapturedRecord | null, path: string, replay: boolean): Captured | null {
  if (record === null || record.offset === null) return null;
  const { bytes, offset, origin, state } = record;
  if (!replay) return { path, offset, line: 'find', bytes, state };
  const first = parseReplayRecord(bytes, offset);
  return {
    path: origin?.path ?? first.file,
    offset,
    line: origin?.line ?? first.line,
    bytes: Buffer.from(first.record, 'base64'),
    state: first.state,
  };
}
