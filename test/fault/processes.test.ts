/** One process a job: signals, a second process, takeover, and what may change between two runs. */
import { cp, mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProgramFolder } from '../support/program-folder.ts';
import { until } from '../support/until.ts';

let folder: ProgramFolder;
beforeEach(async () => {
  folder = await ProgramFolder.create();
});
afterEach(() => folder.remove());

/** Parts stay open: nothing is visible but at the end of an input. */
const PATIENT = '{ part_size: 1GiB, rollover_interval: 1h, inactivity_interval: 1h }';

const filesRead = async () => (await folder.readCheckpoint())?.totals.files ?? 0;
const statusOf = async () => JSON.parse((await folder.run('status', { args: ['--json'] })).stdout);

describe('signals', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`${signal}: a last checkpoint, exit 0, open parts stay resumable and nothing is lost`, async () => {
      await folder.job({ format: '{ type: parquet }', rolling: PATIENT, checkpoint: '{ interval: 1h }' });
      await folder.arrive('a.ndjson', 3000, 0);
      const daemon = folder.start('run', { args: ['--json'] });
      await until('the file is read', () => daemon.stdout().includes('"filesDone":1'));
      daemon.child.kill(signal);
      const { code, stderr, stdout } = await daemon.ended;
      expect(code, stderr).toBe(0);
      expect(JSON.parse(stdout.trimEnd().split('\n').at(-1)!)).toMatchObject({
        type: 'summary',
        rows: 3000,
        stopped: true,
      });
      expect(await folder.visibleParts()).toEqual([]);
      const { running, checkpoint } = await statusOf();
      expect(running).toBeNull();
      expect(checkpoint.openParts.length).toBeGreaterThan(0);
      expect(checkpoint.openParts.reduce((sum: number, { rows }: { rows: number }) => sum + rows, 0)).toBe(
        3000,
      );
      await folder.arrive('b.ndjson', 3000, 3000);
      expect(await folder.run('backfill')).toMatchObject({ code: 0 });
      await folder.expectExactlyOnce();
      // The parts that were open went on: one a bucket, not two.
      const buckets = new Set(
        (await folder.visibleParts()).map((part) => part.slice(0, part.lastIndexOf('/'))),
      );
      expect(await folder.visibleParts()).toHaveLength(buckets.size);
    });
  }

  it('SIGTERM while it starts, while it waits for a schema and while it reads: 0, and nothing is lost', async () => {
    await folder.job();
    for (let file = 0; file < 20; file++) await folder.arrive(`${file}.ndjson`, 1000, file * 1000);
    for (const afterMs of [0, 300, 700, 1500]) {
      const daemon = folder.start('run');
      const started = performance.now();
      await until('it is time', () => performance.now() - started >= afterMs);
      daemon.child.kill('SIGTERM');
      const { code, signal, stderr } = await daemon.ended;
      // Before the program listens for signals, node itself ends by it: as safe as a crash.
      if (signal !== 'SIGTERM') expect(code, stderr).toBe(0);
    }
    expect(await folder.run('backfill')).toMatchObject({ code: 0 });
    await folder.expectExactlyOnce();
  });
});

describe('a second process', () => {
  it('is refused while the first lives, stopped by SIGSTOP too; takes over at once after kill -9', async () => {
    await folder.job({ rolling: PATIENT });
    await folder.arrive('a.ndjson', 500, 0);
    const first = folder.start('run');
    await until('the first is at work', async () => (await filesRead()) === 1);
    for (const command of ['run', 'backfill']) {
      const refused = await folder.run(command);
      expect(refused.code).toBe(6);
      expect(refused.stderr).toMatch(
        new RegExp(`^error JOB_RUNNING process ${first.child.pid} on .* runs this job`, 'm'),
      );
    }
    first.child.kill('SIGSTOP');
    const refused = await folder.run('backfill');
    expect(refused).toMatchObject({ code: 6, stderr: expect.stringContaining('JOB_RUNNING') });
    expect((await statusOf()).running).toMatchObject({ processId: null, host: null });
    first.child.kill('SIGCONT');
    await folder.arrive('b.ndjson', 500, 500);
    await until('the first goes on', async () => (await filesRead()) === 2);
    first.child.kill('SIGKILL');
    await first.ended;
    expect(await folder.run('backfill')).toMatchObject({ code: 0 });
    await folder.expectExactlyOnce();
  });

  it('D46: of many at the same moment, one runs', async () => {
    await folder.job({ rolling: PATIENT });
    await folder.arrive('a.ndjson', 500, 0);
    const racers = Array.from({ length: 5 }, () => folder.start('run'));
    const refused = () => racers.filter(({ child }) => child.exitCode === 6).length;
    await until('all but one are refused', () => refused() === 4);
    await until('the one works', async () => (await filesRead()) === 1);
    const winner = racers.find(({ child }) => child.exitCode === null)!;
    winner.child.kill('SIGTERM');
    expect((await winner.ended).code).toBe(0);
    expect(await folder.run('backfill')).toMatchObject({ code: 0 });
    await folder.expectExactlyOnce();
  });
});

describe('between two runs', () => {
  it('parallelism may change in any way: every row once, and open parts go on or are published', async () => {
    let first = 0;
    for (const parallelism of [1, 3, 2, 4, 1]) {
      await folder.job({
        parallelism,
        rolling: PATIENT,
        source: 'split_size: 8KiB',
        format: '{ type: parquet }',
      });
      for (let file = 0; file < 4; file++) {
        await folder.arrive(`${parallelism}-${first}.ndjson`, 400, first);
        first += 400;
      }
      const files = first / 400;
      const daemon = folder.start('run');
      await until(`${files} files are read`, async () => (await filesRead()) === files);
      daemon.child.kill('SIGKILL');
      await daemon.ended;
    }
    expect(await folder.run('backfill')).toMatchObject({ code: 0 });
    const { partRows } = await folder.expectExactlyOnce();
    expect(partRows).toBe(first);
  });

  it('a job file that no longer fits is refused with what differs; other keys may change', async () => {
    const text = await folder.job();
    await folder.arrive('a.ndjson', 100, 0);
    expect(await folder.run('backfill')).toMatchObject({ code: 0 });
    await mkdir(folder.at('other'));
    const changes: readonly [string, string | RegExp, string][] = [
      ['source.path', 'path: ./in', 'path: ./other'],
      ['source.format.schema', ', {name: note, type: string}', ''],
      ['sink.path', 'path: ./lake', 'path: ./lake2'],
      ['sink.format', 'format: { type: ndjson }', 'format: { type: parquet }'],
      ['sink.format.dialect', 'format: { type: ndjson }', 'format: { type: ndjson, dialect: hive }'],
      ['sink.bucket', "/'hour='HH", ''],
    ];
    for (const [section, from, to] of changes) {
      await writeFile(folder.at('job.yaml'), text.replace(from, to));
      for (const command of ['check', 'plan', 'backfill'] as const) {
        const { code, stderr } = await folder.run(command);
        expect(code, `${command}, ${section}: ${stderr}`).toBe(2);
        expect(stderr).toContain('error JOB_MISMATCH');
        expect(stderr).toMatch(new RegExp(`${section}(: column 'note' is gone| was )`));
      }
    }
    await writeFile(
      folder.at('job.yaml'),
      text
        .replace('memory: 8MiB', 'memory: 32MiB')
        .replace('parallelism: 1', 'parallelism: 2')
        .replace('100ms, retain: 2', '1s, retain: 9'),
    );
    await folder.arrive('b.ndjson', 100, 100);
    expect(await folder.run('backfill')).toMatchObject({ code: 0 });
    await folder.expectExactlyOnce();
  });

  it('files may be removed or touched once they are read: nothing is read twice, and a change is told once', async () => {
    await folder.job();
    for (const [at, name] of ['a', 'b', 'c'].entries()) await folder.arrive(`${name}.ndjson`, 100, at * 100);
    expect(await folder.run('backfill')).toMatchObject({ code: 0 });
    await cp(folder.at('in'), folder.at('keep'), { recursive: true });
    await rm(folder.at('in/a.ndjson'));
    const later = new Date(Date.now() + 5000);
    await utimes(folder.at('in/b.ndjson'), later, later);
    const told = await folder.run('backfill');
    expect(told.code, told.stderr).toBe(0);
    expect(told.stderr).toContain(`${folder.at('in/b.ndjson')} changed after it was taken`);
    const { code, stderr, stdout } = await folder.run('backfill', { args: ['--json'] });
    expect(code, stderr).toBe(0);
    expect(stderr).not.toContain('changed');
    expect(JSON.parse(stdout)).toMatchObject({ files: 0, rows: 0, parts: 0 });
    await folder.expectExactlyOnce('keep');
  });

  it('hidden files of dead runs are removed, what is not ours is not touched', async () => {
    await folder.job({ rolling: PATIENT, format: '{ type: parquet, row_group_size: 64KiB }' });
    const daemon = folder.start('run', { env: { SLUICE_FAILPOINT: 'checkpoint.write.before:3' } });
    // There is a third checkpoint only if something is new after the second.
    let file = 0;
    await until('its third checkpoint', async () => {
      if (daemon.child.signalCode !== null || daemon.child.exitCode !== null) return true;
      await folder.arrive(`${file}.ndjson`, 200, file * 200);
      file++;
      return false;
    });
    expect((await daemon.ended).signal).toBe('SIGKILL');
    const bucket = 'lake/dt=2026-11-22/hour=00';
    await mkdir(folder.at(bucket), { recursive: true });
    const foreign = [
      '.notes',
      '_SUCCESS',
      '.part-ffffffff-0-1.parquet.inprogress.deadbeef',
      '.x.inprogress.1',
    ];
    for (const name of foreign) await writeFile(folder.at(bucket, name), 'not ours');
    expect(await folder.run('backfill')).toMatchObject({ code: 0 });
    const names = await readdir(folder.at(bucket));
    expect(names.filter((name) => /^[._]/.test(name)).sort()).toEqual([...foreign].sort());
    for (const name of foreign) await rm(folder.at(bucket, name));
    await folder.expectExactlyOnce();
  });
});
