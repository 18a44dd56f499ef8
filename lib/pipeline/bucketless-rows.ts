/**
 * Rows that are decoded and belong nowhere: an event time that cannot be read, a value that cannot name a folder. They are
 * bad records like others: left out and counted, or quarantined as they stand in the file. Only a batch that has such a row costs
 * anything: its good rows are written in pieces, and for the quarantine it is read once more, row by row.
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
  /** Looks for the buckets of all rows, and writes none. @throws SluiceError where one has none */
  readonly probe: (batch: Batch) => void;
  readonly write: (batch: Batch) => Promise<void>;
}

/** Writes the rows that have a bucket. @returns why the others have none, by row; @throws what is not about single rows */
export async function writeRows(batch: Batch, target: RowTarget): Promise<ReadonlyMap<number, SluiceError>> {
  try {
    await target.write(batch);
    return new Map();
  } catch (thrown) {
    if (!isOfRow(thrown)) throw thrown;
    const bad = new Map<number, SluiceError>();
    probe(batch, 0, batch.length, target, bad);
    // Every row has a bucket: it failed later, with rows written already.
    if (bad.size === 0) throw thrown;
    let from = 0;
    for (const row of [...bad.keys(), batch.length]) {
      if (row > from) await target.write(sliceBatch(batch, from, row));
      from = row + 1;
    }
    return bad;
  }
}

/** By halves: one bad row of 8,192 takes 26 looks at ever smaller pieces. */
function probe(
  batch: Batch,
  from: number,
  to: number,
  target: RowTarget,
  bad: Map<number, SluiceError>,
): void {
  try {
    target.probe(sliceBatch(batch, from, to));
  } catch (thrown) {
    if (!isOfRow(thrown)) throw thrown;
    if (to - from === 1) {
      bad.set(from, thrown);
      return;
    }
    const middle = (from + to) >> 1;
    probe(batch, from, middle, target, bad);
    probe(batch, middle, to, target, bad);
  }
}

function isOfRow(thrown: unknown): thrown is SluiceError {
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

/** What becomes of such rows. */
export type BucketlessPolicy =
  | { readonly kind: 'skip' }
  | { readonly kind: 'quarantine'; readonly capture: CaptureOptions };

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
 * The records of the rows that have no bucket, for the quarantine.
 * @param before the split where the batch begins
 * @param bad rows of the batch, ascending, and why
 */
export async function captureRecords(
  before: Split,
  bad: ReadonlyMap<number, SluiceError>,
  options: CaptureOptions,
): Promise<readonly QuarantinedRecord[]> {
  const records = new RefusedRecords();
  const captured = options.createReader === null ? null : await readAgain(before, bad, options);
  for (const [row, error] of bad) {
    const record = captured?.get(row);
    const column = error.details.column;
    records.add({
      code: 'no_bucket',
      reason: error.message,
      column: typeof column === 'string' ? column : null,
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
  bad: ReadonlyMap<number, SluiceError>,
  { createReader, rowsOf, replay }: CaptureOptions,
): Promise<Map<number, Captured>> {
  const found = new Map<number, Captured>();
  let told: CapturedRecord | null = null;
  const reader = createReader!((record) => {
    told = record;
  });
  let row = 0;
  const last = Math.max(...bad.keys());
  try {
    if (!(await reader.open(before))) return found;
    while (row <= last) {
      told = null;
      const batch = await reader.next();
      if (batch === null) break;
      if (batch.length === 0 && reader.drift !== null) reader.passDrift();
      const rows = batch.length === 0 ? 0 : rowsOf(batch);
      if (rows > 0 && bad.has(row)) {
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
