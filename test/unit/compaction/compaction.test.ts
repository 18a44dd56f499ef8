import { beforeEach, describe, expect, test } from 'vitest';
import { Committer } from '../../../lib/commit/committer.ts';
import { Publication } from '../../../lib/commit/publication.ts';
import { type CompactionState, NO_COMPACTION, type Swap } from '../../../lib/commit/swap.ts';
import { Compaction } from '../../../lib/compaction/compaction.ts';
import { inlineMerging, type MergeHost } from '../../../lib/compaction/merge-host.ts';
import { DEFAULT_S3 } from '../../../lib/core/specs.ts';
import type { Committable } from '../../../lib/sink/sink-state.ts';
import { ndjsonOutput } from '../../support/job.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryFileSystem } from '../../support/memory-file-system.ts';

const JOB_ID = '0a1b2c3d';
const TARGET = 100;

let clock: ManualClock;
let fileSystem: MemoryFileSystem;
let failures: string[];
beforeEach(() => {
  clock = new ManualClock(1_000_000);
  fileSystem = new MemoryFileSystem(clock);
  fileSystem.addFolder('/lake');
  failures = [];
});

function compaction(
  restored: CompactionState = NO_COMPACTION,
  wrap: (host: MergeHost) => MergeHost = (host) => host,
): Compaction {
  const config = {
    format: ndjsonOutput,
    staging: null,
    s3: DEFAULT_S3,
    targetBytes: TARGET,
    sortBy: [],
    bytesPerSecond: 1e12,
  };
  return new Compaction({
    sinkPath: '/lake',
    prefix: 'part',
    jobId: JOB_ID,
    targetBytes: TARGET,
    maxSmallParts: 1000,
    quietMs: 60_000,
    restored,
    fileSystem,
    clock,
    host: wrap(inlineMerging(fileSystem, clock)(config, '00000001')),
    onWarning: (message) => failures.push(message),
  });
}

/** What a process does with the swaps of a durable checkpoint. */
async function publishSwaps(swaps: readonly Swap[]): Promise<void> {
  const publication = new Publication({
    fileSystem,
    committer: new Committer(fileSystem.recoverableWriter, []),
    clock,
    sinkPath: '/lake',
    jobId: JOB_ID,
    table: null,
    keepReplacedMs: 0,
    restored: [],
  });
  await publication.publish({ id: 1, schema: null, compaction: { nextCounter: 0, swaps } });
}

async function commit(service: Compaction, published: readonly Committable[] = []): Promise<void> {
  await publishSwaps(service.capture().swaps);
  service.settle(published, []);
}

const name = (counter: number) => `part-${JOB_ID}-0-${counter}.ndjson`;
function put(bucket: string, counter: number, bytes: number): string {
  const path = `/lake/${bucket}/${name(counter)}`;
  fileSystem.put(path, `${String(counter).padStart(bytes - 1, '.')}\n`);
  return path;
}

const visible = () =>
  [...fileSystem.files.keys()].filter((path) => !path.split('/').pop()!.startsWith('.')).sort();
const text = () =>
  visible()
    .map((path) => fileSystem.text(path))
    .join('');

async function settled(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
}

describe('compaction beside a job', () => {
  test('a stop waits for the part that is being merged, which counts, and begins no other', async () => {
    for (const bucket of ['a', 'b']) for (let i = 0; i < 2; i++) put(bucket, i, 40);
    const service = compaction(NO_COMPACTION, (host) => ({
      ...host,
      merge: (request) => {
        void service.stop();
        return host.merge(request);
      },
    }));
    expect(await service.finish()).toBe(true);
    await commit(service);
    expect(await service.finish()).toBe(false);
    expect(visible().filter((path) => path.includes('-c-'))).toHaveLength(1);
    expect(visible()).toHaveLength(3);
  });

  test.each([
    ['shorter', -1],
    ['longer', 1],
  ])('a part that has become %s since it was seen is not merged, and costs no other', async (_, by) => {
    const [first] = [put('b', 0, 40), put('b', 1, 40)];
    const service = compaction(NO_COMPACTION, (host) => ({
      ...host,
      merge: (request) => {
        fileSystem.put(first!, '.'.repeat(40 + by));
        return host.merge(request);
      },
    }));
    expect(await service.finish()).toBe(false);
    expect(failures).toEqual([expect.stringMatching(/does not have the 40 bytes that it was made with$/)]);
    expect(visible()).toHaveLength(2);
  });

  test('E54: parts are merged once they are published; the swap waits for the checkpoint that promises it', async () => {
    for (let i = 0; i < 6; i++) put('b', i, 40);
    const before = visible();
    const rows = text();
    const service = compaction();
    await service.scan();
    await settled();
    expect(service.hasReady).toBe(true);
    expect(visible(), 'hidden until then').toEqual(before);
    const state = service.capture();
    expect(state.swaps).toMatchObject([
      {
        bucketId: 'b',
        sources: [0, 1].map((i) => `/lake/b/${name(i)}`),
        file: { finalPath: `/lake/b/part-${JOB_ID}-c-0.ndjson` },
      },
    ]);
    expect(visible()).toEqual(before);
    await commit(service);
    expect(visible()).toEqual(
      [2, 3, 4, 5]
        .map((i) => `/lake/b/${name(i)}`)
        .concat(`/lake/b/part-${JOB_ID}-c-0.ndjson`)
        .sort(),
    );
    expect(text().split('\n').sort()).toEqual(rows.split('\n').sort());
    expect(service.capture()).toEqual({ nextCounter: 1, swaps: [] });
  });

  test('E55: a crash before the checkpoint leaves everything as it was; one after it, a single result', async () => {
    for (let i = 0; i < 6; i++) put('b', i, 40);
    const first = compaction();
    await first.scan();
    await settled();
    const rows = text();
    // Dead before a checkpoint: the next one begins anew, under the same name and another hidden one.
    const second = compaction();
    await second.scan();
    await settled();
    const { swaps } = second.capture();
    expect(text()).toBe(rows);
    // Dead after the checkpoint, at any point of the swap.
    fileSystem.fail({ operation: 'remove', skip: 1 });
    await expect(publishSwaps(swaps)).rejects.toThrow('injected');
    await publishSwaps(swaps);
    await publishSwaps(swaps);
    expect(visible()).toHaveLength(5);
    expect(text().split('\n').sort()).toEqual(rows.split('\n').sort());
  });

  test('E57: sources stay until the checkpoint is durable, and are not merged twice meanwhile', async () => {
    for (let i = 0; i < 10; i++) put('b', i, 30);
    const service = compaction();
    await service.scan();
    await settled();
    service.start();
    await settled();
    const { swaps } = service.capture();
    const sources = swaps.flatMap((swap) => swap.sources);
    expect(new Set(sources).size).toBe(sources.length);
    for (const source of sources) expect(visible()).toContain(source);
    await commit(service);
    for (const source of sources) expect(visible()).not.toContain(source);
  });

  test('a bucket that gets nothing any more is brought to its end', async () => {
    put('b', 0, 10);
    const service = compaction();
    await service.scan();
    const path = put('b', 1, 10);
    await commit(service, [
      { bucketId: 'b', rows: 1, file: { hiddenPath: '/x', finalPath: path, lengthBytes: 10 } },
    ]);
    await settled();
    expect(service.hasReady).toBe(false);
    clock.advance(60_000);
    service.start();
    await settled();
    expect(service.hasReady).toBe(true);
  });

  test('E58: at the end of the input everything left is merged, over as many checkpoints as it takes', async () => {
    for (let bucket = 0; bucket < 40; bucket++)
      for (let i = 0; i < 5; i++) put(`b${bucket}`, bucket * 10 + i, 15);
    const rows = text();
    const service = compaction();
    let checkpoints = 0;
    while (await service.finish()) {
      service.capture();
      await commit(service);
      checkpoints++;
    }
    expect(checkpoints).toBeGreaterThan(1);
    expect(visible()).toHaveLength(40);
    expect(text().split('\n').sort()).toEqual(rows.split('\n').sort());
    expect(failures).toEqual([]);
  });

  test('parts that cannot be merged stay, are told, and hold up nothing', async () => {
    for (let i = 0; i < 3; i++) put('a', i, 20);
    for (let i = 3; i < 6; i++) put('b', i, 20);
    fileSystem.fail({ operation: 'read', path: `/lake/a/${name(1)}` });
    const service = compaction();
    expect(await service.finish()).toBe(true);
    service.capture();
    await commit(service);
    expect(await service.finish()).toBe(false);
    expect(failures).toEqual([expect.stringContaining('injected')]);
    expect(visible()).toHaveLength(4);
  });

  test('other files of the lake are left alone', async () => {
    for (let i = 0; i < 3; i++) put('b', i, 20);
    const others = [
      '/lake/b/part-ffffffff-0-0.ndjson',
      '/lake/b/notes.txt',
      '/lake/_meta/part-0a1b2c3d-0-9.ndjson',
      '/lake/b/_SUCCESS',
    ];
    for (const other of others) fileSystem.put(other, 'x\n');
    const service = compaction();
    await service.finish();
    service.capture();
    await commit(service);
    expect(visible()).toEqual([...others, `/lake/b/part-${JOB_ID}-c-0.ndjson`].sort());
  });
});
