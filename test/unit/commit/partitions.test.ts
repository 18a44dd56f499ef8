import { describe, expect, it } from 'vitest';
import { PartitionCommitter } from '../../../lib/commit/partitions/partition-committer.ts';
import { NO_PARTITIONS, type PartitionState } from '../../../lib/commit/partitions/partition-state.ts';
import { PartitionTracker } from '../../../lib/commit/partitions/partition-tracker.ts';
import { createPartitionTrigger } from '../../../lib/commit/partitions/trigger.ts';
import type { CommittedPartition } from '../../../lib/core/partition-commit.ts';
import type { Committable } from '../../../lib/sink/sink-state.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const NONE = Number.NEGATIVE_INFINITY;
const HOUR_MS = 3_600_000;
const retry = { attempts: 3, minBackoffMs: 100, maxBackoffMs: 150 };
const at = (nowMs: number, watermarkMs = NONE) => ({ nowMs, watermarkMs });

function part(bucketId: string, rows: number, creationTimeMs = 0): Committable {
  const file = { hiddenPath: `/.${bucketId}`, finalPath: `/${bucketId}`, lengthBytes: rows };
  return { bucketId, rows, creationTimeMs, file };
}

/** Times in hours: partition `h=3` begins at 3 h. */
const startOf = (bucketId: string) => (/^h=\d+$/.test(bucketId) ? Number(bucketId.slice(2)) * HOUR_MS : null);
function trigger(kind: 'process_time' | 'partition_time', delayMs: number) {
  return createPartitionTrigger({ trigger: kind, delayMs, policies: [], retry }, startOf);
}
const atOnce = trigger('process_time', 0);
const ids = (state: readonly { readonly bucketId: string }[]) => state.map(({ bucketId }) => bucketId);
/** What a checkpoint holds: JSON. */
const stored = (tracker: PartitionTracker) => JSON.parse(JSON.stringify(tracker.state)) as PartitionState;

describe('which partitions are promised', () => {
  it('I104: those with rows in a checkpoint, also after restarts, and none that was announced', () => {
    const first = new PartitionTracker(atOnce, NO_PARTITIONS);
    first.add([part('1', 1), part('2', 1)], 0);
    first.promise(1, at(0), false);
    expect(ids(first.promised)).toEqual(['1', '2']);
    const checkpoint1 = stored(first);

    const second = new PartitionTracker(atOnce, checkpoint1);
    second.add([part('3', 1), part('4', 1)], 0);
    second.promise(2, at(0), false);
    // Whether 1 and 2 were announced before the crash is not known: they are again.
    expect(ids(second.promised)).toEqual(['1', '2', '3', '4']);
    second.announced('1');
    second.announced('2');
    const checkpoint2 = stored(second);

    const third = new PartitionTracker(atOnce, checkpoint2);
    third.add([part('4', 1), part('5', 1)], 0);
    third.promise(3, at(0), false);
    expect(ids(third.promised)).toEqual(['3', '4', '5']);
    for (const id of ['3', '4', '5']) third.announced(id);
    const checkpoint3 = stored(third);

    const fourth = new PartitionTracker(atOnce, checkpoint3);
    for (const checkpoint of [4, 5]) fourth.promise(checkpoint, at(0), false);
    fourth.add([part('6', 1)], 0);
    expect(ids(fourth.promised)).toEqual(['4']);
  });

  it('I105: rows that come while a partition is being announced are in its next announcement', () => {
    const tracker = new PartitionTracker(atOnce, NO_PARTITIONS);
    tracker.add([part('1', 10)], 0);
    tracker.promise(1, at(0), false);
    tracker.add([part('1', 5), part('1', 7)], 0);
    expect(tracker.promise(2, at(0), false)).toEqual(['1']);
    expect(tracker.promised).toMatchObject([{ rows: 10, parts: 1, checkpoint: 1 }]);
    tracker.announced('1');
    expect(tracker.hasDue(at(0), false)).toBe(true);
    expect(tracker.promise(3, at(0), false)).toEqual([]);
    expect(tracker.promised).toMatchObject([{ rows: 12, parts: 2, checkpoint: 3 }]);
  });

  it('by process time: a delay after the first part was begun', () => {
    const tracker = new PartitionTracker(trigger('process_time', 1000), NO_PARTITIONS);
    tracker.add([part('1', 1, 500)], 600);
    tracker.add([part('1', 1, 900)], 1000);
    expect(tracker.hasDue(at(1499), false)).toBe(false);
    expect(tracker.hasDue(at(1500), false)).toBe(true);
  });

  it('I107: by partition time: a delay after its start; what tells no time by process time; at the end all', () => {
    const tracker = new PartitionTracker(trigger('partition_time', HOUR_MS), NO_PARTITIONS);
    tracker.add([part('h=1', 1), part('h=2', 1), part('h=3', 1), part('h=none', 1)], 0);
    tracker.promise(1, at(0, 2 * HOUR_MS), false);
    expect(ids(tracker.promised)).toEqual(['h=1']);
    tracker.promise(2, at(HOUR_MS, 3 * HOUR_MS - 1), false);
    expect(ids(tracker.promised)).toEqual(['h=1', 'h=none']);
    tracker.promise(3, at(0, 3 * HOUR_MS), false);
    expect(ids(tracker.promised)).toEqual(['h=1', 'h=none', 'h=2']);
    tracker.promise(4, at(0, 3 * HOUR_MS), true);
    expect(ids(tracker.promised)).toEqual(['h=1', 'h=none', 'h=2', 'h=3']);
  });

  it('the path of the sink itself is no partition', () => {
    const tracker = new PartitionTracker(atOnce, NO_PARTITIONS);
    tracker.add([part('', 1)], 0);
    tracker.promise(1, at(0), true);
    expect(tracker.state).toEqual({ ...NO_PARTITIONS, atEnd: true });
  });

  it('the end of a replay is the end of the input only where the source was at its end, also after a crash', () => {
    const byHour = trigger('partition_time', HOUR_MS);
    const times = at(0, 2 * HOUR_MS);
    const parts = [part('h=1', 1), part('h=2', 1)];
    const daemon = new PartitionTracker(byHour, NO_PARTITIONS);
    daemon.promise(1, times, false);
    const first = new PartitionTracker(byHour, stored(daemon), true);
    first.add(parts, 0);
    first.promise(2, times, true);
    // The source fills the second one still.
    expect(ids(first.promised)).toEqual(['h=1']);
    expect(ids(first.state.pending)).toEqual(['h=2']);
    first.announced('h=1');
    expect(first.hasDue(times, true)).toBe(false);

    const backfill = new PartitionTracker(byHour, stored(first));
    expect(backfill.hasDue(times, true)).toBe(true);
    backfill.promise(3, times, true);
    expect(ids(backfill.promised)).toEqual(['h=2']);
    backfill.announced('h=2');
    const killed = new PartitionTracker(byHour, stored(backfill), true);
    killed.add(parts, 0);
    killed.promise(4, at(0), false);
    const again = new PartitionTracker(byHour, stored(killed), true);
    expect(again.hasDue(at(0), true)).toBe(true);
    again.promise(5, at(0), true);
    expect(ids(again.promised)).toEqual(['h=1', 'h=2']);
    // A daemon after it fills partitions again.
    const next = new PartitionTracker(byHour, stored(again));
    next.promise(6, at(0), false);
    expect(next.state.atEnd).toBeUndefined();
  });
});

describe('announcing', () => {
  const partition = (id: string): CommittedPartition => ({
    ...{ job: 'j', jobId: '00', partition: id, path: `/${id}`, keys: null, rows: 1, parts: 1, checkpoint: 1 },
  });

  function setUp(...fails: ((partitions: readonly string[]) => boolean)[]) {
    const clock = new ManualClock();
    const calls: string[] = [];
    const announced: string[] = [];
    const failures: string[] = [];
    const committer = new PartitionCommitter({
      policies: fails.map((fail, i) => ({
        name: `policy${i}`,
        policy: {
          async commit(partitions) {
            const names = partitions.map((each) => each.partition);
            calls.push(`${i}:${names.join('+')}`);
            if (fail(names)) throw new Error('no');
          },
        },
      })),
      retry,
      clock,
      onAnnounced: (each) => announced.push(each.partition),
      onFailed: (each, attempts, error) => failures.push(`${each.partition} ${attempts} ${error.code}`),
      onBroken: (error) => {
        throw error;
      },
    });
    const settled = async () => {
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    };
    return { clock, calls, announced, failures, committer, settled };
  }

  it('goes through the policies in their order, several partitions at once', async () => {
    const { committer, calls, announced } = setUp(
      () => false,
      () => false,
    );
    committer.announce([partition('a'), partition('b')]);
    await committer.settle();
    expect(calls).toEqual(['0:a+b', '1:a+b']);
    expect(announced).toEqual(['a', 'b']);
  });

  it('is closed after a moment, also where a policy does not listen', async () => {
    const { clock, settled } = setUp();
    const never = new PartitionCommitter({
      policies: [{ name: 'deaf', policy: { commit: () => new Promise(() => {}) } }],
      ...{ retry, clock, onAnnounced: () => {}, onFailed: () => {}, onBroken: () => {} },
    });
    never.announce([partition('a')]);
    await settled();
    const closed = never.close(1000);
    clock.advance(1000);
    await closed;
    await never.close(1000);
  });

  it('a bad partition holds no other back, and goes through all policies again later', async () => {
    let bad = true;
    const { clock, committer, calls, announced, failures, settled } = setUp(
      () => false,
      (names) => bad && names.includes('b'),
    );
    committer.announce([partition('a'), partition('b'), partition('c')]);
    await settled();
    expect(calls).toEqual(['0:a+b+c', '1:a+b+c', '1:a', '1:b', '1:c']);
    expect(announced).toEqual(['a', 'c']);
    expect(failures).toEqual(['b 1 PARTITION_COMMIT_FAILED']);
    bad = false;
    clock.advance(99);
    await settled();
    expect(announced).toEqual(['a', 'c']);
    clock.advance(1);
    await committer.settle();
    expect(calls.slice(5)).toEqual(['0:b', '1:b']);
    expect(announced).toEqual(['a', 'c', 'b']);
  });

  it('waits longer each time, gives up after the attempts there are, and tries again when asked', async () => {
    const { clock, committer, calls, failures, settled } = setUp(() => true);
    committer.announce([partition('a')]);
    await settled();
    clock.advance(100);
    await settled();
    clock.advance(149);
    await settled();
    expect(calls).toHaveLength(2);
    clock.advance(1);
    await committer.settle();
    expect(failures.map((text) => text.split(' ')[1])).toEqual(['1', '2', '3']);
    expect(committer.failed).toEqual(['a']);
    clock.advance(10_000);
    await settled();
    committer.announce([partition('a')]);
    await settled();
    expect(calls).toHaveLength(3);
    committer.tryAgain(['a']);
    await settled();
    expect(calls).toHaveLength(4);
    await committer.close(0);
  });

  it('a stop waits for no retry', async () => {
    const { committer, failures } = setUp(() => true);
    committer.announce([partition('a')]);
    const settling = committer.settle();
    committer.stop();
    await settling;
    await committer.close(0);
    expect(failures).toHaveLength(1);
  });
});
