/** Partition commits of whole jobs: triggers, policies, late rows, failures, restarts. */
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readStatus } from '../../lib/commit/status.ts';
import { systemClock } from '../../lib/core/clock.ts';
import type { CompiledJob } from '../../lib/core/compiled-job.ts';
import type { BucketSpec, PartitionCommitSpec, PartitionPolicySpec } from '../../lib/core/specs.ts';
import { runJob } from '../../lib/pipeline/job-runner.ts';
import type { RunOptions } from '../../lib/pipeline/run-options.ts';
import { localFileSystem } from '../../lib/storage/local/local-file-system.ts';
import { inlineSubtasks } from '../support/inline-subtasks.ts';
import { rollingBySizeAndTime, schemaOf, testJob } from '../support/job.ts';
import { visibleFiles } from '../support/visible-files.ts';

const NEVER_MS = 3_600_000;
const SUCCESS: PartitionPolicySpec = { type: 'success_file', name: '_SUCCESS' };
const byHour: BucketSpec = { type: 'datetime', time: 'event', pattern: "'h='HH", zone: 'UTC' };
const byDay: BucketSpec = { type: 'datetime', time: 'event', pattern: "'dt='yyyy-MM-dd", zone: 'UTC' };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-partitions-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(() => rm(folder, { recursive: true }));

function job(commit: Partial<PartitionCommitSpec>, bucket: BucketSpec = byHour): CompiledJob {
  return testJob(folder, {
    checkpoint: { intervalMs: 50, retain: 2 },
    eventTime: { column: 'ts', unit: 'ms' },
    source: { schema: schemaOf({ id: 'int64', ts: 'timestamp(ms)' }), monitorIntervalMs: 20 },
    sink: {
      bucket,
      rolling: rollingBySizeAndTime({ rolloverIntervalMs: NEVER_MS, inactivityIntervalMs: NEVER_MS }),
      partitionCommit: {
        trigger: 'process_time',
        delayMs: 0,
        policies: [SUCCESS],
        retry: { attempts: 5, minBackoffMs: 20, maxBackoffMs: 100 },
        ...commit,
      },
    },
  });
}

const inThisThread: Pick<RunOptions, 'startSubtask'> = {
  startSubtask: (config, receive) =>
    inlineSubtasks(localFileSystem(config.runId), systemClock)(config, receive),
};

async function whileRunning(compiled: CompiledJob, during: () => Promise<void>): Promise<string[]> {
  const stop = new AbortController();
  const warnings: string[] = [];
  const running = runJob(compiled, {
    ...inThisThread,
    mode: 'continuously',
    signal: stop.signal,
    onEvent: (event) => {
      if (event.type === 'warning') warnings.push(event.message);
    },
  });
  await Promise.race([during(), running]);
  stop.abort();
  await running;
  return warnings;
}

const backfill = (compiled: CompiledJob) => runJob(compiled, { ...inThisThread, mode: 'once' });

async function put(name: string, ...rows: [id: number, time: string][]): Promise<void> {
  const lines = rows.map(([id, time]) => `${JSON.stringify({ id, ts: time })}\n`);
  await writeFile(path.join(folder, `.${name}`), lines.join(''));
  await rename(path.join(folder, `.${name}`), path.join(folder, 'in', `${name}.ndjson`));
}

async function success(bucket: string, name = '_SUCCESS'): Promise<Record<string, unknown> | null> {
  const text = await readFile(path.join(folder, 'lake', bucket, name), 'utf8').catch(() => null);
  return text === null ? null : JSON.parse(text);
}

const partitionsOf = async (compiled: CompiledJob) =>
  (await readStatus(compiled, localFileSystem('0000'), systemClock)).checkpoint?.partitions;
const partCount = async () => (await visibleFiles(path.join(folder, 'lake'))).length;
const poll = <T>(ask: () => Promise<T>) => expect.poll(ask, { timeout: 20_000, interval: 20 });

describe('when', () => {
  it('I106: process time with a delay closes parts that never roll, with the checkpoint that announces them', async () => {
    await whileRunning(job({ delayMs: 1000 }), async () => {
      await put('a', [1, '2026-11-22T10:00:00Z']);
      const since = performance.now();
      await poll(() => success('h=10')).toMatchObject({ rows: 1, parts: 1 });
      expect(performance.now() - since).toBeGreaterThan(900);
      expect(await partCount()).toBe(1);
    });
  });

  it('I107: partition time with a delay of a day: yesterday now, today after a day, the rest at the end', async () => {
    const compiled = job({ trigger: 'partition_time', delayMs: 86_400_000 }, byDay);
    await whileRunning(compiled, async () => {
      await put('a', [1, '2026-11-21T10:00:00Z'], [2, '2026-11-22T10:00:00Z'], [3, '2026-11-22T11:00:00Z']);
      await poll(() => success('dt=2026-11-21')).toMatchObject({ rows: 1 });
      expect(await success('dt=2026-11-22')).toBeNull();
      await put('b', [4, '2026-11-23T00:00:00.001Z']);
      await poll(() => success('dt=2026-11-22')).toMatchObject({ rows: 2, parts: 1 });
      expect(await success('dt=2026-11-23')).toBeNull();
    });
    await backfill(compiled);
    expect(await success('dt=2026-11-23')).toMatchObject({ rows: 1, parts: 1 });
    expect(await partitionsOf(compiled)).toEqual({ pending: [], promised: [], atEnd: true });
  });

  it('late rows are announced again, with all rows of the partition, after a restart too', async () => {
    const compiled = job({});
    await put('a', [1, '2026-11-22T10:00:00Z'], [2, '2026-11-22T10:00:01Z']);
    await backfill(compiled);
    const before = await success('h=10');
    expect(before).toMatchObject({ job: 'job', rows: 2, parts: 1 });
    await backfill(compiled);
    expect(await success('h=10')).toEqual(before);
    await put('b', [3, '2026-11-22T10:00:02Z']);
    await backfill(compiled);
    expect(await success('h=10')).toMatchObject({ rows: 3, parts: 2 });
  });
});

describe('success files', () => {
  it('I108: stand in every partition under the name that was asked for, and in no table without partitions', async () => {
    const compiled = job({ policies: [{ type: 'success_file', name: '_MY_SUCCESS' }] });
    await put('a', [1, '2026-11-22T10:00:00Z'], [2, '2026-11-22T11:00:00Z'], [3, '2026-11-22T12:00:00Z']);
    await backfill(compiled);
    for (const bucket of ['h=10', 'h=11', 'h=12'])
      expect(await success(bucket, '_MY_SUCCESS')).toMatchObject({ rows: 1, parts: 1 });
    await rm(path.join(folder, 'lake'), { recursive: true });
    await rm(path.join(folder, 'state'), { recursive: true });
    await backfill(job({ policies: [{ type: 'success_file', name: '_MY_SUCCESS' }] }, { type: 'base_path' }));
    expect(await success('', '_MY_SUCCESS')).toBeNull();
  });
});

describe('policies', () => {
  let server: Server | null = null;
  afterEach(() => {
    server?.close();
    server = null;
  });

  /** An endpoint that answers as it is told, and keeps what it was sent. */
  async function listen(answer: (nth: number) => number) {
    const received: { body: Record<string, unknown>; headers: IncomingMessage['headers'] }[] = [];
    server = createServer((request, response) => {
      let text = '';
      request.on('data', (piece) => {
        text += piece;
      });
      request.on('end', () => {
        received.push({ body: JSON.parse(text), headers: request.headers });
        response.statusCode = answer(received.length);
        response.end('so it is');
      });
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const close = () => new Promise((resolve) => server?.close(resolve));
    return { received, close, url: `http://127.0.0.1:${port}/partitions` };
  }

  it('webhook: tries again after failures, and status shows them meanwhile', async () => {
    let answering = 503;
    const { received, url } = await listen(() => answering);
    const compiled = job({
      policies: [{ type: 'webhook', url, headers: { Authorization: 'Bearer x' }, timeoutMs: 5000 }, SUCCESS],
      retry: { attempts: 1000, minBackoffMs: 10, maxBackoffMs: 50 },
    });
    const warnings = await whileRunning(compiled, async () => {
      await put('a', [1, '2026-11-22T10:00:00Z']);
      await poll(async () => (await partitionsOf(compiled))?.promised[0]?.attempts ?? 0).toBeGreaterThan(1);
      expect((await partitionsOf(compiled))?.promised).toMatchObject([
        { bucketId: 'h=10', rows: 1, error: expect.stringContaining('503 so it is') },
      ]);
      expect(JSON.stringify(await partitionsOf(compiled)), 'a path may be a secret').not.toContain(
        '/partitions',
      );
      expect(await success('h=10')).toBeNull();
      answering = 204;
      await poll(() => success('h=10')).toMatchObject({ rows: 1 });
      await poll(async () => (await partitionsOf(compiled))?.promised).toEqual([]);
    });
    expect(warnings).toHaveLength(1);
    const last = received.at(-1);
    expect(last?.body).toMatchObject({
      event: 'partition-committed',
      partition: 'h=10',
      path: path.join(folder, 'lake', 'h=10'),
      keys: [{ key: 'h', value: '10' }],
      rows: 1,
    });
    expect(last?.headers.authorization).toBe('Bearer x');
    expect(new Set(received.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
  });

  it('a backfill whose partitions cannot be announced ends with an error, and the next one announces them', async () => {
    let answering = 500;
    const { url } = await listen(() => answering);
    const webhook: PartitionPolicySpec = { type: 'webhook', url, headers: {}, timeoutMs: 5000 };
    const compiled = job({
      policies: [SUCCESS, webhook],
      retry: { attempts: 2, minBackoffMs: 1, maxBackoffMs: 1 },
    });
    await put('a', [1, '2026-11-22T10:00:00Z'], [2, '2026-11-22T11:00:00Z']);
    await expect(backfill(compiled)).rejects.toMatchObject({ code: 'PARTITION_COMMIT_FAILED', exitCode: 4 });
    expect(await partCount()).toBe(2);
    expect((await partitionsOf(compiled))?.promised).toMatchObject([{ attempts: 2 }, { attempts: 2 }]);
    answering = 200;
    await backfill(compiled);
    expect((await partitionsOf(compiled))?.promised).toEqual([]);
    // The success file was written by the run that failed: once is enough.
    expect(await success('h=10')).toMatchObject({ rows: 1, parts: 1 });
  });

  it('webhook: says why nobody answers', async () => {
    const { url, close } = await listen(() => 200);
    await close();
    await put('a', [1, '2026-11-22T10:00:00Z']);
    const policies: PartitionPolicySpec[] = [{ type: 'webhook', url, headers: {}, timeoutMs: 5000 }];
    await expect(
      backfill(job({ policies, retry: { attempts: 1, minBackoffMs: 1, maxBackoffMs: 1 } })),
    ).rejects.toThrow(/fetch failed: .*ECONNREFUSED/);
  });

  it('command: the partition on standard input and in the arguments; its failure is told', async () => {
    const log = path.join(folder, 'log');
    const program = `const text = require('fs').readFileSync(0, 'utf8'); require('fs').appendFileSync(${JSON.stringify(log)}, process.argv[1] + ' ' + text);`;
    const command = (code: string): PartitionPolicySpec => ({
      type: 'command',
      command: [process.execPath, '-e', code, '{partition}:{path}'],
      timeoutMs: 20_000,
    });
    await put('a', [1, '2026-11-22T10:00:00Z']);
    await backfill(job({ policies: [command(program)] }));
    const [argument, text] = (await readFile(log, 'utf8')).split(' ');
    expect(argument).toBe(`h=10:${path.join(folder, 'lake', 'h=10')}`);
    expect(JSON.parse(text ?? '')).toMatchObject({ partition: 'h=10', rows: 1, parts: 1 });
    await put('b', [2, '2026-11-22T10:00:00Z']);
    const failing = job({
      policies: [command("console.error('out of paper'); process.exit(3)")],
      retry: { attempts: 1, minBackoffMs: 1, maxBackoffMs: 1 },
    });
    await expect(backfill(failing)).rejects.toThrow(/ended with status 3: out of paper/);
  });

  it('custom: a module of the user', async () => {
    const file = path.join(folder, 'log');
    const module = path.join(import.meta.dirname, 'modules/partition-log.mjs');
    await put('a', [1, '2026-11-22T10:00:00Z'], [2, '2026-11-22T11:00:00Z']);
    await backfill(job({ policies: [{ type: 'custom', module, options: { file } }] }));
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).partition).sort()).toEqual(['h=10', 'h=11']);
  });

  it('I109: a module that is not there, or gives no policy, is an error of the job', async () => {
    for (const [name, message] of [
      ['missing.mjs', /cannot load the module/],
      ['no-policy.mjs', /gives no partition commit policy/],
    ] as const) {
      const module = path.join(import.meta.dirname, 'modules', name);
      const compiled = job({ policies: [{ type: 'custom', module, options: null }] });
      await put('a', [1, '2026-11-22T10:00:00Z']);
      await expect(backfill(compiled)).rejects.toThrow(message);
    }
  });
});
