/** `sluice plan` against what the job then does: nothing is written, and everything said comes true. */
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../lib/core/clock.ts';
import type { CompiledJob } from '../../lib/core/compiled-job.ts';
import { runJob } from '../../lib/pipeline/job-runner.ts';
import { planJob } from '../../lib/pipeline/plan-job.ts';
import { replayJob } from '../../lib/pipeline/replay.ts';
import type { FilePlan } from '../../lib/source/source-plan.ts';
import { localFileSystem } from '../../lib/storage/local/local-file-system.ts';
import { inlineSubtasks } from '../support/inline-subtasks.ts';
import { rollingBySizeAndTime, schemaOf, type TestJobOptions, testJob } from '../support/job.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-plan-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(name: string, lines: readonly string[]): Promise<void> {
  await mkdir(path.dirname(path.join(folder, 'in', name)), { recursive: true });
  await writeFile(path.join(folder, 'in', name), lines.map((line) => `${line}\n`).join(''));
}

const rows = (from: number, to: number) =>
  Array.from(
    { length: to - from },
    (_, i) => `{"id":${from + i},"country":"${(from + i) % 3 === 0 ? 'ch' : 'de'}"}`,
  );

function job(source: NonNullable<TestJobOptions['source']> = {}): CompiledJob {
  return testJob(folder, {
    source: { schema: schemaOf({ id: 'int64', country: 'string' }), ...source },
    sink: {
      bucket: {
        type: 'fields',
        fields: [{ name: 'country', column: 'country', transform: 'value' }],
        keepFields: false,
      },
    },
  });
}

const run = (compiled: CompiledJob) =>
  runJob(compiled, {
    mode: 'once',
    startSubtask: (config, receive) =>
      inlineSubtasks(localFileSystem(config.runId), systemClock)(config, receive),
  });

async function plan(compiled: CompiledJob, explain = false) {
  const files = new Map<string, FilePlan>();
  const result = await planJob(compiled, localFileSystem('00000000'), systemClock, {
    explain,
    onFile: (file) => files.set(path.relative(path.join(folder, 'in'), file.path), file),
  });
  return { ...result, files };
}

describe('plan', () => {
  it('a file that cannot be read is told, and does not keep it from the others', async () => {
    await put('a.ndjson', rows(0, 30));
    await writeFile(path.join(folder, 'in', 'torn.ndjson.gz'), gzipSync('{"id":1}\n').subarray(0, 11));
    await put('z.ndjson', rows(30, 60));
    const planned = await plan(job());
    expect(planned.totals.files).toBe(3);
    expect(planned.buckets).toMatchObject({
      rows: 60,
      unreadable: [
        { path: path.join(folder, 'in', 'torn.ndjson.gz'), why: expect.stringMatching(/is not valid gzip/) },
      ],
    });
  });

  it('tells files, splits and buckets of a job that never started, and leaves nothing', async () => {
    await put('a.ndjson', rows(0, 30));
    await put('deep/b.ndjson', [...rows(30, 60), 'no json']);
    const planned = await plan(job({ splitSizeBytes: 512 }));
    expect(planned.checkpointId).toBeNull();
    expect(planned.files.get('a.ndjson')).toMatchObject({ action: 'read', from_byte: 0 });
    expect(planned.totals.files).toBe(2);
    expect(planned.totals.splits).toBeGreaterThan(2);
    expect(planned.buckets).toMatchObject({ files: 2, rows: 60, rejected: 1 });
    expect(planned.buckets?.byBucket).toEqual([
      ['country=de', 40],
      ['country=ch', 20],
    ]);
    expect((await readdir(folder)).sort()).toEqual(['in']);
  });

  it('tells why the rest is not read', async () => {
    const options = { include: ['**/*.ndjson'], exclude: ['tmp/**'], minAgeMs: 3_600_000 };
    const old = new Date(Date.now() - 7_200_000);
    const age = (name: string) => utimes(path.join(folder, 'in', name), old, old);
    await put('taken.ndjson', rows(0, 3));
    await put('changed.ndjson', rows(3, 6));
    await Promise.all(['taken.ndjson', 'changed.ndjson'].map(age));
    await run(job(options));
    await put('changed.ndjson', rows(3, 7));
    await put('new.ndjson', rows(7, 9));
    await Promise.all(['changed.ndjson', 'new.ndjson'].map(age));
    await put('young.ndjson', rows(9, 10));
    await put('notes.txt', ['x']);
    await put('.hidden.ndjson', rows(9, 10));
    await put('tmp/x.ndjson', rows(9, 10));
    await put('_dir/x.ndjson', rows(9, 10));
    const { files, totals } = await plan(job(options), true);
    const why = (name: string) => {
      const file = files.get(name);
      return file?.action === 'skip' ? `${file.reason}: ${file.why}` : file?.action;
    };
    expect(why('new.ndjson')).toBe('read');
    expect(why('taken.ndjson')).toMatch(/^taken: taken at checkpoint \d+ or before$/);
    expect(why('changed.ndjson')).toMatch(/^modified: changed since it was taken at checkpoint \d+/);
    expect(why('young.ndjson')).toMatch(/^too_young: younger than min_age for another \d+ s$/);
    expect(why('notes.txt')).toBe('not_input: no pattern of include matches it');
    expect(why('.hidden.ndjson')).toBe('not_input: its name begins with . or _');
    expect(why('tmp')).toBe('not_input: a pattern of exclude matches it');
    expect(why('_dir')).toBe('not_input: its name begins with . or _');
    expect(totals).toMatchObject({ files: 1, splits: 1 });
    expect((await run(job(options))).rows).toBe(2);
  });

  it('modified: append: tells where reading goes on, and what was replaced', async () => {
    const options = { modified: 'append' } as const;
    await put('log.ndjson', rows(0, 5));
    await put('cut.ndjson', rows(0, 5));
    await put('same.ndjson', rows(0, 5));
    await run(job(options));
    await put('log.ndjson', rows(0, 8));
    await put('cut.ndjson', rows(7, 9));
    const { files } = await plan(job(options));
    const taken = rows(0, 5).join('\n').length + 1;
    expect(files.get('log.ndjson')).toMatchObject({ action: 'read', from_byte: taken });
    expect(files.get('cut.ndjson')).toMatchObject({ action: 'read', from_byte: 0 });
    const ignoring = { ...options, onReplaced: 'ignore' } as const;
    expect((await plan(job(ignoring))).files.get('cut.ndjson')).toMatchObject({
      action: 'skip',
      reason: 'modified',
    });
    expect(files.get('same.ndjson')).toMatchObject({ action: 'skip', reason: 'taken' });
    expect((await run(job(ignoring))).rows).toBe(3);
  });

  it('after a replay, speaks of the source: what was read stays read', async () => {
    const quarantine: CompiledJob['quarantine'] = {
      path: path.join(folder, 'quarantine'),
      format: { type: 'ndjson', compression: 'none', dialect: 'standard' },
      rolling: rollingBySizeAndTime(),
    };
    const made = { ...job({ onBadRecord: 'quarantine' }), quarantine };
    await put('a.ndjson', [...rows(0, 5), 'no json']);
    await run(made);
    await replayJob(made, localFileSystem('00aa'), {
      startSubtask: (config, receive) =>
        inlineSubtasks(localFileSystem(config.runId), systemClock)(config, receive),
    });
    await put('b.ndjson', rows(5, 7));
    const { files, totals } = await plan(made);
    expect(files.get('a.ndjson')).toMatchObject({ action: 'skip', reason: 'taken' });
    expect(totals).toMatchObject({ files: 1, skipped: 1 });
    expect((await run(made)).rows).toBe(2);
  });
});
