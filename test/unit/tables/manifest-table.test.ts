/** Manifests of a lake: how a job finds that its lists are gone, and makes them anew. */
import { beforeEach, expect, test } from 'vitest';
import { ManifestTable } from '../../../lib/tables/manifest-table.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryFileSystem } from '../../support/memory-file-system.ts';

const JOB_ID = '0a1b2c3d';

let fileSystem: MemoryFileSystem;
beforeEach(() => {
  fileSystem = new MemoryFileSystem(new ManualClock());
  fileSystem.addFolder('/lake');
});

const open = (jobId = JOB_ID) => new ManifestTable({ fileSystem, path: '/lake', jobId });
const parts = ['country=DE', 'country=FR', 'country=JP'].map((bucketId) => ({
  bucketId,
  path: `/lake/${bucketId}/part-${JOB_ID}-0-0.parquet`,
  sizeBytes: 4,
}));
const listed = (bucketId: string) => fileSystem.text(`/lake/_manifest/${bucketId}/manifest-${JOB_ID}`);

test('lists of another job are not those of this one', async () => {
  await open().prepare();
  expect(await open().recognize()).toBe(false);
  await open('99999999').reconcile({ parts });
  expect(await open().recognize()).toBe(false);
  await open().reconcile({ parts });
  expect(await open().recognize()).toBe(true);
  expect([...fileSystem.files.keys()].filter((path) => path.includes('/.'))).toEqual([]);
});

test('lists of which a crash kept some from being made anew do not count as all', async () => {
  const replace = fileSystem.replace.bind(fileSystem);
  fileSystem.replace = async (path, bytes) => {
    if (path.includes('country=FR')) throw new Error('killed');
    await replace(path, bytes);
  };
  await expect(open().reconcile({ parts })).rejects.toThrow('killed');
  expect(listed('country=DE')).toContain('part-');
  expect(await open().recognize()).toBe(false);
  fileSystem.replace = replace;
  await open().reconcile({ parts });
  expect(await open().recognize()).toBe(true);
  for (const { bucketId, path } of parts) expect(listed(bucketId)).toBe(`file://${path}\n`);
});
