import { beforeEach, describe, expect, test } from 'vitest';
import { encodeCheckpoint } from '../../../lib/commit/checkpoint.ts';
import { jobFingerprint } from '../../../lib/commit/fingerprint.ts';
import { readJobFile } from '../../../lib/config/read-job.ts';
import type { UnfinishedUpload } from '../../../lib/storage/file-system.ts';
import { committable, TEST_JOB_ID as JOB_ID, openPart, testCheckpoint } from '../../support/checkpoints.ts';
import { CliHarness, JOB } from '../cli/cli-harness.ts';

const RUN = 'dead0001';
const hidden = (counter: number) => `/work/lake/b/.part-${JOB_ID}-0-${counter}.parquet.inprogress.${RUN}`;
const SEGMENT = `7-0-${RUN}.segment`;

let cli: CliHarness;
beforeEach(async () => {
  cli = new CliHarness();
  const { fileSystem } = cli;
  fileSystem.put('/work/job.yaml', JOB.replace('version: 1', 'version: 1\ncheckpoint: { retain: 2 }'));
  const { job } = await readJobFile('/work/job.yaml', { fileSystem, environment: {}, parallelism: 1 });
  for (const id of [5, 6, 7]) {
    const checkpoint = testCheckpoint(id, {
      fingerprint: jobFingerprint(job),
      subtasks: [{ splits: [], sink: { nextCounter: 9, openParts: [openPart(hidden(1), [SEGMENT])] } }],
      committables: [committable(hidden(2))],
    });
    fileSystem.put(`/work/state/events/checkpoints/000000000${id}.checkpoint`, encodeCheckpoint(checkpoint));
  }
  fileSystem.put(`/work/state/events/segments/${SEGMENT}`, 'rows');
  fileSystem.put(`/work/state/events/segments/4-0-${RUN}.segment`, 'old');
  fileSystem.put(
    '/work/lake/.sluice-events.json',
    JSON.stringify({ version: 1, job: 'events', jobId: JOB_ID }),
  );
  for (const counter of [1, 2, 3]) fileSystem.put(hidden(counter), 'x'.repeat(100));
  fileSystem.put(`/work/lake/b/part-${JOB_ID}-0-0.parquet`, 'finished');
  fileSystem.put('/work/lake/b/_SUCCESS', '');
  fileSystem.put('/work/lake/b/.part-ffffffff-0-0.parquet.inprogress.00000001', 'of another job');
});

const paths = () => [...cli.fileSystem.files.keys()].sort();

describe('sluice gc', () => {
  test('removes what is old and nobody needs, and says of the rest why it stays', async () => {
    cli.clock.advance(86_400_000);
    const before = paths();
    expect(await cli.run('gc', 'job.yaml', '--json')).toBe(0);
    const [report] = cli.documents() as [{ files: { path: string; verdict: string; outcome: string }[] }];
    expect(report).toMatchObject({ job: 'events', running: null, checkpoint: 7, orphans: 3, removed: 3 });
    const gone = [
      hidden(3),
      '/work/state/events/checkpoints/0000000005.checkpoint',
      `/work/state/events/segments/4-0-${RUN}.segment`,
    ];
    expect(paths()).toEqual(before.filter((path) => !gone.includes(path)));
    expect(
      Object.fromEntries(report.files.map(({ path, verdict }) => [path.split('/').pop(), verdict])),
    ).toEqual({
      '.part-ffffffff-0-0.parquet.inprogress.00000001': 'not ours',
      '.sluice-events.json': 'kept',
      _SUCCESS: 'not ours',
      [hidden(1).split('/').pop()!]: 'resumable',
      [hidden(2).split('/').pop()!]: 'promised',
      [hidden(3).split('/').pop()!]: 'orphan',
      '0000000005.checkpoint': 'orphan',
      '0000000006.checkpoint': 'resumable',
      '0000000007.checkpoint': 'resumable',
      [SEGMENT]: 'resumable',
      [`4-0-${RUN}.segment`]: 'orphan',
    });
  });

  test('a dry run removes nothing, and says it in words', async () => {
    const before = paths();
    expect(await cli.run('gc', 'job.yaml', '--dry-run', '--min-age', '0')).toBe(0);
    expect(paths()).toEqual(before);
    expect(cli.stderr.text).toMatch(/dead0001 is over, and no retained checkpoint names it +would remove\n/);
    expect(cli.stderr.text).toMatch(/promised by checkpoint 7\n/);
    expect(cli.stderr.text).toMatch(/events: 3 orphans would be removed \([\d.]+ [KM]?B\), 8 files kept\n$/);
    expect(cli.stdout.text).toBe('');
  });

  test('young orphans stay', async () => {
    const before = paths();
    cli.clock.advance(86_399_000);
    expect(await cli.run('gc', 'job.yaml')).toBe(0);
    expect(paths()).toEqual(before);
    expect(cli.stderr.text).toMatch(/0 orphans removed \(0 B\), 3 orphans younger than --min-age/);
    expect(await cli.run('gc', 'job.yaml', '--min-age', '23h')).toBe(0);
    expect(paths()).toHaveLength(before.length - 3);
  });

  test('uploads, where the storage has them: of the lake and of the quarantine', async () => {
    const source = await cli.fileSystem.readFile('/work/job.yaml');
    cli.fileSystem.put('/work/job.yaml', `${Buffer.from(source!)}quarantine: { path: ./refused }\n`);
    const upload = (path: string): UnfinishedUpload => ({
      ...{ path, uploadId: `of ${path}` },
      ...{ startedMs: 0, sizeBytes: 10 },
    });
    const uploads = [
      upload(`/work/lake/b/part-${JOB_ID}-0-4.parquet`),
      upload(`/work/refused/quarantine-${JOB_ID}-0-4.ndjson`),
    ];
    const aborted: string[] = [];
    Object.assign(cli.fileSystem, {
      unfinishedUploads: {
        list: async function* (folder: string) {
          yield uploads.filter(({ path }) => path.startsWith(`${folder}/`));
        },
        abort: async (_path: string, uploadId: string) => aborted.push(uploadId) > 0,
      },
    });
    expect(await cli.run('gc', 'job.yaml')).toBe(0);
    expect(aborted).toEqual(uploads.map(({ uploadId }) => uploadId));
  });

  test.each([
    [
      'state that cannot be read',
      5,
      /STATE_CORRUPT/,
      () => cli.fileSystem.put('/work/state/events/checkpoints/0000000008.checkpoint', 'torn'),
    ],
    ['state that is gone', 5, /STATE_MISSING/, () => cli.fileSystem.replaceFolder('/work/state/events')],
    [
      'a job file that no longer fits',
      2,
      /JOB_MISMATCH/,
      () => cli.fileSystem.put('/work/job.yaml', JOB.replace('./in', './elsewhere')),
    ],
    [
      'a folder that cannot be listed',
      4,
      /STORAGE_FAILED/,
      () => cli.fileSystem.fail({ operation: 'list', path: '/work/lake' }),
    ],
  ])('%s: nothing is removed', async (_, status, message, arrange) => {
    arrange();
    const before = paths();
    expect(await cli.run('gc', 'job.yaml', '--min-age', '0')).toBe(status);
    expect(cli.stderr.text).toMatch(message);
    expect(paths()).toEqual(before);
  });

  test('an age that is none is a usage error', async () => {
    expect(await cli.run('gc', 'job.yaml', '--min-age', 'soon')).toBe(2);
    expect(cli.stderr.text).toMatch(/Expected a duration/);
  });

  test('checkpoints that are retired while they are read are looked for again', async () => {
    const { fileSystem } = cli;
    const move = (from: number, to: number) => {
      const { id: _, ...rest } = testCheckpoint(to);
      fileSystem.files.delete(`/work/state/events/checkpoints/000000000${from}.checkpoint`);
      fileSystem.put(
        `/work/state/events/checkpoints/000000000${to}.checkpoint`,
        encodeCheckpoint({ id: to, ...rest }),
      );
    };
    fileSystem.fail({
      operation: 'readFile',
      path: /0000000005\.checkpoint$/,
      action: () => {
        move(5, 8);
        move(6, 9);
        fileSystem.files.delete('/work/state/events/checkpoints/0000000007.checkpoint');
      },
    });
    expect(await cli.run('status', 'job.yaml', '--json')).toBe(0);
    expect(cli.documents()).toMatchObject([{ checkpoint: { id: 9 } }]);
  });
});
