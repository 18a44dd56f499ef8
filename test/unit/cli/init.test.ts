import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readJob } from '../../../lib/config/read-job.ts';
import { ERROR_KINDS, SluiceError } from '../../../lib/core/errors.ts';
import { CliHarness } from './cli-harness.ts';

const LINES = '{"id":1,"created_at":"2026-01-01T00:00:00Z"}\n{"id":2,"created_at":"2026-01-02T10:00:00Z"}\n';

function withData(): CliHarness {
  const cli = new CliHarness();
  cli.fileSystem.put('/work/in/a.ndjson', LINES);
  cli.fileSystem.put('/work/in/deep/b.ndjson.gz', gzipSync(LINES));
  cli.fileSystem.put('/work/in/README.md', '# x');
  cli.fileSystem.put('/work/in/_hidden/c.csv', 'a,b\n1,2\n');
  return cli;
}

const text = (cli: CliHarness, path: string) =>
  Buffer.from(cli.fileSystem.files.get(path)?.bytes ?? []).toString();

describe('init', () => {
  test('writes a job file that check accepts', async () => {
    const cli = withData();
    expect(await cli.run('init', 'in')).toBe(0);
    expect(cli.stderr.text).toMatch(/^\/work\/job\.yaml is written, for 2 files of ndjson/);
    const job = await readJob('/work/job.yaml', {
      fileSystem: cli.fileSystem,
      environment: {},
      parallelism: 1,
    });
    expect(job).toMatchObject({
      name: 'in',
      source: { paths: ['/work/in'], include: expect.arrayContaining(['**/*.ndjson', '**/*.ndjson.gz']) },
      eventTime: { column: 'created_at' },
    });
    expect(await cli.run('check', 'job.yaml')).toBe(0);
  });

  test('a damaged file is passed over, as long as there is another one', async () => {
    const torn = gzipSync(LINES.repeat(50)).subarray(0, 60);
    const cli = new CliHarness();
    cli.fileSystem.put('/work/in/torn.ndjson.gz', torn);
    expect(await cli.run('init', 'in')).toBe(2);
    expect(cli.stderr.text).toContain('/work/in/torn.ndjson.gz: it is damaged');
    cli.fileSystem.put('/work/in/binary.ndjson.gz', gzipSync(Buffer.alloc(10)));
    expect(await cli.run('init', 'in')).toBe(2);
    expect(cli.stderr.text).toContain('/work/in/binary.ndjson.gz: it is not text');
    await cli.fileSystem.remove('/work/in/binary.ndjson.gz');
    cli.fileSystem.put('/work/in/whole.ndjson.gz', gzipSync(LINES));
    expect(await cli.run('init', 'in')).toBe(0);
    expect(text(cli, '/work/job.yaml')).toContain('created_at');
  });

  test('replaces nothing unless told to', async () => {
    const cli = withData();
    cli.fileSystem.put('/work/job.yaml', 'mine');
    expect(await cli.run('init', 'in')).toBe(2);
    expect(cli.stderr.text).toMatch(/USAGE \/work\/job\.yaml exists already\n→ .*--force/);
    expect(text(cli, '/work/job.yaml')).toBe('mine');
    expect(await cli.run('init', 'in', '--force')).toBe(0);
    expect(text(cli, '/work/job.yaml')).toMatch(/^# Reads/);
    expect(await cli.run('init', 'in', '-o', 'sub/other.yaml')).toBe(0);
    expect(text(cli, '/work/sub/other.yaml')).toContain('path: ../in\n');
  });

  test('a job file that cannot be replaced is left as it was', async () => {
    const cli = withData();
    cli.fileSystem.put('/work/job.yaml', 'mine');
    cli.fileSystem.replace = async () => {
      throw new SluiceError('DISK_FULL', 'no space left');
    };
    expect(await cli.run('init', 'in', '--force')).toBe(4);
    expect(text(cli, '/work/job.yaml')).toBe('mine');
  });

  test('a folder that is not there', async () => {
    const cli = withData();
    expect(await cli.run('init', 'nope')).toBe(ERROR_KINDS.NOT_FOUND.exit);
    expect(cli.stderr.text).toBe(
      'error NOT_FOUND the source path /work/nope does not exist\n→ give the folder with the data\n',
    );
  });

  test('a glob says which files it looks at', async () => {
    const cli = withData();
    expect(await cli.run('init', 'in/*.ndjson', '-o', '-')).toBe(0);
    expect(cli.stdout.text).toContain('created_at');
  });

  test('-o - prints it; --json says what was written', async () => {
    const printed = withData();
    expect(await printed.run('init', 'in', '-o', '-')).toBe(0);
    expect(printed.stdout.text).toMatch(/^# Reads 2 files/);
    expect(printed.fileSystem.files.has('/work/job.yaml')).toBe(false);
    const json = withData();
    expect(await json.run('init', 'in', '--json')).toBe(0);
    expect(json.documents()).toMatchObject([{ written: '/work/job.yaml', format: 'ndjson', files: 2 }]);
    const both = withData();
    expect(await both.run('init', 'in', '-o', '-', '--json')).toBe(0);
    expect(both.documents()).toMatchObject([{ written: null, job_file: printed.stdout.text, files: 2 }]);
  });

  test('CSV and text', async () => {
    const csv = new CliHarness();
    csv.fileSystem.put('/work/in/a.csv', 'id;ts\n1;2026-01-01\n2;2026-01-02\n');
    expect(await csv.run('init', 'in')).toBe(0);
    expect(text(csv, '/work/job.yaml')).toContain('delimiter: ";"');
    const log = new CliHarness();
    log.fileSystem.put('/work/in/app.log', 'started\nstopped, at last\n');
    expect(await log.run('init', 'in')).toBe(0);
    expect(text(log, '/work/job.yaml')).toContain('type: text');
  });

  test.each([
    ['nothing', {}, 4, /does not exist/],
    ['an empty folder', { '/work/in/.hidden': 'x' }, 2, /holds no files/],
    [
      'Parquet',
      { '/work/in/a.parquet': 'PAR1' },
      2,
      /nothing in \/work\/in can be read:\n.*a\.parquet: it is a Parquet file/,
    ],
  ])('%s', async (_, files, status, message) => {
    const cli = new CliHarness();
    for (const [path, content] of Object.entries(files)) cli.fileSystem.put(path, content);
    expect(await cli.run('init', 'in')).toBe(status);
    expect(cli.stderr.text).toMatch(message);
  });
});
