/** `source.after_commit`: what becomes of files, and when. */
import { appendFileSync, existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Clock, systemClock } from '../../lib/core/clock.ts';
import type { AfterCommit, CompiledJob } from '../../lib/core/compiled-job.ts';
import { setFailpointHook } from '../../lib/core/failpoint.ts';
import { runJob } from '../../lib/pipeline/job-runner.ts';
import type { RunOptions } from '../../lib/pipeline/run-options.ts';
import { localFileSystem } from '../../lib/storage/local/local-file-system.ts';
import { inlineSubtasks } from '../support/inline-subtasks.ts';
import { rollingBySizeAndTime, schemaOf, type TestJobOptions, testJob } from '../support/job.ts';
import { listLake } from '../support/oracle.ts';
import { until } from '../support/until.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-after-commit-'));
  await mkdir(at('in'));
});
afterEach(async () => {
  setFailpointHook(null);
  await rm(folder, { recursive: true });
});

/** For conditions of a job that runs on real time. */
const WAIT = { timeout: 30_000, interval: 5 };

const at = (...names: string[]) => path.join(folder, ...names);

async function put(name: string, rows: number): Promise<void> {
  await mkdir(path.dirname(at('in', name)), { recursive: true });
  await writeFile(at('in', name), Array.from({ length: rows }, (_, id) => `{"id":${id}}\n`).join(''));
}

function job(afterCommit: AfterCommit, options: TestJobOptions = {}): CompiledJob {
  return testJob(folder, {
    ...options,
    checkpoint: { intervalMs: 20, retain: 2 },
    source: { schema: schemaOf({ id: 'int64' }), monitorIntervalMs: 10, afterCommit, ...options.source },
  });
}

function run(compiled: CompiledJob, options: Partial<RunOptions> = {}) {
  return runJob(compiled, {
    mode: 'once',
    startSubtask: (config, receive) =>
      inlineSubtasks(localFileSystem(config.runId), systemClock)(config, receive),
    ...options,
  });
}

const visible = async () => (await listLake(at('lake'))).visible.length;

describe('after_commit', () => {
  it('delete: a backfill leaves no input, and reads new files of the same name', async () => {
    await put('a.ndjson', 10);
    await put('deep/b.ndjson', 5);
    expect((await run(job({ kind: 'delete' }))).rows).toBe(15);
    expect(existsSync(at('in', 'a.ndjson'))).toBe(false);
    expect(existsSync(at('in', 'deep/b.ndjson'))).toBe(false);
    await put('a.ndjson', 10);
    expect((await run(job({ kind: 'delete' }))).rows).toBe(10);
  });

  it('move: under the relative path; a name that is taken gets a number', async () => {
    const policy: AfterCommit = { kind: 'move', folder: at('done') };
    await put('deep/a.ndjson', 3);
    await run(job(policy));
    await put('deep/a.ndjson', 4);
    await run(job(policy));
    expect((await readdir(at('done', 'deep'))).sort()).toEqual(['a.ndjson', 'a.ndjson.1']);
    expect(await readFile(at('done', 'deep', 'a.ndjson.1'), 'utf8')).toContain('{"id":3}');
    expect(existsSync(at('in', 'deep/a.ndjson'))).toBe(false);
  });

  /** A daemon whose parts stay open until the test lets two hours pass. */
  async function daemon(
    test: (
      letPartsRoll: () => void,
      warnings: readonly string[],
      tried: { readonly rows: number; readonly checkpoints: number },
    ) => Promise<void>,
  ) {
    let passedMs = 0;
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + passedMs };
    const stopping = new AbortController();
    const warnings: string[] = [];
    const tried = { rows: 0, checkpoints: 0 };
    const rolling = rollingBySizeAndTime({ rolloverIntervalMs: 3_600_000, inactivityIntervalMs: 3_600_000 });
    const running = run(job({ kind: 'delete' }, { sink: { rolling } }), {
      mode: 'continuously',
      signal: stopping.signal,
      clock,
      startSubtask: (config, receive) =>
        inlineSubtasks(localFileSystem(config.runId), clock)(config, receive),
      onEvent: (event) => {
        if (event.type === 'warning') warnings.push(event.message);
        if (event.type === 'checkpoint') tried.checkpoints++;
      },
      onProgress: ({ rows }) => {
        tried.rows = rows;
      },
    });
    try {
      await vi.waitFor(() => expect(tried.rows === 10 && tried.checkpoints > 0).toBe(true), WAIT);
      await test(
        () => {
          passedMs += 7_200_000;
        },
        warnings,
        tried,
      );
    } finally {
      stopping.abort();
      await running;
    }
  }

  it('waits until the rows are visible, not only safe in an open part', async () => {
    await put('a.ndjson', 10);
    await daemon(async (letPartsRoll) => {
      expect(existsSync(at('in', 'a.ndjson'))).toBe(true);
      expect(await visible()).toBe(0);
      letPartsRoll();
      await vi.waitFor(() => expect(existsSync(at('in', 'a.ndjson'))).toBe(false), WAIT);
      expect(await visible()).toBe(1);
    });
  });

  it('a file that changed after it was read is kept', async () => {
    await put('a.ndjson', 10);
    await daemon(async (letPartsRoll, warnings) => {
      appendFileSync(at('in', 'a.ndjson'), '{"id":10}\n');
      letPartsRoll();
      await vi.waitFor(() => expect(warnings.join()).toMatch(/so it is kept/), WAIT);
      expect(existsSync(at('in', 'a.ndjson'))).toBe(true);
    });
  });

  it('a new file under the name of one that was deleted just before a crash is read', async () => {
    await put('a.ndjson', 10);
    setFailpointHook((name) => {
      if (name === 'clean.after') throw new Error('crash');
    });
    await expect(run(job({ kind: 'delete' }))).rejects.toThrow('crash');
    setFailpointHook(null);
    expect(existsSync(at('in', 'a.ndjson'))).toBe(false);
    await put('a.ndjson', 7);
    expect((await run(job({ kind: 'delete' }))).rows).toBe(7);
    expect(existsSync(at('in', 'a.ndjson'))).toBe(false);
  });

  /** Another file gets the name, as `mv` does it, with the same time of change. */
  async function replace(name: string, content: string): Promise<void> {
    const { atime, mtime } = await stat(at('in', name));
    await writeFile(at('other'), content);
    await utimes(at('other'), atime, mtime);
    await rename(at('other'), at('in', name));
  }

  /** Stops when a row was read and its part is open. */
  async function runUntilRead(rows: number): Promise<void> {
    const stopping = new AbortController();
    await run(job({ kind: 'delete' }), {
      mode: 'continuously',
      signal: stopping.signal,
      onProgress: (progress) => {
        if (progress.rows === rows) stopping.abort();
      },
    });
  }

  it('a file that came, of one size and time, in the place of one that waits is read before it goes', async () => {
    await writeFile(at('in', 'a.ndjson'), '{"id":1}\n');
    await utimes(at('in', 'a.ndjson'), 1_767_225_600, 1_767_225_600);
    await runUntilRead(1);
    await replace('a.ndjson', '{"id":2}\n');
    expect((await run(job({ kind: 'delete' }))).rows).toBe(1);
    expect(existsSync(at('in', 'a.ndjson'))).toBe(false);
    expect((await run(job({ kind: 'delete' }))).rows).toBe(0);
  });

  it('one that came while the daemon runs is read as well', async () => {
    await put('a.ndjson', 10);
    await utimes(at('in', 'a.ndjson'), 1_767_225_600, 1_767_225_600);
    await daemon(async (letPartsRoll, warnings, tried) => {
      await replace('a.ndjson', await readFile(at('in', 'a.ndjson'), 'utf8'));
      letPartsRoll();
      await vi.waitFor(() => expect(tried.rows).toBe(20), WAIT);
      letPartsRoll();
      await vi.waitFor(() => expect(existsSync(at('in', 'a.ndjson'))).toBe(false), WAIT);
      expect(tried.rows).toBe(20);
      expect(warnings).toEqual([]);
    });
  });

  it('a file that was made before the one of its name was read, and got the name after a crash, is read', async () => {
    await put('a.ndjson', 10);
    const { birthtimeNs } = await stat(at('in', 'a.ndjson'), { bigint: true });
    await until('the clock of the file system has gone on', async () => {
      await rm(at('other'), { force: true });
      await writeFile(at('other'), '{"id":1}\n');
      return (await stat(at('other'), { bigint: true })).birthtimeNs !== birthtimeNs;
    });
    setFailpointHook((name) => {
      if (name === 'clean.after') throw new Error('crash');
    });
    await expect(run(job({ kind: 'delete' }))).rejects.toThrow('crash');
    setFailpointHook(null);
    await rename(at('other'), at('in', 'a.ndjson'));
    expect((await run(job({ kind: 'delete' }))).rows).toBe(1);
    expect(existsSync(at('in', 'a.ndjson'))).toBe(false);
  });

  it('is done by the next run where the last one stopped before it could be', async () => {
    await put('a.ndjson', 10);
    await runUntilRead(10);
    expect(await visible()).toBe(0);
    expect(existsSync(at('in', 'a.ndjson'))).toBe(true);
    expect((await run(job({ kind: 'delete' }))).rows).toBe(0);
    expect(await visible()).toBe(1);
    expect(existsSync(at('in', 'a.ndjson'))).toBe(false);
  });
});

describe('limits', () => {
  /** Files and bytes between each two of the checkpoints. */
  async function stepsOf(compiled: CompiledJob): Promise<{ files: number; bytes: number }[]> {
    const steps: { files: number; bytes: number }[] = [];
    const names = (await readdir(path.join(compiled.statePath, 'checkpoints'))).sort();
    let before = { files: 0, bytesIn: 0 };
    for (const name of names) {
      const text = await readFile(path.join(compiled.statePath, 'checkpoints', name), 'utf8');
      const { totals } = JSON.parse(text.slice(text.indexOf('\n'))) as { totals: typeof before };
      steps.push({ files: totals.files - before.files, bytes: totals.bytesIn - before.bytesIn });
      before = totals;
    }
    return steps;
  }

  const limited = (limits: Partial<CompiledJob['source']['limits']>, parallelism: number): CompiledJob => {
    const compiled = job({ kind: 'keep' }, { parallelism });
    return {
      ...compiled,
      checkpoint: { intervalMs: 60_000, retain: 100 },
      source: { ...compiled.source, limits: { ...compiled.source.limits, ...limits } },
    };
  };

  for (const parallelism of [1, 2]) {
    it(`files_per_checkpoint: no checkpoint holds more, and none is waited for (parallelism ${parallelism})`, async () => {
      for (let file = 0; file < 10; file++) await put(`${file}.ndjson`, 5);
      const compiled = limited({ filesPerCheckpoint: 3 }, parallelism);
      expect((await run(compiled)).rows).toBe(50);
      const steps = await stepsOf(compiled);
      expect(Math.max(...steps.map(({ files }) => files))).toBe(3);
      expect(steps.reduce((sum, { files }) => sum + files, 0)).toBe(10);
    });
  }

  it('bytes_per_checkpoint: one file may exceed it, then it is over', async () => {
    for (let file = 0; file < 6; file++) await put(`${file}.ndjson`, 10);
    const compiled = limited({ bytesPerCheckpoint: 150 }, 1);
    expect((await run(compiled)).rows).toBe(60);
    expect((await stepsOf(compiled)).map(({ files }) => files).filter((files) => files > 0)).toEqual([
      2, 2, 2,
    ]);
  });
});
