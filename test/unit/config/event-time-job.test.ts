/** Keys of the job file that go by event time and announce partitions. */
import { describe, expect, test } from 'vitest';
import { jobToYaml } from '../../../lib/config/print-job.ts';
import { readJob } from '../../../lib/config/read-job.ts';
import type { CompiledJob } from '../../../lib/core/compiled-job.ts';
import { SluiceError } from '../../../lib/core/errors.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryFileSystem } from '../../support/memory-file-system.ts';

const BY_HOUR = "bucket: { type: datetime, time: event, pattern: \"'dt='yyyy-MM-dd/'hour='HH\" }";

function read(text: string): Promise<CompiledJob> {
  const fileSystem = new MemoryFileSystem(new ManualClock(1000));
  fileSystem.put('/jobs/job.yaml', text);
  return readJob('/jobs/job.yaml', { fileSystem, environment: {}, parallelism: 4 });
}

function job(sink: string, eventTime = 'event_time: { field: ts }'): string {
  return `version: 1\njob: x\n${eventTime}\nsource: { path: ./in, format: { type: ndjson } }\nsink:\n  path: ./lake\n  ${sink}\n`;
}

async function problemsOf(text: string): Promise<string[]> {
  const error = await read(text).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SluiceError)) throw new Error(`no SluiceError: ${String(error)}`);
  const problems = error.details.problems as { path: string; message: string }[];
  return problems.map(({ path, message }) => `${path}: ${message}`);
}

const ALL = job(
  `${BY_HOUR}
  partition_time: { pattern: '$dt $hour:00:00', format: yyyy-MM-dd HH:mm:ss, zone: Asia/Tokyo, span: 1h }
  rolling: { watermark: 5m }
  partition_commit:
    trigger: partition_time
    delay: 1h
    retry: { attempts: 3, min_backoff: 2s, max_backoff: 10s }
    policies:
      - { type: success_file, name: _DONE }
      - { type: metastore, url: 'thrift://h:9083', database: d, table: t }
      - { type: trino, url: 'https://h', table: t, method: sync, location: 's3://b/t', headers: { Authorization: x } }
      - { type: presto, url: 'http://h:8080', table: t, user: me, catalog: c, schema: s, timeout: 1m }
      - { type: webhook, url: 'https://h/p', timeout: 1s }
      - { type: command, command: [./announce, '{path}'] }
      - { type: custom, module: ./p.js, options: { a: 1 } }`,
  'event_time: { field: ts, max_out_of_orderness: 30s, idle_timeout: 1m, late: drop, allowed_lateness: 2m }',
);

describe('event time and partitions', () => {
  test('compile, with defaults filled in', async () => {
    const compiled = await read(ALL);
    expect(compiled.watermarks).toEqual({
      ...{ maxOutOfOrdernessMs: 30_000, idleTimeoutMs: 60_000, late: 'drop', allowedLatenessMs: 120_000 },
    });
    expect(compiled.sink.partitionTime?.spanMs).toBe(3_600_000);
    expect(compiled.sink.rolling).toMatchObject({ watermarkDelayMs: 300_000 });
    const commit = compiled.sink.partitionCommit;
    expect(commit).toMatchObject({
      ...{ trigger: 'partition_time', delayMs: 3_600_000 },
      retry: { attempts: 3, minBackoffMs: 2000, maxBackoffMs: 10_000 },
    });
    expect(commit?.policies).toMatchObject([
      { type: 'success_file', name: '_DONE' },
      { type: 'metastore', database: 'd', location: null, timeoutMs: 30_000 },
      { type: 'trino', method: 'sync', user: 'sluice', catalog: 'hive', location: 's3://b/t' },
      { type: 'presto', method: 'sync', user: 'me', timeoutMs: 60_000 },
      { type: 'webhook', headers: {}, timeoutMs: 1000 },
      { type: 'command', command: ['./announce', '{path}'] },
      { type: 'custom', module: '/jobs/p.js', options: { a: 1 } },
    ]);
  });

  test('a printed job is the same job, but for the values of headers, which are nobody’s business', async () => {
    const compiled = await read(ALL.replace('Authorization: x', 'Authorization: a-secret'));
    const printed = jobToYaml(compiled);
    expect(printed).not.toContain('a-secret');
    expect(await read(printed.replace('"***"', 'a-secret'))).toEqual(compiled);
  });

  test('I109: a metastore for a table without partitions is an error, and so are folders without keys', async () => {
    const commit = (policy: string) => `partition_commit: { policies: [{ type: success_file }, ${policy}] }`;
    const metastore = "{ type: metastore, url: 'thrift://h', table: t }";
    const trino = "{ type: trino, url: 'http://h', table: t }";
    for (const [bucket, policy] of [
      ['bucket: { type: base_path }', metastore],
      ['bucket: { type: datetime }', trino],
      ['bucket: { type: datetime, pattern: "\'dt=\'yyyy/MM" }', metastore],
    ] as const) {
      const problems = await problemsOf(job(`${bucket}\n  ${commit(policy)}`));
      expect(problems).toEqual([expect.stringMatching(/policies\[1\].*needs `key=value` folders/)]);
    }
    await read(job(`${BY_HOUR}\n  ${commit(metastore)}`));
    await read(job(`bucket: { type: fields, fields: [a] }\n  ${commit(trino)}`));
  });

  test.each([
    ['no policies', `${BY_HOUR}\n  partition_commit: { policies: [] }`, /names no policy/],
    [
      'an unknown policy',
      `${BY_HOUR}\n  partition_commit: { policies: [{ type: email }] }`,
      /expected success_file, /,
    ],
    [
      'a password in a URL',
      `partition_commit: { policies: [{ type: webhook, url: 'https://me:secret@host/path' }] }`,
      /without user and password/,
    ],
    [
      'a visible success file',
      `partition_commit: { policies: [{ type: success_file, name: DONE }] }`,
      /begins with _ or \./,
    ],
    [
      'a metastore by http',
      "partition_commit: { policies: [{ type: metastore, url: 'http://h', table: t }] }",
      /thrift:/,
    ],
    [
      'parts closed by the watermark of processing time',
      'rolling: { watermark: 1m }',
      /buckets that tell their event time/,
    ],
    [
      'announcing by the time of a country',
      'bucket: { type: fields, fields: [c] }\n  partition_commit: { trigger: partition_time, policies: [{ type: success_file }] }',
      /announcing partitions by their time needs buckets/,
    ],
  ])('refused: %s', async (_, sink, message) => {
    expect((await problemsOf(job(sink))).join('\n')).toMatch(message);
  });

  test('refused: late rows dropped where nothing tells that they are late', async () => {
    const dropping = 'event_time: { field: ts, late: drop }';
    expect(await problemsOf(job('bucket: { type: base_path }', dropping))).toHaveLength(1);
    await read(job("bucket: { type: fields, fields: [{ dt: 'ts:date' }] }", dropping));
    expect((await problemsOf(job(BY_HOUR, 'event_time: { field: ts, late: quarantine }')))[0]).toMatch(
      /needs `quarantine: \{path: ...\}`/,
    );
  });
});
