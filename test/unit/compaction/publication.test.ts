/** What becomes of merged parts that the table refuses, when replaced parts are not kept. */
import { expect, it } from 'vitest';
import { Committer } from '../../../lib/commit/committer.ts';
import type { LakeTable } from '../../../lib/commit/lake-table.ts';
import { Publication, type ReplacedPart } from '../../../lib/commit/publication.ts';
import type { Swap } from '../../../lib/commit/swap.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryFileSystem } from '../../support/memory-file-system.ts';

const swap: Swap = {
  bucketId: '',
  file: { hiddenPath: '/lake/.part-c-0', finalPath: '/lake/part-c-0', lengthBytes: 4 },
  sources: ['/lake/part-0', '/lake/part-1'],
};

/** Another writer has changed the sources. */
const refusing: LakeTable = {
  has: () => true,
  recognize: async () => true,
  prepare: async () => {},
  commit: async ({ swaps }) => swaps,
  reconcile: async () => {},
};

it('stays as long as the newest checkpoint promises it, whoever starts from that', async () => {
  const clock = new ManualClock();
  const fileSystem = new MemoryFileSystem(clock);
  fileSystem.put(swap.file.hiddenPath, 'rows');
  for (const source of swap.sources) fileSystem.put(source, 'ro');
  const start = (restored: readonly ReplacedPart[]) =>
    new Publication({
      ...{ fileSystem, clock, sinkPath: '/lake', jobId: '0a1b2c3d', keepReplacedMs: 0, restored },
      committer: new Committer(fileSystem.recoverableWriter, []),
      table: { type: 'delta', of: refusing, knowsJob: true },
    });
  const table = { type: 'delta', promise: 1 } as const;
  const promising = {
    ...{ id: 2, schema: { fields: [] }, table },
    compaction: { nextCounter: 1, swaps: [swap] },
  };
  for (let process = 0; process < 3; process++) {
    const publication = start([]);
    expect((await publication.publish(promising)).refused).toEqual([swap]);
    await publication.sweep();
    expect(fileSystem.files.has(swap.file.finalPath)).toBe(true);
  }
  const publication = start([]);
  await publication.publish(promising);
  await publication.publish({ ...promising, id: 3, compaction: { nextCounter: 1, swaps: [] } });
  expect([...fileSystem.files.keys()].sort()).toEqual(swap.sources);
  expect(publication.replaced).toEqual([]);
});
