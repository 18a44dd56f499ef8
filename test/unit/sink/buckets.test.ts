import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { afterEach, describe, expect, it } from 'vitest';
import { basePathAssigner } from '../../../bucketing/base-path.ts';
import { type ParquetSpec, parquetFormat } from '../../../formats/parquet/format.ts';
import type { PartFileInfo } from '../../../lib/core/rolling-policy.ts';
import { parquetOutput, schemaOf } from '../../support/job.ts';
import { type HarnessOptions, policy, SinkHarness, sizeAndTime } from '../../support/sink-harness.ts';

let harness: SinkHarness;
const open = async (options?: HarnessOptions) => {
  harness = await SinkHarness.open(options);
  return harness;
};
afterEach(() => harness.dispose());

describe('life cycle and rolling', () => {
  it('A1: opening and closing without a record makes no file', async () => {
    const sink = await open();
    await sink.snapshot(1, true);
    await sink.notify(1);
    expect(await sink.files()).toEqual([]);
  });

  it('A2: closing a sink into which nothing was written, twice, is no error and leaves no folder', async () => {
    const sink = await open();
    await sink.buckets.close();
    await sink.buckets.close();
    expect(await readdir(sink.folder)).toEqual([]);
  });

  it('A3: a record that finds the part over its size begins a new one', async () => {
    const sink = await open({ policy: sizeAndTime({ size: 10 }), flushBytes: 1 });
    await sink.write('b:1234567', 'b:2345678', 'b:3456789');
    expect(await sink.visible()).toEqual([]);
    expect(sink.buckets.openParts).toBe(1);
    await sink.snapshot(1, true);
    await sink.notify(1);
    expect(await sink.contents()).toEqual({ 'b/0': '1234567,2345678', 'b/1': '3456789' });
  });

  it('A4: a part exactly at its limit is not rolled, so it may end one record over it', async () => {
    const sink = await open({ policy: sizeAndTime({ size: 16 }) });
    await sink.write('b:1234567', 'b:2345678', 'b:3456789', 'b:4567890');
    await sink.snapshot(1, true);
    await sink.notify(1);
    expect(await sink.contents()).toEqual({ 'b/0': '1234567,2345678,3456789', 'b/1': '4567890' });
  });

  it('A5: inactive parts become pending and stay hidden', async () => {
    const sink = await open({ policy: sizeAndTime({ inactivity: 100 }) });
    await sink.write('b:1');
    await sink.tick(101);
    expect(sink.buckets.openParts).toBe(0);
    await sink.snapshot(1);
    expect(await sink.visible()).toEqual([]);
    expect(await sink.hidden()).toHaveLength(1);
  });

  it('A6: rolls by inactivity, then by age', async () => {
    const sink = await open({ policy: sizeAndTime({ age: 11, inactivity: 4 }) });
    sink.clock.advance(3);
    await sink.write('b:1');
    await sink.tick(2);
    expect(sink.buckets.openParts).toBe(1);
    await sink.tick(2);
    expect(sink.buckets.openParts).toBe(0);
    await sink.write('b:2');
    for (let i = 0; i < 3; i++) {
      await sink.tick(3);
      expect(sink.buckets.openParts).toBe(1);
      await sink.write('b:more');
    }
    await sink.tick(2);
    expect(sink.buckets.openParts).toBe(0);
  });

  it('A7: a small part is not rolled by a checkpoint; its position is', async () => {
    const sink = await open({ policy: sizeAndTime({ size: 1000 }) });
    await sink.write('b:1');
    const { state, promised } = await sink.snapshot(1);
    expect(promised).toEqual([]);
    expect(state.openParts).toMatchObject([{ bucketId: 'b', rows: 1 }]);
  });

  it('A8: on-checkpoint policy makes one part a bucket and checkpoint, whatever the size or time', async () => {
    const sink = await open({ policy: policy({ shouldRollOnCheckpoint: () => true }) });
    for (let id = 1; id <= 3; id++) {
      await sink.write('a:x', 'b:y', 'a:x');
      await sink.tick(1_000_000);
      await sink.snapshot(id);
      await sink.notify(id);
    }
    expect(await sink.contents()).toEqual({
      'a/0': 'x,x',
      'b/1': 'y',
      'a/2': 'x,x',
      'b/3': 'y',
      'a/4': 'x,x',
      'b/5': 'y',
    });
  });

  it('A9: each of the three questions rolls on its own, and none is asked without an open part', async () => {
    const asked: string[] = [];
    const answers = { event: false, checkpoint: false, time: false };
    const ask = (question: keyof typeof answers) => (part: PartFileInfo) => {
      expect(part.rows).toBeGreaterThan(0);
      asked.push(question);
      return answers[question];
    };
    const sink = await open({
      policy: policy({
        shouldRollOnEvent: ask('event'),
        shouldRollOnCheckpoint: ask('checkpoint'),
        shouldRollOnProcessingTime: ask('time'),
      }),
    });
    await sink.tick(1);
    await sink.snapshot(1);
    expect(asked).toEqual([]);
    await sink.write('b:1');
    expect(asked).toEqual([]);
    answers.event = true;
    await sink.write('b:2');
    answers.event = false;
    answers.checkpoint = true;
    await sink.snapshot(2);
    answers.checkpoint = false;
    await sink.write('b:3');
    answers.time = true;
    await sink.tick(1);
    expect(asked).toEqual(['event', 'checkpoint', 'time']);
    await sink.snapshot(3);
    await sink.notify(3);
    expect(await sink.contents()).toEqual({ 'b/0': '1', 'b/1': '2', 'b/2': '3' });
  });

  it('A10: notify publishes what was closed before that checkpoint, and no more', async () => {
    const sink = await open({ policy: policy({ shouldRollOnCheckpoint: () => true }) });
    for (let id = 1; id <= 3; id++) {
      await sink.write(`b:${id}`);
      await sink.snapshot(id);
    }
    await sink.notify(1);
    expect(await sink.contents()).toEqual({ 'b/0': '1' });
    await sink.notify(3);
    expect(await sink.contents()).toEqual({ 'b/0': '1', 'b/1': '2', 'b/2': '3' });
  });

  it('A11: a late notify publishes only its own', async () => {
    const sink = await open({ policy: policy({ shouldRollOnCheckpoint: () => true }) });
    await sink.write('a:1', 'b:2');
    await sink.snapshot(1);
    await sink.write('c:3', 'd:4');
    await sink.snapshot(2);
    await sink.notify(1);
    expect(Object.keys(await sink.contents())).toEqual(['a/0', 'b/1']);
    await sink.notify(2);
    expect(Object.keys(await sink.contents())).toEqual(['a/0', 'b/1', 'c/2', 'd/3']);
  });

  it('A12: part numbers are unique over the buckets of a subtask', async () => {
    const sink = await open();
    await sink.write('test1:a', 'test2:a', 'test3:a', 'test4:a');
    await sink.snapshot(1, true);
    await sink.notify(1);
    expect(Object.keys(await sink.contents())).toEqual(['test1/0', 'test2/1', 'test3/2', 'test4/3']);
  });

  it('A13: a bucket that gets data again goes on counting', async () => {
    const sink = await open();
    await sink.write('b:1');
    await sink.snapshot(1, true);
    await sink.notify(1);
    await sink.write('b:2');
    await sink.snapshot(2, true);
    await sink.notify(2);
    expect(await sink.contents()).toEqual({ 'b/0': '1', 'b/1': '2' });
  });

  it('A14: without a checkpoint nothing is ever published', async () => {
    const sink = await open({ flushBytes: 1 });
    await sink.write('b:1', 'b:2');
    await sink.restart();
    expect(await sink.visible()).toEqual([]);
  });

  it('A19: names carry prefix and suffix, hidden ones a dot and the run', async () => {
    const sink = await open({ prefix: 'prefix', suffix: '.ext', flushBytes: 1 });
    await sink.write('b:1');
    await sink.snapshot(1);
    expect(await sink.hidden()).toEqual([
      expect.stringMatching(/^b\/\.prefix-0a1b2c3d-0-0\.ext\.inprogress\.[0-9a-f]+$/),
    ]);
    await sink.snapshot(2, true);
    await sink.notify(2);
    expect(await sink.visible()).toEqual(['b/prefix-0a1b2c3d-0-0.ext']);
  });

  it('with a staging folder, nothing hidden is ever in the lake', async () => {
    const sink = await open({ staging: true, flushBytes: 1 });
    await sink.write('b:1', 'c:2');
    await sink.snapshot(1);
    expect(await sink.files()).toEqual([]);
    await sink.snapshot(2, true);
    await sink.notify(2);
    expect(await sink.contents()).toEqual({ 'b/0': '1', 'c/1': '2' });
  });

  it('A21: a bulk format gives one whole file a checkpoint, visible after its notification, the latest of two publishing both', async () => {
    const format = await parquetFormat(parquetOutput as ParquetSpec);
    const sink = await open({
      schema: schemaOf({ id: 'int64' }),
      format: () => format,
      assigner: basePathAssigner(),
      policy: policy({ shouldRollOnCheckpoint: () => true }),
    });
    const ids = (from: number) => Array.from({ length: 100 }, (_, i) => ({ id: BigInt(from + i) }));
    const idsIn = async (file: string) => {
      const bytes = await readFile(path.join(sink.folder, 'lake', file));
      const rows = await parquetReadObjects({ file: bytes.buffer.slice(bytes.byteOffset), compressors });
      return rows.map(({ id }) => id);
    };
    await sink.writeObjects(ids(0));
    await sink.writeObjects(ids(100));
    await sink.snapshot(1);
    await sink.writeObjects(ids(200));
    await sink.snapshot(2);
    expect(await sink.visible()).toEqual([]);
    expect(await sink.hidden()).toHaveLength(2);
    await sink.notify(2);
    const [first, second] = await sink.visible();
    expect(await idsIn(first!)).toEqual(Array.from({ length: 200 }, (_, i) => BigInt(i)));
    expect(await idsIn(second!)).toEqual(Array.from({ length: 100 }, (_, i) => BigInt(200 + i)));
    expect(await sink.hidden()).toEqual([]);
  });

  it('A23: every row of a batch is in its own bucket once, whatever the order', async () => {
    const sink = await open();
    const records = Array.from({ length: 5000 }, (_, i) => `b${(i * 7919) % 13}:${i}`);
    await sink.writeBatch(records);
    await sink.snapshot(1, true);
    await sink.notify(1);
    const seen = Object.entries(await sink.contents()).flatMap(([key, text]) =>
      text.split(',').map((row) => `${key.split('/')[0]}:${row}`),
    );
    expect(seen.sort()).toEqual([...records].sort());
  });

  it('holds one memory budget over all open parts, by flushing, and still ends with one part a bucket', async () => {
    const sink = await open({ memoryBytes: 640 * 1024, flushBytes: 1 << 20 });
    for (let round = 0; round < 20; round++) {
      await sink.writeBatch(Array.from({ length: 500 }, (_, i) => `b${i % 100}:${round} ${'x'.repeat(500)}`));
    }
    await sink.snapshot(1);
    expect(await sink.hidden()).not.toEqual([]);
    await sink.snapshot(2, true);
    await sink.notify(2);
    const contents = await sink.contents();
    expect(Object.keys(contents)).toHaveLength(100);
    for (const text of Object.values(contents)) expect(text.split(',')).toHaveLength(100);
  });

  it('closes parts where flushing is not enough: an open part takes memory even without rows', async () => {
    const sink = await open({ memoryBytes: 64 * 1024, flushBytes: 1 << 20 });
    await sink.writeBatch(Array.from({ length: 1000 }, (_, i) => `b${i}:x`));
    expect(sink.buckets.memoryBytes).toBeLessThanOrEqual(64 * 1024);
    expect(sink.buckets.openParts).toBeLessThan(32);
    await sink.snapshot(1, true);
    await sink.notify(1);
    expect(Object.keys(await sink.contents())).toHaveLength(1000);
  });
});

describe('restore', () => {
  for (const flushBytes of [1, 1 << 20]) {
    const where = flushBytes === 1 ? 'in its file' : 'in a segment';
    it(`B24: the open part goes on after what the checkpoint had of it (${where})`, async () => {
      const sink = await open({ policy: sizeAndTime({ size: 3 }), flushBytes });
      await sink.write('b:1');
      const checkpoint = await sink.snapshot(1);
      await sink.write('b:2', 'b:3');
      await sink.restart(checkpoint);
      await sink.write('b:4', 'b:5');
      await sink.snapshot(2, true);
      await sink.notify(2);
      expect(await sink.contents()).toEqual({ 'b/0': '1,4', 'b/1': '5' });
    });

    it(`the open part survives many checkpoints and restarts as one file (${where})`, async () => {
      const sink = await open({ flushBytes });
      const rows: string[] = [];
      for (let id = 1; id <= 30; id++) {
        await sink.write(`b:${id}`);
        rows.push(`${id}`);
        const checkpoint = await sink.snapshot(id);
        await sink.write('b:lost');
        if (id % 3 === 0) await sink.restart(checkpoint);
        else {
          // Only a crash takes it back.
          rows.push('lost');
        }
      }
      await sink.snapshot(31, true);
      await sink.notify(31);
      expect(await sink.contents()).toEqual({ 'b/0': rows.join(',') });
    });
  }

  it('B25, B26: what checkpoints promised is published at restart; the open part stays hidden', async () => {
    const sink = await open({ policy: policy({ shouldRollOnEvent: () => true }), flushBytes: 1 });
    for (let i = 1; i <= 5; i++) await sink.write(`b:${i}`);
    await sink.write('b:6');
    const checkpoint = await sink.snapshot(1);
    expect(await sink.visible()).toEqual([]);
    await sink.restart(checkpoint);
    expect(Object.values(await sink.contents())).toEqual(['1', '2', '3', '4', '5']);
    expect(await sink.hidden()).toHaveLength(1);
    await sink.snapshot(2, true);
    await sink.notify(2);
    expect(Object.values(await sink.contents())).toEqual(['1', '2', '3', '4', '5', '6']);
    expect(await sink.hidden()).toEqual([]);
  });

  it('B27: an empty state restores to nothing', async () => {
    const sink = await open();
    await sink.restart(await sink.snapshot(1));
    expect(await sink.files()).toEqual([]);
    expect(sink.buckets.openParts).toBe(0);
  });

  it('B28: storage that cannot continue a file: each checkpoint closes the open parts, whatever the policy says', async () => {
    const sink = await open({ supportsResume: false, flushBytes: 1 });
    await sink.write('b:1', 'c:2');
    const checkpoint = await sink.snapshot(1);
    expect(checkpoint.state.openParts).toEqual([]);
    expect(checkpoint.promised).toHaveLength(2);
    await sink.write('b:lost');
    await sink.restart(checkpoint);
    expect(await sink.contents()).toEqual({ 'b/0': '1', 'c/1': '2' });
    await sink.write('b:3');
    await sink.snapshot(2);
    await sink.notify(2);
    expect(await sink.contents()).toEqual({ 'b/0': '1', 'b/2': '3', 'c/1': '2' });
  });

  it('B29: a commit that is repeated after a crash changes nothing', async () => {
    const sink = await open();
    await sink.write('b:1');
    const checkpoint = await sink.snapshot(1, true);
    await sink.notify(1);
    await sink.restart(checkpoint);
    await sink.restart(checkpoint);
    expect(await sink.contents()).toEqual({ 'b/0': '1' });
  });

  it('B32, B33: two subtasks merged into one: one part stays open, the other is published, counters go on above both', async () => {
    const first = await open();
    await first.write('b:1', 'a:x', 'c:x');
    const one = await first.snapshot(1);
    await first.restartAs(1);
    await first.write('b:2');
    const two = await first.snapshot(2);
    await first.restart(two, one);
    expect(first.buckets.openParts).toBe(3);
    await first.write('b:3', 'd:y');
    await first.snapshot(3);
    await first.notify(3);
    expect(Object.values(await first.contents())).toEqual(['1']);
    await first.snapshot(4, true);
    await first.notify(4);
    const contents = await first.contents();
    expect(Object.values(contents).sort()).toEqual(['1', '2,3', 'x', 'x', 'y']);
    expect(contents['d/3']).toBe('y');
  });

  it('B35: states of two subtasks merged in either order give the same rows', async () => {
    const rows: string[][] = [];
    for (const reversed of [false, true]) {
      const sink = await open();
      await sink.write('a:1', 'b:2');
      const one = await sink.snapshot(1);
      await sink.restartAs(1);
      await sink.write('b:3', 'c:4');
      const two = await sink.snapshot(1);
      await (reversed ? sink.restart(two, one) : sink.restart(one, two));
      await sink.write('b:5');
      await sink.snapshot(2, true);
      await sink.notify(2);
      const contents = Object.entries(await sink.contents());
      rows.push(contents.flatMap(([file, text]) => text.split(',').map((row) => `${file[0]}:${row}`)).sort());
      if (!reversed) await sink.dispose();
    }
    expect(rows[0]).toEqual(['a:1', 'b:2', 'b:3', 'b:5', 'c:4']);
    expect(rows[1]).toEqual(rows[0]);
  });

  it('B36: three buckets: three committables under the on-checkpoint policy, three open parts under a patient one', async () => {
    const eager = await open({ policy: policy({ shouldRollOnCheckpoint: () => true }) });
    await eager.write('a:1', 'b:1', 'c:1');
    const closed = await eager.snapshot(1);
    expect(closed.promised).toHaveLength(3);
    expect(closed.state.openParts).toEqual([]);
    await eager.dispose();
    const patient = await open();
    await patient.write('a:1', 'b:1', 'c:1');
    const kept = await patient.snapshot(1);
    expect(kept.promised).toEqual([]);
    expect(kept.state.openParts).toHaveLength(3);
    const atTheEnd = await patient.snapshot(2, true);
    expect(atTheEnd.promised).toHaveLength(3);
    expect(atTheEnd.state.openParts).toEqual([]);
  });

  it('B36: a policy that rolls at each record: two of three are committable, the third is open', async () => {
    const sink = await open({ policy: policy({ shouldRollOnEvent: () => true }) });
    await sink.write('a:1', 'a:2', 'a:3');
    const { promised, state } = await sink.snapshot(1);
    expect(promised).toHaveLength(2);
    expect(state.openParts).toMatchObject([{ bucketId: 'a', rows: 1 }]);
  });

  it('B38: a bucket whose part is closed is forgotten: the next checkpoint does not know it', async () => {
    const sink = await open({ policy: sizeAndTime({ inactivity: 10 }) });
    await sink.write('a:1', 'b:1');
    await sink.snapshot(1);
    await sink.tick(5);
    await sink.write('b:2');
    await sink.tick(6);
    await sink.snapshot(2);
    await sink.notify(2);
    expect(sink.buckets.openParts).toBe(1);
    const { state, promised } = await sink.snapshot(3);
    expect(state.openParts.map(({ bucketId }) => bucketId)).toEqual(['b']);
    expect(promised).toEqual([]);
    await sink.restart({ id: 3, state, promised });
    expect(sink.buckets.openParts).toBe(1);
    expect(await sink.contents()).toEqual({ 'a/0': '1' });
  });

  it('a segment that is gone or altered stops the restart', async () => {
    const sink = await open();
    await sink.write('b:1');
    const checkpoint = await sink.snapshot(1);
    const [name] = await readdir(`${sink.folder}/segments`);
    const file = `${sink.folder}/segments/${name}`;
    const bytes = await readFile(file);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(file, bytes);
    await expect(sink.restart(checkpoint)).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
    await rm(file);
    await expect(sink.restart(checkpoint)).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
  });
});
