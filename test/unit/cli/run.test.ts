import { describe, expect, test } from 'vitest';
import { LINE_INTERVAL_MS } from '../../../lib/cli/progress/progress-meter.ts';
import type { CompiledJob } from '../../../lib/core/compiled-job.ts';
import { noStageTimes } from '../../../lib/core/stage-clock.ts';
import type { JobProgress, JobSummary } from '../../../lib/pipeline/progress.ts';
import type { RunOptions } from '../../../lib/pipeline/run-options.ts';
import { CliHarness, type HarnessOptions, JOB } from './cli-harness.ts';

const SUMMARY: JobSummary = {
  job: 'events',
  files: 2,
  rows: 1_000_000,
  late: 0,
  rejected: 0,
  quarantined: 0,
  filtered: 0,
  duplicates: 0,
  bytes_in: 213_500_000,
  parts: 24,
  bytes_out: 25_100_000,
  seconds: 1.3,
  checkpoints: 1,
  stopped: false,
  timings: { ...noStageTimes(), read: 40, decode: 300, encode: 700, checkpoint: 20 },
};

const PROGRESS: JobProgress = {
  filesKnown: 10,
  filesDone: 4,
  bytesRead: 50_000_000,
  bytesLeft: 150_000_000,
  rows: 250_000,
  rejected: 0,
  quarantined: 0,
  filtered: 0,
  openParts: 24,
  partsCommitted: 3,
  bytesOut: 1_000_000,
  checkpointId: 7,
};

type Script = (options: RunOptions, cli: CliHarness) => Promise<JobSummary>;

/** A command line whose engine does what the script says. */
function scripted(script: Script, options: HarnessOptions = {}): { cli: CliHarness; jobs: CompiledJob[] } {
  const jobs: CompiledJob[] = [];
  const cli: CliHarness = new CliHarness({
    ...options,
    engine: {
      runJob: (job, runOptions) => {
        jobs.push(job);
        return script(runOptions, cli);
      },
    },
  });
  cli.fileSystem.put('/work/job.yaml', JOB);
  return { cli, jobs };
}

describe('backfill', () => {
  test('runs the job once and says what was done, on stderr', async () => {
    const { cli, jobs } = scripted(async ({ mode }) => {
      expect(mode).toBe('once');
      return SUMMARY;
    });
    expect(await cli.run('backfill', 'job.yaml')).toBe(0);
    expect(jobs[0]).toMatchObject({ name: 'events', parallelism: 2, memoryBytes: 268_435_456 });
    expect(cli.stdout.text).toBe('');
    expect(cli.stderr.text).toBe(
      'events: 2 files, 1,000,000 rows (214 MB) into 24 parts (25.1 MB) in 1.3 s, 164 MB/s\n',
    );
  });

  test('--json gives the one document of the design', async () => {
    const { cli } = scripted(async (options) => {
      options.onEvent?.({ type: 'checkpoint', id: 1, durationMs: 3, bytes: 100, parts: 24 });
      options.onProgress?.(PROGRESS);
      return SUMMARY;
    });
    expect(await cli.run('backfill', 'job.yaml', '--json')).toBe(0);
    expect(cli.documents()).toEqual([
      {
        job: 'events',
        files: 2,
        rows: 1_000_000,
        rejected: 0,
        quarantined: 0,
        filtered: 0,
        bytes_in: 213_500_000,
        parts: 24,
        bytes_out: 25_100_000,
        seconds: 1.3,
        checkpoints: 1,
      },
    ]);
  });

  test('heaps may grow further where the source is read from sockets', async () => {
    const { cli } = scripted(async ({ onProgress }) => {
      // What earlier runs have read.
      for (let i = 0; i < 2; i++) onProgress?.({ ...PROGRESS, bytesRead: 500 });
      expect(cli.heapGrowth).toEqual(before);
      for (const bytesRead of [501, 502]) onProgress?.({ ...PROGRESS, bytesRead });
      before = [...cli.heapGrowth];
      return SUMMARY;
    });
    let before: number[] = [];
    cli.fileSystem.put('/work/s3.yaml', JOB.replace(/(source:\s+path: ).*/, '$1s3://bucket/in'));
    for (const job of ['job.yaml', 's3.yaml'])
      expect(await cli.run('backfill', job), cli.stderr.text).toBe(0);
    expect(cli.heapGrowth).toEqual([40, 400]);
  });

  test('options of the command line win over the job file', async () => {
    const { cli, jobs } = scripted(async () => SUMMARY);
    expect(await cli.run('backfill', 'job.yaml', '--memory', '1GiB', '--parallelism', '7')).toBe(0);
    expect(jobs[0]).toMatchObject({ parallelism: 7, memoryBytes: 2 ** 30 });
  });

  test('--timings says where the time went', async () => {
    const text = scripted(async () => SUMMARY).cli;
    await text.run('backfill', 'job.yaml', '--timings');
    expect(text.stderr.text).toContain(
      'read 0.0 s, decode 0.3 s, assign 0.0 s, gather 0.0 s, encode 0.7 s, compress 0.0 s, write 0.0 s, checkpoint 0.0 s',
    );
    const json = scripted(async () => SUMMARY).cli;
    await json.run('backfill', 'job.yaml', '--timings', '--json', '--quiet');
    expect(json.documents()).toMatchObject([{ timings_ms: { decode: 300 } }]);
    expect(json.stderr.text).toBe('');
  });

  test('--quiet says nothing', async () => {
    const { cli } = scripted(async (options) => {
      options.onEvent?.({ type: 'warning', code: 'file-modified', message: 'x' });
      return SUMMARY;
    });
    expect(await cli.run('backfill', 'job.yaml', '--quiet')).toBe(0);
    expect(cli.stderr.text + cli.stdout.text).toBe('');
  });

  test('rejected records are said', async () => {
    const { cli } = scripted(async () => ({ ...SUMMARY, rejected: 3 }));
    await cli.run('backfill', 'job.yaml');
    expect(cli.stderr.text).toMatch(/; 3 records rejected\n$/);
  });

  test('warnings and recovery are said, and cannot steer the terminal', async () => {
    const { cli } = scripted(async (options) => {
      options.onEvent?.({ type: 'recovered', checkpointId: 41, openParts: 2, committed: 1 });
      options.onEvent?.({ type: 'warning', code: 'file-modified', message: 'in/\u001b[2J changed' });
      return SUMMARY;
    });
    await cli.run('backfill', 'job.yaml');
    expect(cli.stderr.text).toContain(
      'going on from checkpoint 41: 2 open parts, 1 pending part published\n',
    );
    expect(cli.stderr.text).toContain('warning file-modified: in/\\u001b[2J changed\n');
  });
});

describe('run', () => {
  test('--json gives lines: events, progress at intervals, and a summary', async () => {
    const { cli } = scripted(async (options, { clock }) => {
      expect(options.mode).toBe('continuously');
      options.onEvent?.({ type: 'recovered', checkpointId: 41, openParts: 2, committed: 1 });
      for (let i = 0; i < 1000; i++) {
        clock.advance(LINE_INTERVAL_MS / 500);
        options.onProgress?.({ ...PROGRESS, rows: i });
      }
      options.onEvent?.({ type: 'checkpoint', id: 42, durationMs: 3, bytes: 100, parts: 24 });
      return { ...SUMMARY, stopped: true };
    });
    expect(await cli.run('run', 'job.yaml', '--json', '--quiet')).toBe(0);
    expect(cli.documents()).toMatchObject([
      { type: 'recovered', checkpointId: 41, openParts: 2, committed: 1 },
      { type: 'progress', rows: 499, filesKnown: 10 },
      { type: 'progress', rows: 999 },
      { type: 'checkpoint', id: 42, durationMs: 3, bytes: 100, parts: 24 },
      { type: 'summary', job: 'events', rows: 1_000_000, stopped: true },
    ]);
    expect(cli.stderr.text).toBe('');
  });
});

describe('progress', () => {
  test('without a terminal: a line an interval, and none where nothing changed', async () => {
    const { cli } = scripted(async (options, { clock }) => {
      options.onProgress?.(PROGRESS);
      clock.advance(LINE_INTERVAL_MS);
      options.onProgress?.(PROGRESS);
      options.onProgress?.({ ...PROGRESS, rows: 300_000 });
      clock.advance(LINE_INTERVAL_MS);
      options.onProgress?.({
        ...PROGRESS,
        filesDone: 5,
        rows: 500_000,
        bytesRead: 100_000_000,
        bytesLeft: 100_000_000,
        rejected: 1,
      });
      clock.advance(10 * LINE_INTERVAL_MS);
      options.onProgress?.({
        ...PROGRESS,
        filesDone: 5,
        rows: 500_000,
        bytesRead: 100_000_000,
        bytesLeft: 100_000_000,
        rejected: 1,
      });
      return SUMMARY;
    });
    await cli.run('backfill', 'job.yaml');
    expect(cli.stderr.text.split('\n').slice(0, -2)).toEqual([
      '10 s | files 4/10 | 250,000 rows | 50.0 MB at 0 B/s | 3 parts (1.0 MB), 24 open',
      '20 s | files 5/10 | 500,000 rows | 100 MB at 5.0 MB/s | 3 parts (1.0 MB), 24 open | 1 record rejected | 40 s left',
    ]);
  });

  test('on a terminal: a bar that ends before other text begins, and gives the cursor back', async () => {
    const { cli } = scripted(
      async (options, { clock }) => {
        clock.advance(2000);
        options.onProgress?.(PROGRESS);
        options.onEvent?.({ type: 'warning', code: 'file-modified', message: 'x' });
        clock.advance(2000);
        options.onProgress?.({ ...PROGRESS, bytesRead: 110_000_000, bytesLeft: 90_000_000 });
        return SUMMARY;
      },
      { terminal: true, environment: { NO_COLOR: '1' } },
    );
    await cli.run('backfill', 'job.yaml');
    const { text } = cli.stderr;
    expect(text).toContain('########............');
    expect(text).toContain('4/10 files | 250,000 rows | 110 MB 15.0 MB/s | 3+24 parts | 6.0 s left');
    expect(text).toMatch(/\n?warning file-modified: x\n/);
    expect(text.lastIndexOf('\u001b[?25h')).toBeGreaterThan(text.lastIndexOf('\u001b[?25l'));
    expect(text).toMatch(/events: 2 files.*\n$/);
  });

  test('a terminal is written to a few times a second at the most', async () => {
    const { cli } = scripted(
      async (options) => {
        for (let i = 0; i < 10_000; i++) options.onProgress?.({ ...PROGRESS, rows: i });
        return SUMMARY;
      },
      { terminal: true },
    );
    await cli.run('backfill', 'job.yaml');
    expect(cli.stderr.text.match(/10 files/g)?.length ?? 0).toBeLessThan(50);
  });
});

describe('signals', () => {
  test('the first stops in good order and ends with 0', async () => {
    const { cli } = scripted(async ({ signal }, harness) => {
      harness.signal('SIGTERM');
      expect(signal?.aborted).toBe(true);
      return { ...SUMMARY, stopped: true };
    });
    expect(await cli.run('run', 'job.yaml')).toBe(0);
    expect(cli.exits).toEqual([]);
    expect(cli.stderr.text).toMatch(/^stopping \(SIGTERM\): .*\nevents: stopped after 2 files/);
    expect(cli.listeners).toBe(0);
  });

  test('a job that does not end, since it waits for its storage, is ended once shutdown_timeout is over', async () => {
    const { cli } = scripted(async (_, harness) => {
      harness.signal('SIGTERM');
      harness.clock.advance(30_000);
      expect(harness.exits).toEqual([]);
      harness.clock.advance(10_000);
      return SUMMARY;
    });
    await cli.run('run', 'job.yaml');
    expect(cli.exits).toEqual([4]);
    expect(cli.stderr.text).toContain(
      'error SHUTDOWN_TIMEOUT stopping took longer than shutdown_timeout (30000 ms)',
    );
    expect(cli.clock.pending).toBe(0);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('a second %s ends the process with %d', async (name, status) => {
    const { cli } = scripted(async (_, harness) => {
      harness.signal('SIGTERM');
      harness.signal(name);
      return SUMMARY;
    });
    await cli.run('run', 'job.yaml');
    expect(cli.exits).toEqual([status]);
  });
});
