import { describe, expect, it } from 'vitest';
import { basePathAssigner } from '../../../bucketing/base-path.ts';
import { ndjsonFormat } from '../../../formats/ndjson/encoder.ts';
import type { BadRecordPolicy } from '../../../lib/core/specs.ts';
import { UNTIMED } from '../../../lib/core/stage-clock.ts';
import type { FromSubtask, ToSubtask } from '../../../lib/pipeline/messages.ts';
import { Subtask } from '../../../lib/pipeline/subtask.ts';
import { Buckets } from '../../../lib/sink/buckets.ts';
import { EvolvingSink } from '../../../lib/sink/evolving-sink.ts';
import { rowPartFormat } from '../../../lib/sink/row-part-writer.ts';
import { Warnings } from '../../../lib/source/warnings.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryFileSystem } from '../../support/memory-file-system.ts';
import { neverRoll } from '../../support/sink-harness.ts';
import { LINE_SCHEMA } from '../source/line-format.ts';
import { readerOf, splitOf } from '../source/reading.ts';

function setUp(chunkRows = 100, onBadRecord: BadRecordPolicy = 'fail') {
  const clock = new ManualClock();
  const fileSystem = new MemoryFileSystem(clock);
  const sent: FromSubtask[] = [];
  const warnings = new Warnings(clock, (warning) => sent.push({ type: 'warning', subtask: 0, ...warning }));
  const format = rowPartFormat(ndjsonFormat(), { extension: '', compress: (bytes) => bytes }, LINE_SCHEMA);
  const subtask = new Subtask({
    ahead: null,
    subtask: 0,
    reader: readerOf(fileSystem, { batchRows: chunkRows, onBadRecord, warnings }),
    transform: null,
    sink: new EvolvingSink(
      new Buckets({
        path: '/lake',
        staging: null,
        naming: { prefix: 'part', jobId: '0a1b2c3d', suffix: '.ndjson' },
        subtask: 0,
        schema: LINE_SCHEMA,
        format,
        assigner: basePathAssigner(),
        policy: neverRoll,
        memoryBytes: 1 << 20,
        flushBytes: 1 << 16,
        fileSystem,
        segmentsFolder: '/state/segments',
        runId: 'aa',
        clock,
        checkpointId: 0,
      }),
      [],
      0,
    ),
    quarantine: null,
    window: null,
    firstCheckpointId: 1,
    schemaVersion: 1,
    evolve: () => Promise.reject(new Error('the schema of this test does not change')),
    eventTime: null,
    refusals: { bucketless: 'fail', late: false, capture: null },
    isDue: null,
    bucketCheckIntervalMs: 1000,
    pace: null,
    clock,
    stages: UNTIMED,
    warnings,
    send: (message) => sent.push(message),
  });
  const running = subtask.run();
  const settled = async () => {
    for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
  };
  const requests = () => sent.filter(({ type }) => type === 'split-request').length;
  const ask = async (message: ToSubtask) => {
    subtask.receive(message);
    await settled();
  };
  const tell = (message: ToSubtask) => subtask.receive(message);
  return { fileSystem, clock, sent, running, settled, requests, ask, tell };
}

const snapshot = (checkpointId: number, last = false): ToSubtask => ({
  type: 'snapshot',
  checkpointId,
  closeAll: last,
  last,
  times: { nowMs: 0, watermarkMs: Number.NEGATIVE_INFINITY },
});

describe('subtask', () => {
  it('H98: asks for a split once when it has none, not while it reads one, and again when that is read', async () => {
    const { fileSystem, clock, sent, running, settled, requests, ask } = setUp();
    fileSystem.put('/in/a', 'one\ntwo\n');
    await settled();
    for (let i = 0; i < 5; i++) {
      clock.advance(1000);
      await settled();
    }
    expect(requests()).toBe(1);
    await ask({ type: 'assign', split: splitOf(fileSystem, '/in/a'), ahead: [] });
    expect(sent.filter(({ type }) => type === 'splits-finished')).toHaveLength(1);
    expect(requests()).toBe(2);
    await ask({ type: 'end' });
    await running;
  });

  it('tells how many warnings it kept to itself before it ends', async () => {
    const { fileSystem, sent, running, settled, ask } = setUp(100, 'skip');
    fileSystem.put('/in/a', 'one\nBAD\n'.repeat(50));
    await settled();
    await ask({ type: 'assign', split: splitOf(fileSystem, '/in/a'), ahead: [] });
    await ask(snapshot(1, true));
    await running;
    const warnings = sent.filter(({ type }) => type === 'warning');
    expect(warnings).toHaveLength(11);
    expect(warnings.at(-1)).toMatchObject({ message: 'and 40 more warnings record-skipped' });
    expect(sent.at(-1)).toMatchObject({ type: 'ended' });
  });

  it('answers a snapshot with the position behind the last row that is in the sink, whenever it comes', async () => {
    const taken = new Set<number>();
    for (let turns = 0; turns < 12; turns++) {
      const { fileSystem, sent, running, settled, ask, tell } = setUp(2);
      fileSystem.put('/in/a', '1\n2\n3\n4\n5\n');
      await settled();
      tell({ type: 'assign', split: splitOf(fileSystem, '/in/a'), ahead: [] });
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
      await ask(snapshot(1));
      await ask(snapshot(2));
      const [first, second] = sent.filter((message) => message.type === 'snapshot');
      expect(first!.counts.rows + second!.counts.rows).toBe(5);
      expect(first!.splits[0]?.position.records ?? first!.outcomes[0]?.split.position.records).toBe(
        first!.counts.rows,
      );
      expect(second!.splits).toEqual([]);
      expect(second!.sink.state.openParts).toMatchObject([{ rows: 5 }]);
      taken.add(first!.counts.rows);
      await ask({ type: 'end' });
      await running;
    }
    expect(taken.size).toBeGreaterThan(2);
  });

  it('splits that wait for their turn are in the snapshot, and no other is asked for before they are read', async () => {
    const { fileSystem, sent, running, settled, requests, ask, tell } = setUp(1);
    for (const name of ['a', 'b', 'c']) fileSystem.put(`/in/${name}`, '1\n2\n3\n');
    await settled();
    const [split, ...ahead] = ['a', 'b', 'c'].map((name) => splitOf(fileSystem, `/in/${name}`));
    tell({ type: 'assign', split: split!, ahead });
    await ask(snapshot(1));
    await ask(snapshot(2));
    const [first, second] = sent.filter((message) => message.type === 'snapshot');
    expect(
      [...first!.splits, ...first!.outcomes.map((outcome) => outcome.split)].map(({ path }) => path),
    ).toEqual(['/in/a', '/in/b', '/in/c']);
    expect(first!.splits.slice(-1)).toEqual(ahead.slice(-1));
    expect(first!.counts.rows + second!.counts.rows).toBe(9);
    expect(second!.outcomes.map(({ split: { path } }) => path)).toContain('/in/c');
    expect(requests()).toBe(2);
    await ask({ type: 'end' });
    await running;
  });

  it('tells what it has read before it says anything that holds it: a snapshot, or that it wants more', async () => {
    for (let turns = 0; turns < 24; turns++) {
      const { fileSystem, sent, running, settled, ask, tell } = setUp(1);
      const names = ['a', 'b', 'c', 'd'];
      for (const name of names) fileSystem.put(`/in/${name}`, '1\n');
      await settled();
      const [split, ...ahead] = names.map((name) => splitOf(fileSystem, `/in/${name}`, { id: `${name}.0` }));
      tell({ type: 'assign', split: split!, ahead });
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
      await ask(snapshot(1));
      await ask(snapshot(2));
      const told: string[] = [];
      let requests = 0;
      for (const message of sent) {
        if (message.type === 'splits-finished') told.push(...message.outcomes.map((each) => each.split.id));
        if (message.type === 'snapshot')
          expect(told).toEqual(expect.arrayContaining(message.outcomes.map((each) => each.split.id)));
        if (message.type === 'split-request') expect(told).toHaveLength(requests++ === 0 ? 0 : 4);
      }
      expect(told).toEqual(['a.0', 'b.0', 'c.0', 'd.0']);
      expect(requests).toBe(2);
      await ask({ type: 'end' });
      await running;
    }
  });

  it('ends with its last snapshot, so that what is visible is what the checkpoint says', async () => {
    const { fileSystem, sent, running, settled, tell } = setUp();
    fileSystem.put('/in/a', '1\n');
    await settled();
    tell(snapshot(1, true));
    tell({ type: 'assign', split: splitOf(fileSystem, '/in/a'), ahead: [] });
    await running;
    expect(sent.slice(-2)).toMatchObject([{ type: 'snapshot' }, { type: 'ended' }]);
    expect(sent.filter(({ type }) => type === 'splits-finished')).toEqual([]);
  });
});
