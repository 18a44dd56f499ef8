/** Compaction and parts that are not as the job left them: merged, they would be in the lake for good. */
import { copyFile, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { compactJob } from '../../../lib/compaction/compact-job.ts';
import { inlineMerging } from '../../../lib/compaction/merge-host.ts';
import { systemClock } from '../../../lib/core/clock.ts';
import type { CompiledJob } from '../../../lib/core/compiled-job.ts';
import { setFailpointHook } from '../../../lib/core/failpoint.ts';
import type { OutputFormatSpec } from '../../../lib/core/specs.ts';
import type { JobEvent } from '../../../lib/pipeline/progress.ts';
import { localFileSystem } from '../../../lib/storage/local/local-file-system.ts';
import { countingIds } from '../../support/counting-ids.ts';
import { crashAt } from '../../support/crash.ts';
import { runInline } from '../../support/inline-job.ts';
import { ndjsonOutput, testJob } from '../../support/job.ts';
import { findingsOf, verifyLocal } from '../../support/verify.ts';
import { visibleFiles } from '../../support/visible-files.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-strange-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(async () => {
  setFailpointHook(null);
  await rm(folder, { recursive: true });
});

/** A job whose lake has a part for each of three files. */
async function threeParts(format: OutputFormatSpec): Promise<CompiledJob> {
  const compaction = {
    ...{ daemon: false, targetBytes: 1 << 20, maxSmallParts: 100, quietMs: 3_600_000 },
    ...{ bytesPerSecond: 1e12, keepReplacedMs: 0, sortBy: [] },
  };
  const job = testJob(folder, { sink: { format, compaction, bucket: { type: 'base_path' } } });
  for (const file of [1, 2, 3]) {
    await writeFile(path.join(folder, 'in', `${file}.ndjson`), `{"id":${file}0}\n{"id":${file}1}\n`);
    await runInline(job);
  }
  return job;
}

async function compact(job: CompiledJob) {
  const warnings: string[] = [];
  const summary = await compactJob(job, {
    clock: systemClock,
    ids: countingIds(),
    onWarning: (message) => warnings.push(message),
  });
  return { ...summary, warnings };
}

const parts = async (job: CompiledJob) =>
  (await visibleFiles(job.sink.path)).map((file) => path.join(job.sink.path, file));

test.each(['none', 'gzip'] as const)(
  'a torn part stays, and costs no row of others: %s',
  async (compression) => {
    const job = await threeParts({ type: 'ndjson', dialect: 'standard', compression });
    const torn = (await parts(job)).find((file) => /-0-0\./.test(file))!;
    await truncate(torn, (await readFile(torn)).length - 4);
    const { merged_parts, into_parts, warnings } = await compact(job);
    expect({ merged_parts, into_parts }).toEqual({ merged_parts: 2, into_parts: 1 });
    expect(warnings).toEqual([`${torn} is not as this job left it, and is not merged: see sluice verify`]);
    const whole = (await parts(job)).find((file) => file !== torn)!;
    const bytes = await readFile(whole);
    const text = String(compression === 'gzip' ? gunzipSync(bytes) : bytes);
    expect(text.split('\n').sort()).toEqual(['', '{"id":20}', '{"id":21}', '{"id":30}', '{"id":31}']);
    expect(findingsOf(await verifyLocal(job))).toEqual([`part_truncated ${path.basename(torn)}`]);
  },
);

test('parts that a backup brings back after they were merged stay what they are', async () => {
  const job = await threeParts(ndjsonOutput);
  const saved = path.join(folder, 'saved');
  await mkdir(saved);
  for (const part of await parts(job)) await copyFile(part, path.join(saved, path.basename(part)));
  await compact(job);
  const [merged] = await parts(job);
  const rows = await readFile(merged!, 'utf8');
  for (const part of await visibleFiles(saved))
    await copyFile(path.join(saved, part), path.join(job.sink.path, part));
  const { merged_parts, warnings } = await compact(job);
  expect(merged_parts).toBe(0);
  expect(warnings).toEqual([expect.stringMatching(/, and 2 more like it, is not as this job left it/)]);
  expect(await parts(job)).toHaveLength(4);
  expect(await readFile(merged!, 'utf8')).toBe(rows);
  expect(findingsOf(await verifyLocal(job)).map((finding) => finding.split(' ')[0])).toEqual([
    'part_superseded',
    'part_superseded',
    'part_superseded',
  ]);
});

test('a merged part that a crash kept out of the ledger is as good as others', async () => {
  const job = await threeParts(ndjsonOutput);
  const crashed = crashAt('compaction.swap.after', 1);
  await expect(compact(job)).rejects.toThrow();
  expect(crashed()).toBe(true);
  setFailpointHook(null);
  await writeFile(path.join(folder, 'in', '4.ndjson'), '{"id":40}\n');
  const compaction = { ...job.sink.compaction!, daemon: true };
  const events: JobEvent[] = [];
  await runInline(
    { ...job, sink: { ...job.sink, compaction } },
    {
      startMerging: inlineMerging(localFileSystem('0000000a'), systemClock),
      onEvent: (event) => events.push(event),
    },
  );
  expect(events.filter(({ type }) => type === 'warning')).toEqual([]);
  expect(await parts(job)).toHaveLength(1);
  expect(findingsOf(await verifyLocal(job))).toEqual([]);
});
