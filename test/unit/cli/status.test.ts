import { describe, expect, test } from 'vitest';
import { createOutputFormat } from '../../../formats/output-format.ts';
import { renderStatus } from '../../../lib/cli/commands/status.ts';
import { NO_COLOURS } from '../../../lib/cli/style.ts';
import { type Checkpoint, encodeCheckpoint } from '../../../lib/commit/checkpoint.ts';
import { switchLane } from '../../../lib/commit/lanes.ts';
import type { JobStatus } from '../../../lib/commit/status.ts';
import { Batch } from '../../../lib/core/batch.ts';
import { identityRows } from '../../../lib/core/column.ts';
import { columnsOf } from '../../../lib/core/values.ts';
import { parquetOutput, schemaOf } from '../../support/job.ts';
import { CliHarness, JOB } from './cli-harness.ts';

const NOW = Date.UTC(2026, 10, 23, 12);

const CHECKPOINT: Checkpoint = {
  id: 42,
  jobId: '0badcafe',
  jobName: 'events',
  runId: '00000001',
  createdMs: NOW - 5000,
  fingerprint: {},
  schema: {
    fields: [
      { name: 'id', type: { kind: 'int64' }, nullable: false },
      { name: 'tags', type: { kind: 'list', element: { kind: 'string' } }, nullable: true },
    ],
  },
  enumerator: null,
  discovery: [],
  subtasks: [
    {
      splits: [
        {
          id: '7.0',
          fileId: '7',
          path: '/work/in/b.ndjson',
          sizeBytes: 4_000_000,
          modifiedNs: '0',
          compression: 'none',
          startByte: 0,
          endByte: 4_000_000,
          position: { offset: 1_500_000, state: null, records: 12 },
        },
      ],
      sink: {
        nextCounter: 9,
        openParts: Array.from({ length: 25 }, (_, i) => ({
          bucketId: i === 0 ? '' : `dt=2026-11-${i}`,
          finalPath: `/work/lake/part-${i}`,
          creationTimeMs: 0,
          lastUpdateTimeMs: 0,
          rows: 1000 + i,
          file: null,
          footer: null,
          tails: [],
        })),
      },
    },
  ],
  committables: [
    {
      bucketId: '',
      rows: 77,
      file: { hiddenPath: '/work/lake/.p', finalPath: '/work/lake/p.parquet', lengthBytes: 1234 },
    },
  ],
  totals: {
    files: 6,
    rows: 123_456,
    rejected: 1,
    bytesIn: 5_000_000,
    parts: 3,
    bytesOut: 700_000,
    late: 0,
    missingFiles: 2,
  },
};

function withCheckpoint(): CliHarness {
  const cli = new CliHarness();
  cli.fileSystem.put('/work/job.yaml', JOB);
  cli.fileSystem.put('/work/state/events/checkpoints/0000000042.checkpoint', encodeCheckpoint(CHECKPOINT));
  return cli;
}

describe('status', () => {
  test('of a job that never started', async () => {
    const cli = new CliHarness();
    cli.fileSystem.put('/work/job.yaml', JOB);
    expect(await cli.run('status', 'job.yaml')).toBe(0);
    expect(cli.stderr.text).toMatch(/never started/);
    expect(cli.stdout.text).toBe('');
  });

  test('says checkpoint, counts, files under way, open and pending parts', async () => {
    const cli = withCheckpoint();
    expect(await cli.run('status', 'job.yaml')).toBe(0);
    const { text } = cli.stderr;
    expect(text).toMatch(/^events not running\n/);
    expect(text).toContain('checkpoint  42, 5.0 s old (2026-11-23T11:59:55.000Z)\n');
    expect(text).toContain('rows        123,456, 1 rejected\n');
    expect(text).toContain('vanished    2 files\n');
    expect(text).toContain('schema      id int64 not null, tags list<string>\n');
    expect(text).toMatch(/files under way: 1\n.*\n {2}\/work\/in\/b\.ndjson +1\.5 MB +4\.0 MB\n/);
    expect(text).toMatch(/open parts: 25\n/);
    expect(text).toContain('... and 5 more\n');
    expect(text).toMatch(/pending parts: 1\n.*\n {2}\/work\/lake\/p\.parquet +77 +1\.2 KB\n/);
  });

  test('after a replay: files under way are those of the source, whose lane is parked', async () => {
    const replayed = { ...switchLane(CHECKPOINT, 'replay'), id: 43 };
    const cli = withCheckpoint();
    cli.fileSystem.put('/work/state/events/checkpoints/0000000043.checkpoint', encodeCheckpoint(replayed));
    expect(await cli.run('status', 'job.yaml')).toBe(0);
    expect(cli.stderr.text).toMatch(/files under way: 1\n.*\n {2}\/work\/in\/b\.ndjson +1\.5 MB +4\.0 MB\n/);
  });

  test('--json', async () => {
    const cli = withCheckpoint();
    expect(await cli.run('status', 'job.yaml', '--json')).toBe(0);
    expect(cli.documents()).toMatchObject([
      {
        job: 'events',
        state: '/work/state/events',
        running: null,
        checkpoint: { id: 42, ageMs: 5000, totals: { rows: 123_456 }, pendingParts: [{ rows: 77 }] },
      },
    ]);
  });

  test('of a running job, and of one that does not answer', () => {
    const status: JobStatus = {
      job: 'a',
      state: '/s',
      running: { processId: 7, host: 'h' },
      checkpoint: null,
    };
    expect(renderStatus(status, NO_COLOURS)).toMatch(/^a running: process 7 on h\n/);
    const silent = { ...status, running: { processId: null, host: null } };
    expect(renderStatus(silent, NO_COLOURS)).toMatch(/^a running: the process does not answer/);
  });

  test('of damaged state is an error with 5', async () => {
    const cli = withCheckpoint();
    cli.fileSystem.put('/work/state/events/checkpoints/0000000043.checkpoint', 'torn');
    expect(await cli.run('status', 'job.yaml')).toBe(5);
    expect(cli.stderr.text).toMatch(/^error STATE_CORRUPT /);
  });
});

describe('inspect', () => {
  test('a checkpoint', async () => {
    const cli = withCheckpoint();
    const file = 'state/events/checkpoints/0000000042.checkpoint';
    expect(await cli.run('inspect', file)).toBe(0);
    expect(cli.stderr.text).toMatch(/^checkpoint {2}42, /);
    expect(await cli.run('inspect', file, '--json')).toBe(0);
    expect(cli.documents()).toMatchObject([{ file: `/work/${file}`, kind: 'checkpoint', id: 42 }]);
  });

  test('a part of a row format: its first lines', async () => {
    const cli = new CliHarness();
    const lines = Array.from({ length: 30 }, (_, i) => `{"id":${i}}`);
    cli.fileSystem.put('/work/p.ndjson', `${lines.join('\n')}\n`);
    expect(await cli.run('inspect', 'p.ndjson')).toBe(0);
    expect(cli.stderr.text).toBe(
      `/work/p.ndjson: 290 B, compression none; the first 10 lines:\n${lines.slice(0, 10).join('\n')}\n`,
    );
    expect(await cli.run('inspect', 'p.ndjson', '--json')).toBe(0);
    expect(cli.documents()).toMatchObject([{ kind: 'text', bytes: 290, compression: 'none' }]);
  });

  test('a Parquet part: columns, row groups, bounds', async () => {
    const cli = new CliHarness();
    const schema = schemaOf({ id: 'int64', note: 'string' });
    const output = await createOutputFormat(parquetOutput);
    if (output.kind !== 'bulk') throw new Error('Parquet is a bulk format');
    const writer = output.format.createWriter(schema, null);
    const rows = Array.from({ length: 30 }, (_, id) => ({
      id: BigInt(id),
      note: id === 3 ? null : `n${id}`,
    }));
    const batch = new Batch(schema, columnsOf(schema, rows), rows.length);
    const pieces = [20, 30].map((end, i) => {
      writer.append(batch, identityRows(30), i * 20, end);
      return Buffer.from(i === 0 ? writer.flush() : writer.finish());
    });
    cli.fileSystem.put('/work/p.parquet', Buffer.concat(pieces));
    expect(await cli.run('inspect', 'p.parquet')).toBe(0);
    expect(cli.stderr.text).toMatch(/^\/work\/p.parquet: 30 rows in 2 row groups, .* of pages/);
    expect(cli.stderr.text).toMatch(/row group 0: 20 rows\n(?:.*\n)*id +INT64 +SNAPPY .* 0 +19\n/);
    expect(await cli.run('inspect', 'p.parquet', '--json')).toBe(0);
    expect(cli.documents()).toMatchObject([
      {
        kind: 'parquet',
        rows: 30,
        rowGroups: [{ rows: 20, columns: [{ max: '19' }, { nulls: 1 }] }, { rows: 10 }],
      },
    ]);
  });

  test('a Parquet part that is cut', async () => {
    const cli = new CliHarness();
    cli.fileSystem.put('/work/p.parquet', Buffer.from('PAR1 and then nothing'));
    expect(await cli.run('inspect', 'p.parquet')).toBe(3);
    expect(cli.stderr.text).toMatch(/no readable Parquet metadata/);
  });

  test.each([
    ['nothing', 'nope', 4, /NOT_FOUND/],
    ['a folder', '.', 2, /is a folder/],
    ['anything else', 'picture.png', 2, /neither a checkpoint nor a part/],
  ])('%s', async (_, file, status, message) => {
    const cli = new CliHarness();
    cli.fileSystem.put('/work/picture.png', Uint8Array.of(0x89, 0x50, 0, 0, 1));
    expect(await cli.run('inspect', file)).toBe(status);
    expect(cli.stderr.text).toMatch(message);
  });
});
