/**
 * One budget for all that the sink holds, however many columns, buckets and however large a row group may become. Real
 * Parquet; a disk that takes its time and keeps nothing.
 */
import { expect, it } from 'vitest';
import { parquetFormat } from '../../../formats/parquet/format.ts';
import { Batch } from '../../../lib/core/batch.ts';
import type { BucketAssigner } from '../../../lib/core/bucket-assigner.ts';
import { type Column, FixedColumn } from '../../../lib/core/column.ts';
import { parseDataType, type Schema } from '../../../lib/core/data-type.ts';
import type { RollingPolicy } from '../../../lib/core/rolling-policy.ts';
import { Buckets } from '../../../lib/sink/buckets.ts';
import type { BucketTimes } from '../../../lib/sink/sink-config.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryFileSystem } from '../../support/memory-file-system.ts';
import { neverRoll } from '../../support/sink-harness.ts';
import { SlowDisk } from '../../support/slow-disk.ts';

const MIB = 1024 * 1024;
const COLUMNS = 200;
const int64 = parseDataType('int64');
const schema: Schema = {
  fields: Array.from({ length: COLUMNS }, (_, i) => ({ name: `c${i}`, type: int64, nullable: true })),
};

/** Row after row goes seven buckets on: neighbours never meet. A row alone goes to the first. */
function scattered(buckets: number): BucketAssigner {
  const ids = Array.from({ length: buckets }, (_, i) => `b=${i}`);
  let row = 0;
  return {
    partitionColumns: [],
    assign: (batch) =>
      batch.length === 1
        ? { codes: new Int32Array(1), ids: ids.slice(0, 1) }
        : { codes: Int32Array.from({ length: batch.length }, () => (row++ * 7) % buckets), ids },
  };
}

async function sinkOf(
  buckets: number,
  memoryBytes: number,
  policy: RollingPolicy = neverRoll,
  bucketTimes: BucketTimes | null = null,
) {
  const fileSystem = new MemoryFileSystem(new ManualClock());
  const disk = new SlowDisk();
  Object.defineProperty(fileSystem, 'recoverableWriter', { value: disk });
  const spec = {
    type: 'parquet',
    compression: 'none',
    engine: 'sluice',
    rowGroupBytes: 100 * MIB,
    pageBytes: MIB,
  };
  const sink = new Buckets({
    path: '/lake',
    staging: null,
    naming: { prefix: 'part', jobId: '0a1b2c3d', suffix: '.parquet' },
    subtask: 0,
    schema,
    format: await parquetFormat(spec as Parameters<typeof parquetFormat>[0], undefined, memoryBytes),
    assigner: scattered(buckets),
    policy,
    bucketTimes,
    memoryBytes,
    flushBytes: memoryBytes / 4,
    fileSystem,
    segmentsFolder: '/state/segments',
    runId: 'aa',
    clock: new ManualClock(),
    checkpointId: 0,
  });
  return { sink, disk };
}

function columns(rows: number): Column[] {
  return schema.fields.map(({ type }, i) => {
    const column = new FixedColumn(type, 2, rows);
    for (let row = 0; row < rows; row++) column.values[row * 2] = row * i;
    column.length = rows;
    return column;
  });
}

/** Whenever it is asked, but not for what was written. */
const rollAll: RollingPolicy = {
  ...neverRoll,
  shouldRollOnProcessingTime: () => true,
  shouldRollOnWatermark: () => true,
};

const context = { watermarkMs: Number.NEGATIVE_INFINITY, timestampsMs: null };

it('holds 200 columns in 10,000 buckets within 24 MiB, though their row groups may have 100 MiB', async () => {
  const memoryBytes = 24 * MIB;
  const { sink, disk } = await sinkOf(10_000, memoryBytes);
  const batch = new Batch(schema, columns(512), 512);
  let most = 0;
  disk.onWrite = () => {
    most = Math.max(most, sink.memoryBytes);
  };
  for (let i = 0; i < 2; i++) {
    await sink.write(batch, context);
    most = Math.max(most, sink.memoryBytes);
  }
  const snapshot = await sink.snapshot(1, true);
  expect(snapshot.committables.reduce((rows, part) => rows + part.rows, 0)).toBe(1024);
  expect(most).toBeLessThan(memoryBytes);
  expect(disk.mostWaitingBytes).toBeLessThan(memoryBytes / 4);
  await sink.close();
}, 120_000);

it.each<[string, (sink: Buckets) => Promise<unknown>]>([
  ['at a checkpoint', (sink) => sink.snapshot(1, true)],
  ['for another schema', (sink) => sink.closeAll()],
  ['by the clock', (sink) => sink.onProcessingTime()],
  ['by event time', (sink) => sink.onWatermark(0)],
])('closes many parts no faster than the disk takes them: %s', async (_, close) => {
  // Enough for 300 parts of 64 rows: none is flushed before it is closed.
  const memoryBytes = 160 * MIB;
  const { sink, disk } = await sinkOf(300, memoryBytes, rollAll);
  await sink.write(new Batch(schema, columns(300 * 64), 300 * 64), context);
  expect(disk.writtenBytes).toBe(0);
  let most = 0;
  disk.onWrite = () => {
    if (sink.openParts === 0) most = Math.max(most, sink.memoryBytes);
  };
  await close(sink);
  await sink.snapshot(2, true);
  // A part of 200 columns has 120 KB.
  expect(disk.writtenBytes).toBeGreaterThan(memoryBytes / 6);
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThan(memoryBytes / 8 + MIB);
  expect(disk.released, 'many are open, but each is about to be closed').toBe(0);
  await sink.close();
});

it('flushes buckets that event time has passed no faster than the disk takes them', async () => {
  const memoryBytes = 128 * MIB;
  const { sink, disk } = await sinkOf(20, memoryBytes, neverRoll, () => ({ endMs: 1 }));
  const at = (rows: number, ms: number) => ({ ...context, timestampsMs: new Float64Array(rows).fill(ms) });
  const rows = 20_480;
  await sink.write(new Batch(schema, columns(rows), rows), at(rows, 0));
  expect(disk.writtenBytes).toBe(0);
  // A single row: 19 of the buckets are passed, with 1.6 MiB each.
  await sink.write(new Batch(schema, columns(1), 1), at(1, 2));
  expect(disk.writtenBytes + disk.waitingBytes).toBeGreaterThan(0);
  expect(disk.mostWaitingBytes).toBeLessThan(memoryBytes / 8 + 2 * MIB);
  expect(sink.memoryBytes).toBeLessThan(memoryBytes / 8 + 8 * MIB);
  await sink.close();
});

it('keeps few wide buckets open and lets the disk set the pace: rows wait in memory no longer than there is room', async () => {
  const memoryBytes = 32 * MIB;
  const { sink, disk } = await sinkOf(4, memoryBytes);
  const batch = new Batch(schema, columns(2048), 2048);
  let most = 0;
  for (let i = 0; i < 40; i++) {
    await sink.write(batch, context);
    most = Math.max(most, sink.memoryBytes);
  }
  // 128 MiB of rows went through.
  expect(disk.writtenBytes).toBeGreaterThan(64 * MIB);
  expect(most).toBeLessThan(memoryBytes);
  const { committables } = await sink.snapshot(1, true);
  expect(committables.map(({ rows }) => rows)).toEqual([20480, 20480, 20480, 20480]);
  await sink.close();
}, 120_000);
