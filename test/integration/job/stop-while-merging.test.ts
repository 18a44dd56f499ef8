/** A stop is not kept waiting by what is merged at the end of the input: the rest is merged another time. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { StartMerging } from '../../../lib/compaction/merge-host.ts';
import { runInline } from '../../support/inline-job.ts';
import { ndjsonOutput, rollingBySizeAndTime, testJob } from '../../support/job.ts';
import { verifyLocal } from '../../support/verify.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-stop-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(() => rm(folder, { recursive: true }));

it('ends while a merge is under way', async () => {
  const lines = Array.from({ length: 100 }, (_, id) => `{"id":${id}}\n`);
  await writeFile(path.join(folder, 'in', 'a.ndjson'), lines.join(''));
  const compaction = {
    ...{ daemon: true, targetBytes: 1 << 20, maxSmallParts: 100, quietMs: 3_600_000 },
    ...{ bytesPerSecond: 1, keepReplacedMs: 0, sortBy: [] },
  };
  const rolling = rollingBySizeAndTime({ maxRows: 10 });
  const job = testJob(folder, { sink: { format: ndjsonOutput, compaction, rolling } });
  const stopping = new AbortController();
  let merges = 0;
  const startMerging: StartMerging = () => {
    let end = () => {};
    return {
      merge: () => {
        merges++;
        setImmediate(() => stopping.abort());
        return new Promise((_, reject) => {
          end = () => reject(new Error('it was ended'));
        });
      },
      terminate: async () => end(),
    };
  };
  await runInline(job, { startMerging, signal: stopping.signal });
  expect(merges).toBe(1);
  expect(await verifyLocal(job)).toMatchObject({ ok: true, lake: { rows: 100, parts: 10 } });
});
