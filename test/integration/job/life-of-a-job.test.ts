/** Whole jobs over real folders: when what is visible, and that every row is, whatever interrupts them. */
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setFailpointHook } from '../../../lib/core/failpoint.ts';
import type { JobEvent } from '../../../lib/pipeline/progress.ts';
import { runInline, startInline } from '../../support/inline-job.ts';
import { rollingBySizeAndTime, schemaOf, testJob } from '../../support/job.ts';
import { listLake } from '../../support/oracle/lake-files.ts';
import { until } from '../../support/until.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-job-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(async () => {
  setFailpointHook(null);
  await rm(folder, { recursive: true });
});

const lake = () => path.join(folder, 'lake');

/** Puts a file into a folder, whole. */
async function arrive(name: string, ids: readonly number[], into = 'in'): Promise<void> {
  await mkdir(path.join(folder, into), { recursive: true });
  const hidden = path.join(folder, into, `.${name}`);
  await writeFile(hidden, ids.map((id) => `{"id":${id},"bucket":${id % 4}}\n`).join(''));
  await rename(hidden, path.join(folder, into, name));
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

async function visibleParts(): Promise<readonly string[]> {
  return (await listLake(lake())).visible;
}

async function visibleIds(): Promise<number[]> {
  const ids: number[] = [];
  for (const file of await visibleParts()) {
    const text = await readFile(path.join(lake(), file), 'utf8');
    for (const line of text.split('\n').slice(0, -1)) ids.push((JSON.parse(line) as { id: number }).id);
  }
  return ids.sort((a, b) => a - b);
}

const schema = schemaOf({ id: 'int64', bucket: 'int32' });

describe('the life of a job', () => {
  it('A22: the timer goes on for ever: parts that nobody writes to any more become visible, each time anew', async () => {
    const daemon = startInline(
      testJob(folder, {
        checkpoint: { intervalMs: 50, retain: 3 },
        source: { schema, monitorIntervalMs: 20 },
        sink: { rolling: rollingBySizeAndTime({ inactivityIntervalMs: 60 }), bucketCheckIntervalMs: 20 },
      }),
    );
    for (let round = 0; round < 4; round++) {
      await arrive(`${round}.ndjson`, range(round * 10, round * 10 + 10));
      await until(`part ${round}`, async () => (await visibleIds()).length === (round + 1) * 10);
    }
    await daemon.stop();
    expect(await visibleIds()).toEqual(range(0, 40));
    expect(await visibleParts()).toHaveLength(4);
  });

  it('C43, G90: a backfill publishes with its last checkpoint, and ends after that', async () => {
    for (let file = 0; file < 20; file++) {
      await arrive(`${file}.ndjson`, range(file * 500, file * 500 + 500));
    }
    const seen: { event: JobEvent; visible: Promise<number> }[] = [];
    const summary = await runInline(
      testJob(folder, {
        parallelism: 2,
        checkpoint: { intervalMs: 3_600_000, retain: 3 },
        source: { schema },
      }),
      { onEvent: (event) => seen.push({ event, visible: visibleParts().then((parts) => parts.length) }) },
    );
    expect(await visibleIds()).toEqual(range(0, 10_000));
    expect(summary).toMatchObject({ files: 20, rows: 10_000, parts: 2, checkpoints: 1 });
    expect(seen.map(({ event }) => event)).toMatchObject([{ type: 'checkpoint', parts: 2 }]);
  });

  for (const mode of ['once', 'continuously'] as const) {
    it(`D44: three sources of 10,000 ints, four buckets, a failure at 40 %: each int three times (${mode})`, async () => {
      const sources = ['a', 'b', 'c'];
      for (const source of sources) {
        for (let file = 0; file < 10; file++) {
          await arrive(`${file}.ndjson`, range(file * 1000, file * 1000 + 1000), source);
        }
      }
      const job = testJob(folder, {
        parallelism: 2,
        checkpoint: { intervalMs: 1, retain: 3 },
        source: { paths: sources.map((source) => path.join(folder, source)), schema },
        sink: {
          bucket: {
            type: 'fields',
            keepFields: true,
            fields: [{ name: 'bucket', column: 'bucket', transform: 'value' }],
          },
        },
      });
      // A checkpoint is complete before it fails, and 12 of the 30 files are read: or more, where it takes that long.
      let batches = 0;
      let checkpoints = 0;
      setFailpointHook((name) => {
        if (name === 'checkpoint.complete') checkpoints++;
        if (name === 'subtask.batch.after') batches++;
        if (batches >= 12 && checkpoints > 0) throw new Error('power cut');
      });
      await expect(runInline(job, { mode })).rejects.toThrow('power cut');
      setFailpointHook(null);
      if (mode === 'once') await runInline(job);
      else {
        const daemon = startInline({
          ...job,
          sink: { ...job.sink, rolling: rollingBySizeAndTime({ inactivityIntervalMs: 50 }) },
        });
        await until('all rows', async () => (await visibleIds()).length >= 30_000);
        await daemon.stop();
      }
      expect(checkpoints).toBeGreaterThan(0);
      expect(await visibleIds()).toEqual(range(0, 10_000).flatMap((id) => [id, id, id]));
      const buckets = new Set((await visibleParts()).map((part) => path.dirname(part)));
      expect([...buckets].sort()).toEqual(['bucket=0', 'bucket=1', 'bucket=2', 'bucket=3']);
    });
  }
});
