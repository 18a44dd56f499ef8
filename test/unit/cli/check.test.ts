import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readJob } from '../../../lib/config/read-job.ts';
import { SluiceError } from '../../../lib/core/errors.ts';
import { CliHarness } from './cli-harness.ts';

const JOB = `version: 1
job: events
source:
  path: ./in
  format: { type: ndjson }
event_time: { field: ts }
sink:
  path: ./lake
  bucket: { type: datetime, time: event, pattern: "'dt='yyyy-MM-dd" }
`;

function prepared(
  job = JOB,
  data = '{"ts":"2026-01-01T00:00:00Z","id":1}\n{"ts":"2026-01-02T00:00:00Z","id":2}\n',
) {
  const cli = new CliHarness();
  cli.fileSystem.put('/work/job.yaml', job);
  cli.fileSystem.addFolder('/work/in');
  if (data !== '') cli.fileSystem.put('/work/in/a.ndjson', data);
  return cli;
}

const paths = (cli: CliHarness) => [...cli.fileSystem.files.keys()].sort();

describe('check', () => {
  test('prints the compiled job with the inferred schema, to be pasted', async () => {
    const cli = prepared();
    const before = paths(cli);
    expect(await cli.run('check', 'job.yaml')).toBe(0);
    expect(cli.stderr.text).toBe(
      'job.yaml is valid: 1 file (74 B) to read, 2 columns inferred from a sample\n',
    );
    expect(parse(cli.stdout.text)).toMatchObject({
      source: {
        path: '/work/in',
        format: {
          schema: [
            { name: 'ts', type: expect.any(String) },
            { name: 'id', type: 'int64' },
          ],
        },
      },
    });
    // Nothing is left behind, and what was printed is a job file that says the same.
    expect(paths(cli)).toEqual(before);
    cli.fileSystem.put('/elsewhere/job.yaml', cli.stdout.text);
    const again = await readJob('/elsewhere/job.yaml', {
      fileSystem: cli.fileSystem,
      environment: {},
      parallelism: 9,
    });
    expect(again).toMatchObject({ name: 'events', statePath: '/work/state/events', parallelism: 2 });
  });

  test('--json', async () => {
    const cli = prepared();
    expect(await cli.run('check', 'job.yaml', '--json')).toBe(0);
    expect(cli.documents()).toMatchObject([
      {
        valid: true,
        files: 1,
        bytes_in: 74,
        job: { version: 1, job: 'events' },
        schema: [{ name: 'ts' }, { name: 'id' }],
      },
    ]);
  });

  test('without a file there is no schema yet', async () => {
    const cli = prepared(JOB, '');
    expect(await cli.run('check', 'job.yaml')).toBe(0);
    expect(cli.stderr.text).toContain('0 files (0 B) to read, no schema yet');
  });

  test.each([
    [
      'a column that the data does not have',
      JOB.replace('field: ts', 'field: at'),
      2,
      /line 6, column 22: event_time\.field: the schema has no column 'at' \(it has ts, id\)/,
    ],
    ['a pattern that is none', JOB.replace('yyyy-MM-dd"', 'yyyy-nn"'), 2, /JOB_INVALID/],
    [
      'a module that is not there',
      JOB.replace(/bucket: .*\n/, 'bucket: { type: custom, module: ./no.js }\n'),
      2,
      /cannot load the module \/work\/no\.js/,
    ],
    [
      'a source that is not there',
      JOB.replace('path: ./in', 'path: ./nope'),
      4,
      /NOT_FOUND the source path \/work\/nope does not exist/,
    ],
    [
      'a file in the place of the lake',
      JOB.replace('path: ./lake', 'path: ./job.yaml/lake'),
      4,
      /\/work\/job\.yaml is a file/,
    ],
  ])('finds %s', async (_, job, status, message) => {
    const cli = prepared(job);
    const before = paths(cli);
    expect(await cli.run('check', 'job.yaml')).toBe(status);
    expect(cli.stderr.text).toMatch(message);
    expect(paths(cli)).toEqual(before);
  });

  test.each(['/work/in/a.ndjson', '/work/.sluice-check'])(
    'finds what may not be touched: %s',
    async (path) => {
      const cli = prepared();
      const error = new SluiceError('ACCESS_DENIED', `cannot open ${path}`);
      cli.fileSystem.fail({ operation: 'open', path, error });
      cli.fileSystem.fail({ operation: 'createExclusive', path: new RegExp(`^${path}`), error });
      expect(await cli.run('check', 'job.yaml')).toBe(4);
      expect(cli.stderr.text).toMatch(/^error ACCESS_DENIED /);
    },
  );
});
