/** The sink in the hands of a program: what it may count on between open, write, checkpoint, close and a crash. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { basePathAssigner, datetimeAssigner, rowBucketAssigner } from '../../../bucketing/index.ts';
import { ndjsonFormat, rowEncoder } from '../../../formats/index.ts';
import { Batch } from '../../../lib/core/batch.ts';
import type { SluiceError } from '../../../lib/core/errors.ts';
import { setFailpointHook } from '../../../lib/core/failpoint.ts';
import { columnsOf } from '../../../lib/core/values.ts';
import { StreamingFileSink } from '../../../lib/pipeline/streaming-file-sink.ts';
import { maxRowsRollingPolicy, onCheckpointRollingPolicy } from '../../../rolling/index.ts';
import { schemaOf } from '../../support/job.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { listLake } from '../../support/oracle/lake-files.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-sink-program-'));
});
afterEach(async () => {
  setFailpointHook(null);
  await rm(folder, { recursive: true });
});

const NOON = Date.UTC(2026, 10, 23, 12);
const lines = rowEncoder('.txt', (record) => `${String(record)}\n`);
const builder = () =>
  StreamingFileSink.forRowFormat(path.join(folder, 'lake'), lines).withBucketAssigner(basePathAssigner());
const OPEN = () => ({ state: path.join(folder, 'state'), name: 'program' });

/** Contents of visible parts, by their folder and counter. */
async function contents(): Promise<Record<string, string>> {
  const { visible } = await listLake(path.join(folder, 'lake'));
  const entries = visible.map(async (part) => {
    const text = await readFile(path.join(folder, 'lake', part), 'utf8');
    return [part.replace(/[^/]*-(\d+)\.\w+$/, '$1'), text.trimEnd().replaceAll('\n', ',')] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

describe('StreamingFileSink', () => {
  it('A2: that was built and never opened leaves nothing behind', async () => {
    builder().build();
    expect(await listLake(folder)).toEqual({ visible: [], hidden: [] });
  });

  it('assigners and policies see the watermark that the program says; it never goes back', async () => {
    const seen: number[] = [];
    const byWatermark = rowBucketAssigner({
      getBucketId: (_, { watermarkMs }) => {
        seen.push(watermarkMs);
        return watermarkMs >= 1000 ? 'late' : 'early';
      },
    });
    const closesPassed = {
      ...maxRowsRollingPolicy(1000),
      shouldRollOnWatermark: (_: unknown, ms: number) => ms >= 1000,
    };
    const writer = await StreamingFileSink.forRowFormat(path.join(folder, 'lake'), lines)
      .withBucketAssigner(byWatermark)
      .withRollingPolicy(closesPassed)
      .build()
      .open(OPEN());
    await writer.write('a');
    await writer.advanceWatermark(500);
    await writer.write('b');
    await writer.advanceWatermark(1000);
    await writer.advanceWatermark(700);
    await writer.write('c');
    await writer.checkpoint();
    // Closed by the watermark, and so visible; what came after it is open.
    expect(await contents()).toEqual({ 'early/0': 'a,b' });
    await writer.close();
    expect(await contents()).toEqual({ 'early/0': 'a,b', 'late/1': 'c' });
    expect(seen).toEqual([Number.NEGATIVE_INFINITY, 500, 1000]);
  });

  it('goes on with the watermark of its last checkpoint after a crash; later ones are lost with their rows', async () => {
    const seen: number[] = [];
    const sink = StreamingFileSink.forRowFormat(path.join(folder, 'lake'), lines)
      .withBucketAssigner(
        rowBucketAssigner({
          getBucketId: (_, { watermarkMs }) => {
            seen.push(watermarkMs);
            return watermarkMs >= 1000 ? 'late' : 'early';
          },
        }),
      )
      .build();
    const first = await sink.open(OPEN());
    expect(first.watermarkMs).toBe(Number.NEGATIVE_INFINITY);
    await first.checkpoint();
    await first.advanceWatermark(1000);
    await first.write('a');
    await first.checkpoint();
    await first.advanceWatermark(2000);
    await first.write('lost');
    await first.abandon();
    const second = await sink.open(OPEN());
    expect(second.watermarkMs).toBe(1000);
    await second.advanceWatermark(500);
    await second.write('b');
    // The end of this program's input is not the end of the next one's.
    await second.advanceWatermark(3000);
    await second.advanceWatermark(Number.POSITIVE_INFINITY);
    expect(second.watermarkMs).toBe(Number.POSITIVE_INFINITY);
    await second.write('c');
    await second.close();
    expect(await contents()).toEqual({ 'late/0': 'a,b,c' });
    expect(seen.slice(0, 1)).toEqual([1000]);
    expect(seen.slice(-2)).toEqual([1000, Number.POSITIVE_INFINITY]);
    const third = await sink.open(OPEN());
    expect(third.watermarkMs).toBe(3000);
    await third.abandon();
  });

  it('closes restored parts that the watermark has passed, under a policy that goes by it', async () => {
    const closesPassed = {
      ...maxRowsRollingPolicy(1000),
      shouldRollOnWatermark: (_: unknown, ms: number) => ms >= 1000,
    };
    const first = await builder().withRollingPolicy(maxRowsRollingPolicy(1000)).build().open(OPEN());
    await first.write('a');
    await first.advanceWatermark(1000);
    await first.checkpoint();
    await first.abandon();
    const second = await builder().withRollingPolicy(closesPassed).build().open(OPEN());
    await second.checkpoint();
    expect(await contents()).toEqual({ 0: 'a' });
    await second.close();
  });

  it('A15, A18: buckets by processing time unless told otherwise, by the timestamp of a record where told so', async () => {
    const clock = new ManualClock(NOON);
    const byDefault = await StreamingFileSink.forRowFormat(path.join(folder, 'lake'), lines)
      .build()
      .open({ ...OPEN(), clock });
    await byDefault.write('a', { timestamp: 0 });
    await byDefault.close();
    expect(await contents()).toEqual({ '2026-11-23--12/0': 'a' });
    const byEvent = await StreamingFileSink.forRowFormat(path.join(folder, 'lake'), lines)
      .withBucketAssigner(datetimeAssigner({ time: 'event', pattern: "'dt='yyyy-MM-dd" }))
      .build()
      .open({ ...OPEN(), name: 'by-event', clock });
    await byEvent.write('b', { timestamp: 0 });
    await byEvent.write('c');
    await byEvent.close();
    expect(await contents()).toEqual({
      '2026-11-23--12/0': 'a',
      'dt=1970-01-01/0': 'b',
      'dt=__HIVE_DEFAULT_PARTITION__/1': 'c',
    });
  });

  it('shows what a checkpoint closed, after it and not before; the rest at the end', async () => {
    const writer = await builder().withRollingPolicy(maxRowsRollingPolicy(2)).build().open(OPEN());
    for (const record of ['1', '2', '3']) await writer.write(record);
    expect(await contents()).toEqual({});
    await writer.checkpoint();
    expect(await contents()).toEqual({ 0: '1,2' });
    await writer.checkpoint({ closeParts: true });
    expect(await contents()).toEqual({ 0: '1,2', 1: '3' });
    await writer.write('4');
    await writer.close();
    await writer.close();
    expect(await contents()).toEqual({ 0: '1,2', 1: '3', 2: '4' });
    await expect(writer.write('5')).rejects.toMatchObject({ code: 'STEP_ILLEGAL' });
  });

  it('after a crash gives the position back that belongs to what it kept, and nothing of later rows', async () => {
    const first = await builder().build().open(OPEN());
    expect(first.position).toBeNull();
    await first.write('1');
    await first.checkpoint({ position: { line: 1 } });
    await first.checkpoint();
    await first.write('lost');
    await first.abandon();
    const second = await builder().build().open(OPEN());
    expect(second.position).toEqual({ line: 1 });
    await second.write('2');
    await second.close({ position: { line: 2 } });
    expect(await contents()).toEqual({ 0: '1,2' });
    const third = await builder().build().open(OPEN());
    expect(third.position).toEqual({ line: 2 });
    await third.close();
    expect(await contents()).toEqual({ 0: '1,2' });
  });

  it('rolls by time while nothing is written, when it is ticked', async () => {
    const clock = new ManualClock(NOON);
    const writer = await builder()
      .withBucketCheckInterval(10)
      .build()
      .open({ ...OPEN(), clock });
    await writer.write('1');
    await writer.tick();
    clock.advance(60_000);
    await writer.tick();
    await writer.checkpoint();
    expect(await contents()).toEqual({ 0: '1' });
    await writer.close();
  });

  it('takes typed records and batches; one that does not fit is refused alone', async () => {
    const schema = schemaOf({ id: 'int64', name: 'string' });
    const encoder = ndjsonFormat().createEncoder(schema);
    const sink = StreamingFileSink.forRowFormat(path.join(folder, 'lake'), encoder, { schema })
      .withBucketAssigner(basePathAssigner())
      .withOutputFileConfig({ prefix: 'typed', suffix: '.json' })
      .build();
    const writer = await sink.open(OPEN());
    await writer.write({ id: 2n ** 62n, name: 'one' });
    await expect(writer.write({ id: 'not a number' })).rejects.toMatchObject({ code: 'BAD_RECORD' });
    for (const none of [null, undefined, 'hello', 5, [1], Symbol('s')])
      await expect(writer.write(none)).rejects.toMatchObject({ code: 'BAD_RECORD' });
    await writer.write(
      new Batch(
        schema,
        columnsOf(schema, [
          { id: 2n, name: 'two' },
          { id: 3n, name: null },
        ]),
        2,
      ),
    );
    await writer.close();
    const { visible } = await listLake(path.join(folder, 'lake'));
    expect(visible).toEqual([expect.stringMatching(/^typed-[0-9a-f]{8}-0-0\.json$/)]);
    expect(Object.values(await contents())).toEqual([
      '{"id":4611686018427387904,"name":"one"},{"id":2,"name":"two"},{"id":3,"name":null}',
    ]);
  });

  it.each([
    ['../../part', '.json'],
    ['_part', '.json'],
    ['.part', '.json'],
    ['part', '/../evil'],
    ['a\nb', ''],
  ])('refuses names of parts that leave their folder or that readers skip: %j %j', (prefix, suffix) => {
    const named = builder().withOutputFileConfig({ prefix, suffix });
    expect(() => named.build()).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  it.each(['../esc', 'My Sink', '', undefined])('refuses the name %j for its state', async (name) => {
    const opened = builder()
      .build()
      .open({ ...OPEN(), name: name as string });
    await expect(opened).rejects.toMatchObject({ code: 'USAGE' });
    expect(await readdir(folder)).not.toContain('esc');
  });

  it.each([
    ['NaN', Number.NaN],
    ['a function', () => 1],
    ['a Map', new Map([[1, 2]])],
    ['a bigint', 10n],
    ['a date within', { at: new Date(0) }],
    ['undefined within', { at: undefined }],
  ])('refuses a position that a restart would not give back: %s', async (_, position) => {
    const writer = await builder().build().open(OPEN());
    await writer.write('1');
    await expect(writer.checkpoint({ position })).rejects.toMatchObject({ code: 'USAGE' });
    await writer.checkpoint({ position: { line: 1, of: ['a', null, true, -0.5] } });
    expect(writer.position).toEqual({ line: 1, of: ['a', null, true, -0.5] });
    await writer.close();
    expect(await contents()).toEqual({ 0: '1' });
  });

  it('is for one at a time, and for the lake it began with', async () => {
    const writer = await builder().build().open(OPEN());
    await expect(builder().build().open(OPEN())).rejects.toMatchObject({ code: 'JOB_RUNNING' });
    await writer.write('1');
    await writer.close();
    const elsewhere = StreamingFileSink.forRowFormat(path.join(folder, 'other'), lines).build();
    await expect(elsewhere.open(OPEN())).rejects.toMatchObject({ code: 'JOB_MISMATCH' });
    await rm(path.join(folder, 'state'), { recursive: true });
    await expect(builder().build().open(OPEN())).rejects.toMatchObject({ code: 'STATE_MISSING' });
    expect(await contents()).toEqual({ 0: '1' });
  });

  it('A8: with the on-checkpoint policy gives a part a checkpoint', async () => {
    const writer = await builder().withRollingPolicy(onCheckpointRollingPolicy()).build().open(OPEN());
    for (const record of ['1', '2', '3']) {
      await writer.write(record);
      await writer.checkpoint();
    }
    await writer.checkpoint();
    await writer.close();
    expect(await contents()).toEqual({ 0: '1', 1: '2', 2: '3' });
  });

  const STEPS = [
    'part.write.after',
    'part.close.before',
    'part.close.after',
    'segment.written',
    'sink.snapshot.after',
    'checkpoint.write.before',
    'exclusive.link.before',
    'checkpoint.write.after',
    'commit.before',
    'commit.link.before',
    'commit.link.after',
    'commit.after',
  ];
  describe.each([
    ['on checkpoints', onCheckpointRollingPolicy()],
    ['by rows', maxRowsRollingPolicy(3)],
  ])('parts closed %s', (_, policy) => {
    it.each(STEPS)(
      '%s fails once: no row is lost, or promised by a position, by trying again',
      async (step) => {
        const open = () => builder().withRollingPolicy(policy).build().open(OPEN());
        let writer = await open();
        let fails = true;
        setFailpointHook((name) => {
          if (!fails || name !== step) return;
          fails = false;
          throw new Error('the disk had a moment');
        });
        const rows = 10;
        for (let row = 0; row < rows; ) {
          try {
            for (; row < rows; row++) await writer.write(String(row));
            await writer.checkpoint({ position: row });
          } catch {
            // A program that only tries again; and goes on from the position where it may not.
            const again = await writer
              .checkpoint({ position: row })
              .catch((error: SluiceError) => error.code);
            if (again !== 'STEP_ILLEGAL') continue;
            await expect(writer.close({ position: row })).rejects.toMatchObject({ code: 'STEP_ILLEGAL' });
            writer = await open();
            row = Number(writer.position ?? 0);
          }
        }
        await writer.close({ position: rows });
        const next = await open();
        expect(next.position).toBe(rows);
        await next.close();
        const written = Object.values(await contents()).flatMap((part) => part.split(','));
        expect(written.map(Number).sort((a, b) => a - b)).toEqual(
          Array.from({ length: rows }, (_each, i) => i),
        );
      },
    );
  });
});
