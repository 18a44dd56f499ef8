/** Rows that wait together are treated as if each was in its part already. */
import { expect, it } from 'vitest';
import { type ParquetSpec, parquetFormat } from '../../../formats/parquet/format.ts';
import { Batch } from '../../../lib/core/batch.ts';
import { FixedColumn } from '../../../lib/core/column.ts';
import { parseDataType, type Schema } from '../../../lib/core/data-type.ts';
import type { RollingPolicy } from '../../../lib/core/rolling-policy.ts';
import { Buckets } from '../../../lib/sink/buckets.ts';
import { EvolvingSink } from '../../../lib/sink/evolving-sink.ts';
import type { LatePolicy } from '../../../lib/sink/sink-config.ts';
import { parquetOutput } from '../../support/job.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryFileSystem } from '../../support/memory-file-system.ts';
import { neverRoll, policy, sizeAndTime } from '../../support/sink-harness.ts';

const schema: Schema = { fields: [{ name: 'n', type: parseDataType('int32'), nullable: true }] };
const context = { watermarkMs: Number.NEGATIVE_INFINITY, timestampsMs: null };

/** A sink whose row n goes to bucket `b=n`; the time of bucket n is over at n * 1000. */
async function sinkOf(rolling: RollingPolicy, late?: LatePolicy) {
  const clock = new ManualClock();
  const sink = new Buckets({
    path: '/lake',
    staging: null,
    naming: { prefix: 'part', jobId: '0a1b2c3d', suffix: '.parquet' },
    subtask: 0,
    schema,
    format: await parquetFormat(parquetOutput as ParquetSpec),
    assigner: {
      partitionColumns: [],
      assign(batch) {
        const values = Array.from(
          { length: batch.length },
          (_, row) => (batch.record(row) as { n: number }).n,
        );
        const ids = [...new Set(values)];
        return {
          codes: Int32Array.from(values, (value) => ids.indexOf(value)),
          ids: ids.map((value) => `b=${value}`),
        };
      },
    },
    policy: rolling,
    bucketTimes: (id) => ({ endMs: Number(id.slice(2)) * 1000 }),
    ...(late === undefined ? {} : { late }),
    memoryBytes: 16 << 20,
    flushBytes: 1 << 20,
    fileSystem: new MemoryFileSystem(clock),
    segmentsFolder: '/state/segments',
    runId: 'aa',
    clock,
    checkpointId: 0,
  });
  const write = (values: number[], watermarkMs = context.watermarkMs) => {
    const column = new FixedColumn(parseDataType('int32'), 1, values.length);
    column.values.set(values);
    column.length = values.length;
    return sink.write(new Batch(schema, [column], values.length), { ...context, watermarkMs });
  };
  /** Closed since the last one: rows by bucket. */
  const closed = async (id: number, all = false) =>
    Object.fromEntries((await sink.snapshot(id, all)).committables.map((part) => [part.bucketId, part.rows]));
  return { sink, clock, write, closed };
}

it('rows wait over ticks and watermarks, and are closed in the order of their buckets at the end', async () => {
  const { sink, clock, write } = await sinkOf(policy({ shouldRollOnWatermark: () => false }));
  await write([3, 1, 2]);
  clock.advance(1000);
  await sink.onProcessingTime();
  await sink.onWatermark(500);
  await write([2, 3], 500);
  expect(sink.openParts).toBe(0);
  const { committables } = await sink.snapshot(1, true);
  expect(committables.map(({ bucketId, rows }) => [bucketId, rows])).toEqual([
    ['b=1', 1],
    ['b=2', 2],
    ['b=3', 2],
  ]);
  await sink.close();
});

it('a bucket that gets no more rows is inactive, though others beside it go on', async () => {
  const { sink, clock, write, closed } = await sinkOf(sizeAndTime({ inactivity: 1000 }));
  await write([1, 2, 3]);
  for (let i = 0; i < 4; i++) {
    clock.advance(250);
    await write([2, 3]);
    await sink.onProcessingTime();
  }
  expect(await closed(1)).toEqual({ 'b=1': 1 });
  await sink.close();
});

it('an open part is not inactive while rows wait for it', async () => {
  const { sink, clock, write, closed } = await sinkOf(sizeAndTime({ inactivity: 1000 }));
  await write([1, 2]);
  expect(await closed(1)).toEqual({});
  clock.advance(900);
  await write([1, 3]);
  clock.advance(100);
  await sink.onProcessingTime();
  expect(await closed(2)).toEqual({ 'b=2': 1 });
  clock.advance(900);
  await sink.onProcessingTime();
  expect(await closed(3)).toEqual({ 'b=1': 2, 'b=3': 1 });
  await sink.close();
});

it('the age of a part counts from its first row, and not from that of another', async () => {
  const { sink, clock, write, closed } = await sinkOf(sizeAndTime({ age: 1000 }));
  await write([1, 2]);
  clock.advance(900);
  await write([2, 3]);
  clock.advance(100);
  await sink.onProcessingTime();
  expect(sink.openParts).toBe(1);
  expect(await closed(1)).toEqual({ 'b=1': 1, 'b=2': 2 });
  clock.advance(900);
  await sink.onProcessingTime();
  expect(await closed(2)).toEqual({ 'b=3': 1 });
  await sink.close();
});

it('a policy that looks at the rows of a part is told those that wait', async () => {
  const { sink, write, closed } = await sinkOf(
    policy({ shouldRollOnProcessingTime: ({ rows }) => rows >= 3 }),
  );
  for (let i = 0; i < 3; i++) await write([1, 2, ...(i > 0 ? [3] : [])]);
  await sink.onProcessingTime();
  expect(await closed(1)).toEqual({ 'b=1': 3, 'b=2': 3 });
  await sink.close();
});

it('a policy is told the rows of an open part and those that wait for it together', async () => {
  const { sink, write, closed } = await sinkOf(
    policy({ shouldRollOnProcessingTime: ({ rows }) => rows >= 4 }),
  );
  await write([1, 1, 2]);
  expect(await closed(1)).toEqual({});
  expect(sink.openParts).toBe(2);
  await write([1, 1, 2]);
  await sink.onProcessingTime();
  expect(await closed(2)).toEqual({ 'b=1': 4 });
  await sink.close();
});

it('the second part of a bucket is not as old as its first', async () => {
  const { sink, clock, write, closed } = await sinkOf(
    policy({
      shouldRollOnEvent: ({ rows }) => rows >= 2,
      rowsUntilRoll: ({ rows }) => 2 - rows,
      shouldRollOnProcessingTime: (part, nowMs) => nowMs - part.creationTimeMs >= 1000,
    }),
  );
  await write([1, 1, 2]);
  clock.advance(900);
  await write([1, 2]);
  clock.advance(100);
  await sink.onProcessingTime();
  expect(await closed(1)).toEqual({ 'b=1': 2, 'b=2': 2 });
  expect(sink.openParts).toBe(1);
  await sink.close();
});

it('event time closes the buckets that it has passed, with the rows that wait', async () => {
  const { sink, write, closed } = await sinkOf(
    policy({ shouldRollOnWatermark: ({ bucketEndMs }, watermarkMs) => watermarkMs >= bucketEndMs! }),
  );
  await write([1, 2, 3]);
  await sink.onWatermark(999);
  expect(sink.openParts).toBe(0);
  await sink.onWatermark(2000);
  expect(await closed(1)).toEqual({ 'b=1': 1, 'b=2': 1 });
  await sink.close();
});

it.each([
  [true, { 'b=1': 3, 'b=2': 3, 'b=9': 1 }, { rows: 3, dropped: 0 }],
  [false, { 'b=1': 1, 'b=2': 2, 'b=9': 1 }, { rows: 3, dropped: 3 }],
])(
  'rows are late by the watermark that they came under, however long they wait: kept %s',
  async (keep, parts, late) => {
    const { sink, write, closed } = await sinkOf(neverRoll, { keep, allowedLatenessMs: 0 });
    await write([1, 2, 9]);
    await write([2, 1], 1000);
    await write([1, 2], 2500);
    expect(await closed(1, true)).toEqual(parts);
    expect(sink.takeLate()).toEqual(late);
    await sink.close();
  },
);

it('rows that turn out to be late where the schema changes are counted, though nothing is written until the checkpoint', async () => {
  const before = await sinkOf(neverRoll, { keep: false, allowedLatenessMs: 0 });
  const evolving = new EvolvingSink(before.sink, [], 0);
  await before.write([1, 2, 9]);
  await before.write([2, 1], 1000);
  const after = await sinkOf(neverRoll);
  await evolving.replace(after.sink);
  await evolving.snapshot(1, false);
  expect(evolving.takeLate()).toEqual({ rows: 1, dropped: 1 });
  expect(evolving.takeLate()).toEqual({ rows: 0, dropped: 0 });
  await evolving.close();
});
