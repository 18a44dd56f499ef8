/** The thread that merges: one that dies takes neither the next one along, nor whoever waits for it. */
import { expect, it } from 'vitest';
import { threadMerging } from '../../../lib/compaction/merge-host.ts';
import type { MergeConfig } from '../../../lib/compaction/merge-parts.ts';
import { DEFAULT_S3 } from '../../../lib/core/specs.ts';
import { ndjsonOutput } from '../../support/job.ts';

const CONFIG: MergeConfig = {
  ...{ format: ndjsonOutput, staging: null, s3: DEFAULT_S3 },
  ...{ targetBytes: 1, sortBy: [], bytesPerSecond: 1 },
};
const REQUEST = { sources: [], finalPath: '/lake/part.ndjson' };

it('is started anew after it died, and tells each merge why', async () => {
  // Without a configuration its thread throws as it begins.
  const host = threadMerging(null)(null as never, '00000001');
  const why = () => host.merge(REQUEST).then(String, (error: Error) => error.message);
  const told = [await why(), await why(), await why()];
  expect(new Set(told).size).toBe(1);
  expect(told[0]).toContain('died');
  await host.terminate();
});

it('ends what is under way', async () => {
  const host = threadMerging(null)(CONFIG, '00000001');
  const why = host.merge(REQUEST).then(String, (error: Error) => error.message);
  await host.terminate();
  expect(await why).toContain('was ended');
});
