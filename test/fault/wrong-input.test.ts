/**
 * What a user gets wrong, and what goes wrong around the program: each ends with its exit status, says what, on what and
 * what to do, and loses nothing. Once it is put right, the same command goes on.
 */
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OpenPart } from '../../lib/sink/sink-state.ts';
import type { Ended } from '../support/program.ts';
import { ProgramFolder } from '../support/program-folder.ts';
import { unprivileged } from '../support/unprivileged.ts';
import { until } from '../support/until.ts';

/** null: root without setpriv (util-linux), to whom nothing is denied. */
const through = unprivileged();
const denied = { through: through ?? [] };

let folder: ProgramFolder;
beforeEach(async () => {
  folder = await ProgramFolder.create();
});
afterEach(() => folder.remove());

/** Exit status, code, and no stack: an error as a user sees it. */
function expectError(ended: Ended, status: number, code: string, ...says: readonly (string | RegExp)[]) {
  expect(ended.code, ended.stderr).toBe(status);
  expect(ended.stderr).toMatch(new RegExp(`^error ${code} `, 'm'));
  for (const text of says) expect(ended.stderr).toMatch(text);
  expect(ended.stderr).toMatch(/^→ ./m);
  expect(ended.stderr).not.toMatch(/^\s+at /m);
}

describe('job files', () => {
  it('that are no YAML: 2, with line and column', async () => {
    await writeFile(folder.at('job.yaml'), 'version: 1\njob: [\n');
    for (const command of ['check', 'run', 'backfill', 'status'])
      expectError(await folder.run(command), 2, 'JOB_INVALID', /line \d+, column \d+/);
  });

  it('with an unknown key: 2, with its place and the nearest known one', async () => {
    const text = await folder.job();
    await writeFile(folder.at('job.yaml'), text.replace('parallelism:', 'paralelism:'));
    expectError(await folder.run('check'), 2, 'JOB_INVALID', /line 4.*did you mean 'parallelism'/);
  });

  it('that are not there: 2', async () => {
    expectError(await folder.run('backfill'), 2, 'USAGE', 'job.yaml does not exist');
  });
});

describe('the source', () => {
  it('is not there: 4 with its path; once the path is corrected, the same job runs', async () => {
    await folder.arrive('a.ndjson', 100, 0);
    await folder.job({ path: './inn' });
    for (const command of ['check', 'backfill', 'run'])
      expectError(await folder.run(command), 4, 'NOT_FOUND', folder.at('inn'), 'source.path');
    await folder.job();
    expect(await folder.run('backfill')).toMatchObject({ code: 0 });
    await folder.expectExactlyOnce();
  });

  it.skipIf(through === null)(
    'has a file that may not be read: 4 with its path; once it may, no row is missing',
    async () => {
      await folder.job();
      await folder.arrive('a.ndjson', 100, 0);
      await folder.arrive('b.ndjson', 100, 100);
      await chmod(folder.at('in/b.ndjson'), 0);
      expectError(await folder.run('backfill', denied), 4, 'ACCESS_DENIED', folder.at('in/b.ndjson'));
      await chmod(folder.at('in/b.ndjson'), 0o644);
      expect(await folder.run('backfill', denied)).toMatchObject({ code: 0 });
      await folder.expectExactlyOnce();
    },
  );

  it.skipIf(through === null)(
    'has a folder that may not be listed: 4, not "no files"; 4 for a running daemon too, once retries are used up',
    async () => {
      await folder.job();
      await folder.arrive('a.ndjson', 100, 0, 'in/deep');
      await chmod(folder.at('in/deep'), 0);
      expectError(await folder.run('backfill', denied), 4, 'ACCESS_DENIED', folder.at('in/deep'));
      await chmod(folder.at('in/deep'), 0o755);
      const daemon = folder.start('run', denied);
      await until('rows are visible', async () => (await visible()).length > 0);
      await chmod(folder.at('in/deep'), 0);
      expectError(await daemon.ended, 4, 'LISTING_FAILED', folder.at('in/deep'));
      await chmod(folder.at('in/deep'), 0o755);
      expect(await folder.run('backfill', denied)).toMatchObject({ code: 0 });
      await folder.expectExactlyOnce();
    },
  );

  it('holds links that lead nowhere, to themselves and up: what they do not lead to is read once', async () => {
    await folder.job();
    await folder.arrive('a.ndjson', 100, 0, 'in/deep');
    await symlink('/nowhere/at/all', folder.at('in/dangling.ndjson'));
    await symlink('self.ndjson', folder.at('in/self.ndjson'));
    await symlink('..', folder.at('in/deep/up'));
    await mkdir(folder.at('in/folder.ndjson'));
    expect(await folder.run('backfill')).toMatchObject({ code: 0 });
    await rm(folder.at('in/dangling.ndjson'));
    await rm(folder.at('in/self.ndjson'));
    await rm(folder.at('in/deep/up'));
    await rm(folder.at('in/folder.ndjson'), { recursive: true });
    await folder.expectExactlyOnce();
  });
});

const visible = () => folder.visibleParts();

describe('the lake and the state', () => {
  it('stand where a file is: 4', async () => {
    await folder.arrive('a.ndjson', 10, 0);
    await writeFile(folder.at('file'), 'mine');
    await folder.job({ sink: './file' });
    expectError(await folder.run('backfill'), 4, 'NOT_FOUND', 'a file stands where a folder is expected');
    await folder.job({ state: './file' });
    expectError(await folder.run('backfill'), 4, 'NOT_FOUND', 'a file stands where a folder is expected');
    expect(await readFile(folder.at('file'), 'utf8')).toBe('mine');
  });

  it.skipIf(through === null)(
    'may not be written: 4 with the path; once they may, the same command goes on',
    async () => {
      await folder.arrive('a.ndjson', 100, 0);
      await folder.job({ sink: './locked/lake' });
      await mkdir(folder.at('locked'), { mode: 0o555 });
      expectError(await folder.run('check', denied), 4, 'ACCESS_DENIED', folder.at('locked'));
      expectError(await folder.run('backfill', denied), 4, 'ACCESS_DENIED', folder.at('locked'));
      await chmod(folder.at('locked'), 0o755);
      expect(await folder.run('backfill', denied)).toMatchObject({ code: 0 });
      await folder.expectExactlyOnce('in', 'locked/lake');
      await folder.job({ state: './fixed/state', name: 'other' });
      await mkdir(folder.at('fixed'), { mode: 0o555 });
      expectError(await folder.run('backfill', denied), 4, 'ACCESS_DENIED', folder.at('fixed'));
    },
  );

  it('have a full disk: 4, nothing torn is visible; with room again, every row is there once', async () => {
    for (const what of ['lake', 'state'] as const) {
      await folder.remove();
      folder = await ProgramFolder.create();
      for (let file = 0; file < 8; file++) await folder.arrive(`${file}.ndjson`, 2000, file * 2000);
      await folder.job({
        format: '{ type: parquet, row_group_size: 64KiB, compression: none }',
        [what === 'lake' ? 'sink' : 'state']: `./small/${what}`,
      });
      await mkdir(folder.at('small'));
      const disk = smallDisk(folder.at('small'), what === 'lake' ? 200 : 16);
      try {
        expectError(await folder.run('backfill', disk.options), 4, 'DISK_FULL', 'nothing is lost');
        expectError(await folder.run('backfill', disk.options), 4, 'DISK_FULL');
        disk.grow();
        const ended = await folder.run('backfill');
        expect(ended.code, ended.stderr).toBe(0);
        await folder.expectExactlyOnce('in', what === 'lake' ? 'small/lake' : 'lake');
      } finally {
        disk.release();
      }
    }
  });
});

/** A tmpfs; where mounting is not allowed, a limit on the size of each file that the program writes. */
function smallDisk(at: string, kilobytes: number) {
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', at]).status === 0;
  if (!mounted) {
    const through = ['sh', '-c', 'ulimit -f 4; trap "" XFSZ; exec "$@"', 'sh'];
    return { options: { through }, grow: () => {}, release: () => {} };
  }
  return {
    options: {},
    grow: () => {
      expect(spawnSync('mount', ['-o', 'remount,size=64m', at]).status).toBe(0);
    },
    release: () => {
      spawnSync('umount', ['-l', at]);
    },
  };
}

describe('the state', () => {
  /** A daemon that published some parts and died with others open. */
  async function diedAtWork(): Promise<void> {
    await folder.job({
      format: '{ type: parquet, row_group_size: 64KiB }',
      rolling: '{ part_size: 48KiB, rollover_interval: 1h, inactivity_interval: 1h }',
    });
    for (let file = 0; file < 8; file++) await folder.arrive(`${file}.ndjson`, 2000, file * 2000);
    const daemon = folder.start('run');
    await until('most is read', async () => (await folder.readCheckpoint())?.totals.files === 8);
    // Too few to be flushed into files at a checkpoint.
    await folder.arrive('8.ndjson', 30, 16_000);
    await until('all is read, parts are visible, and others have rows in files and in segments', async () => {
      const checkpoint = await folder.readCheckpoint();
      const parts = checkpoint?.subtasks[0]?.sink.openParts ?? [];
      return (
        checkpoint?.totals.files === 9 &&
        checkpoint.totals.parts > 0 &&
        parts.some(({ file, tails }) => file !== null && tails.length > 0)
      );
    });
    daemon.child.kill('SIGKILL');
    await daemon.ended;
  }

  const damages: readonly [string, number, string, () => Promise<() => Promise<void>>][] = [
    [
      'newest checkpoint truncated',
      5,
      'STATE_CORRUPT',
      () => change(newest(), (bytes) => bytes.subarray(0, bytes.length / 2)),
    ],
    ['newest checkpoint emptied', 5, 'STATE_CORRUPT', () => change(newest(), () => Buffer.alloc(0))],
    [
      'newest checkpoint with a bit flipped',
      5,
      'STATE_CORRUPT',
      () =>
        change(newest(), (bytes) => {
          bytes[bytes.length >> 1]! ^= 4;
          return bytes;
        }),
    ],
    [
      'checkpoint of a future version',
      5,
      'STATE_VERSION',
      () =>
        change(newest(), (bytes) =>
          Buffer.from(bytes.toString().replace('sluice-checkpoint 1 ', 'sluice-checkpoint 7 ')),
        ),
    ],
    ['segment with a bit flipped', 5, 'STATE_CORRUPT', () => change(neededSegment(), flipLast)],
    ['segment truncated', 5, 'STATE_CORRUPT', () => change(neededSegment(), (bytes) => bytes.subarray(1))],
    ['segment gone', 5, 'STATE_CORRUPT', () => takeAway(neededSegment())],
    ['table of taken files altered', 5, 'STATE_CORRUPT', () => change(segment(/-discovery-/), flipLast)],
    ['table of taken files gone', 5, 'STATE_CORRUPT', () => takeAway(segment(/-discovery-/))],
    ['state folder gone, lake there', 5, 'STATE_MISSING', () => moveAway('state')],
    ['all checkpoints gone, lake there', 5, 'STATE_MISSING', () => moveAway('state/test/checkpoints')],
    ['hidden file of an open part gone', 5, 'PART_MISSING', () => takeAway(hiddenFile())],
    [
      'hidden file of an open part too short',
      5,
      'PART_MISSING',
      () => change(hiddenFile(), (bytes) => bytes.subarray(0, 1)),
    ],
    ['lake marker damaged', 5, 'STATE_CORRUPT', () => change(marker(), () => Buffer.from('{'))],
  ];

  const flipLast = (bytes: Buffer) => {
    bytes[bytes.length - 1]! ^= 1;
    return bytes;
  };
  async function change(file: Promise<string>, how: (bytes: Buffer) => Uint8Array) {
    const path = await file;
    const before = await readFile(path);
    await writeFile(path, how(Buffer.from(before)));
    return () => writeFile(path, before);
  }
  async function takeAway(file: Promise<string>) {
    const path = await file;
    const before = await readFile(path);
    await unlink(path);
    return () => writeFile(path, before);
  }
  async function moveAway(what: string) {
    await folder.move(what, 'away');
    return async () => {
      await rm(folder.at(what), { recursive: true, force: true });
      await folder.move('away', what);
    };
  }
  async function segment(pattern: RegExp): Promise<string> {
    const names = await readdir(folder.at('state/test/segments'));
    return folder.at('state/test/segments', names.sort().findLast((name) => pattern.test(name))!);
  }
  const newest = async () => (await folder.newestCheckpoint())!;
  /** An open part with rows in its hidden file and in a segment. */
  async function openPart(): Promise<OpenPart> {
    const { subtasks } = (await folder.readCheckpoint())!;
    return subtasks[0]!.sink.openParts.find(({ file, tails }) => file !== null && tails.length > 0)!;
  }
  const neededSegment = async () => folder.at('state/test/segments', (await openPart()).tails[0]!.segment);
  const hiddenFile = async () => (await openPart()).file!.hiddenPath;
  const marker = async () => folder.at('lake/.sluice-test.json');

  it('damaged in any way stops the start, changes nothing, and the job goes on once it is restored', async () => {
    await diedAtWork();
    const before = await visible();
    for (const [what, status, code, damage] of damages) {
      const restore = await damage();
      expectError(await folder.run('backfill'), status, code);
      expect(await visible(), what).toEqual(before);
      await restore();
    }
    const ended = await folder.run('backfill');
    expect(ended.code, ended.stderr).toBe(0);
    await folder.expectExactlyOnce();
  });
});

describe('the clock', () => {
  it('set back by an hour under a running daemon, and again before the next start: every row once, parts still close', async () => {
    await folder.job();
    await folder.arrive('0.ndjson', 500, 0);
    const jump = `const real = Date.now; const start = real();
      Date.now = () => real() - (real() - start > 1500 ? 3_600_000 : 0);`;
    const preload = (code: string) => ['--import', `data:text/javascript,${encodeURIComponent(code)}`];
    const daemon = folder.start('run', { nodeArgs: preload(jump) });
    await until('the first rows', async () => (await visible()).length > 0);
    const started = performance.now();
    for (let file = 1; performance.now() - started < 3000; file++) {
      await folder.arrive(`${file}.ndjson`, 50, 500 + file * 50);
      const before = (await visible()).length;
      await until('more rows are visible', async () => (await visible()).length > before);
    }
    daemon.child.kill('SIGKILL');
    await daemon.ended;
    await folder.arrive('last.ndjson', 50, 1_000_000);
    const back = 'const real = Date.now; Date.now = () => real() - 86_400_000;';
    const ended = await folder.run('backfill', { nodeArgs: preload(back) });
    expect(ended.code, ended.stderr).toBe(0);
    await folder.expectExactlyOnce();
  });
});
