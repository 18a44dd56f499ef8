import { describe, expect, it } from 'vitest';
import { NO_TOTALS } from '../../../lib/commit/checkpoint.ts';
import { CheckpointCoordinator } from '../../../lib/commit/checkpoint-coordinator.ts';
import { CheckpointStore } from '../../../lib/commit/checkpoint-store.ts';
import { Committer } from '../../../lib/commit/committer.ts';
import { Publication } from '../../../lib/commit/publication.ts';
import type { SnapshotAnswer } from '../../../lib/commit/snapshot.ts';
import { NO_ENUMERATOR_STATE } from '../../../lib/source/enumerator-state.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryFileSystem } from '../../support/memory-file-system.ts';
import { GOLDEN } from './golden-checkpoint.ts';

const REQUEST = { closeAll: false, last: false };

function setUp(subtasks: number) {
  const clock = new ManualClock();
  const fileSystem = new MemoryFileSystem(clock);
  const store = new CheckpointStore(fileSystem, '/state');
  const asked: number[] = [];
  const committer = new Committer(fileSystem.recoverableWriter, []);
  const coordinator = new CheckpointCoordinator({
    store,
    committer,
    publication: new Publication({
      fileSystem,
      committer,
      clock,
      sinkPath: '/lake',
      jobId: GOLDEN.jobId,
      table: null,
      keepReplacedMs: 0,
      restored: [],
    }),
    fileSystem,
    clock,
    runId: 'aa',
    retain: 3,
    subtasks,
    base: { ...GOLDEN, id: 0, discovery: [], subtasks: [], committables: [], totals: NO_TOTALS },
    capture: () => ({
      enumerator: NO_ENUMERATOR_STATE,
      assigned: new Map(),
      givenUp: [],
      discovery: new Uint8Array(0),
      schema: { fields: [] },
      schemaHistory: [],
    }),
    checkTotals: () => {},
    ask: (subtask) => asked.push(subtask),
    watermarks: null,
    partitions: null,
    takeEndedFiles: () => [],
    cleaner: null,
    compaction: null,
  });
  /** The answer of a subtask that closed one part. */
  const answer = async (subtask: number, checkpointId: number): Promise<SnapshotAnswer> => {
    const file = await fileSystem.recoverableWriter.open(`/lake/part-${subtask}-${checkpointId}`, null);
    await file.write(Buffer.from('rows'));
    return {
      type: 'snapshot',
      subtask,
      checkpointId,
      splits: [],
      outcomes: [],
      counts: {
        rows: 1,
        rejected: 0,
        quarantined: 0,
        bytesIn: 4,
        late: 0,
        lateDropped: 0,
        filtered: 0,
        duplicates: 0,
      },
      sink: {
        state: { nextCounter: 1, openParts: [] },
        committables: [{ bucketId: '', file: await file.closeForCommit(), rows: 1 }],
      },
      quarantine: null,
    };
  };
  const settled = async () => {
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  };
  const visible = () => [...fileSystem.files.keys()].filter((file) => file.startsWith('/lake/part')).sort();
  const checkpoints = () =>
    [...fileSystem.files.keys()].filter((file) => file.endsWith('.checkpoint')).length;
  return { coordinator, answer, asked, visible, checkpoints, settled };
}

describe('checkpoint coordinator', () => {
  it('C41: nothing is written or published before every subtask has answered, then all of it', async () => {
    const { coordinator, answer, asked, visible, checkpoints, settled } = setUp(3);
    const taken = coordinator.take(REQUEST);
    expect(asked).toEqual([0, 1, 2]);
    coordinator.onSnapshot(await answer(2, 1));
    coordinator.onSnapshot(await answer(0, 1));
    await settled();
    expect(checkpoints()).toBe(0);
    expect(visible()).toEqual([]);
    coordinator.onSnapshot(await answer(1, 1));
    const { id, published } = await taken;
    expect(id).toBe(1);
    expect(published).toHaveLength(3);
    expect(visible()).toEqual(['/lake/part-0-1', '/lake/part-1-1', '/lake/part-2-1']);
    expect(coordinator.last.committables).toHaveLength(3);
    expect(coordinator.last.totals).toMatchObject({ rows: 3, parts: 3, bytesOut: 12 });
  });

  it('C41: an answer for a checkpoint that is over is a bug that stops the job, not a silent second commit', async () => {
    const { coordinator, answer, visible } = setUp(1);
    const taken = coordinator.take(REQUEST);
    coordinator.onSnapshot(await answer(0, 1));
    await taken;
    const late = await answer(0, 1).catch(() => null);
    expect(() => coordinator.onSnapshot({ ...late!, checkpointId: 1 })).toThrow(
      expect.objectContaining({ code: 'INTERNAL' }),
    );
    expect(visible()).toEqual(['/lake/part-0-1']);
  });

  it('gives up a round in which a subtask dies: no checkpoint, nothing visible', async () => {
    const { coordinator, answer, visible, checkpoints } = setUp(2);
    const taken = coordinator.take(REQUEST);
    coordinator.onSnapshot(await answer(0, 1));
    coordinator.abort(new Error('subtask 1 died'));
    await expect(taken).rejects.toThrow('subtask 1 died');
    expect(checkpoints()).toBe(0);
    expect(visible()).toEqual([]);
  });

  it('C43: the acknowledging checkpoint at a clean end promises nothing any more', async () => {
    const { coordinator, answer, checkpoints } = setUp(1);
    const taken = coordinator.take({ closeAll: true, last: true });
    coordinator.onSnapshot(await answer(0, 1));
    await taken;
    expect(coordinator.last.committables).toHaveLength(1);
    await coordinator.acknowledge();
    expect(coordinator.last).toMatchObject({ id: 2, committables: [] });
    await coordinator.acknowledge();
    expect(checkpoints()).toBe(2);
  });
});
