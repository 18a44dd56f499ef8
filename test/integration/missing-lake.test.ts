/** The lake or the state of a job is not there: a disk that is not mounted looks just like that. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listLake } from '../support/oracle.ts';
import { endStarted, sluice, startSluice } from '../support/program.ts';
import { until } from '../support/until.ts';

let folder: string;
const at = (...names: string[]) => path.join(folder, ...names);
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "sluice isn't there-"));
  await mkdir(at('in'));
  await writeFile(
    at('job.yaml'),
    `version: 1
job: lost
source: { path: ./in, monitor_interval: 100ms, format: { type: ndjson, schema: [{ name: id, type: int64 }] } }
state: ./state
checkpoint: { interval: 100ms }
sink:
  path: ./lake
  format: { type: ndjson }
  bucket: { type: base_path }
  rolling: { inactivity_interval: 100ms }
  bucket_check_interval: 100ms
`,
  );
  await feed(1);
  expect((await run('backfill')).code).toBe(0);
});
afterEach(async () => {
  await endStarted();
  await rm(folder, { recursive: true });
});

const run = (command: string, ...more: string[]) => sluice([command, 'job.yaml', ...more], { cwd: folder });
const feed = (id: number) => writeFile(at('in', `${id}.ndjson`), `{"id":${id}}\n`);
const parts = async () => (await listLake(at('lake'))).visible.length;

describe('a lake that is not there', () => {
  it('stops the start, and nothing of it is made; once it is back the job goes on', async () => {
    await rename(at('lake'), at('away'));
    await feed(2);
    for (const put of [async () => {}, () => mkdir(at('lake'))]) {
      await put();
      const { code, stderr } = await run('backfill');
      expect(code).toBe(4);
      expect(stderr).toContain('LAKE_MISSING');
    }
    expect(await readdir(at('lake'))).toEqual([]);
    await rm(at('lake'), { recursive: true });
    await rename(at('away'), at('lake'));
    expect((await run('backfill')).code).toBe(0);
    expect(await parts()).toBe(2);
  });

  it.each([
    ['removed', async () => {}],
    ['unmounted: an empty folder is in its place', () => mkdir(at('lake'))],
  ])('ends a daemon under which it goes away (%s), and nothing gets lost', async (_, leave) => {
    const daemon = startSluice(['run', 'job.yaml'], { cwd: folder });
    await until('it runs', async () => /going on/.test(daemon.stderr()));
    await rename(at('lake'), at('away'));
    await leave();
    await feed(2);
    const { code, stderr } = await daemon.ended;
    expect(code, stderr).toBe(4);
    expect(stderr).toContain('LAKE_MISSING');
    expect((await run('backfill')).code).toBe(4);
    await rm(at('lake'), { recursive: true, force: true });
    await rename(at('away'), at('lake'));
    expect((await run('backfill')).code).toBe(0);
    expect((await run('verify')).code).toBe(0);
    expect(await parts()).toBe(2);
  });

  it('counts on no part in a folder that is not the lake, be it an open one', async () => {
    const job = await readFile(at('job.yaml'), 'utf8');
    await writeFile(at('job.yaml'), job.replace('inactivity_interval: 100ms', 'inactivity_interval: 1h'));
    const daemon = startSluice(['run', 'job.yaml'], { cwd: folder });
    await until('it runs', async () => /going on/.test(daemon.stderr()));
    await rename(at('lake'), at('away'));
    await mkdir(at('lake'));
    // More than waits in memory.
    const lines = Array.from({ length: 300_000 }, (_, id) => `{"id":${id}}\n`);
    await writeFile(at('in', 'large.ndjson'), lines.join(''));
    expect((await daemon.ended).stderr).toContain('LAKE_MISSING');
    await rm(at('lake'), { recursive: true });
    await rename(at('away'), at('lake'));
    expect((await run('backfill')).code).toBe(0);
    expect((await run('verify')).code).toBe(0);
  });

  it('may be begun anew on purpose, as the hint says', async () => {
    await rm(at('lake'), { recursive: true });
    await feed(2);
    const { stderr } = await run('backfill');
    const [, command = ''] = /make its marker again: (.*)/.exec(stderr) ?? [];
    await writeFile(at('hint.sh'), command);
    await promisify(execFile)('sh', [at('hint.sh')]);
    const again = await run('backfill');
    expect(again.code, again.stderr).toBe(0);
    expect(await parts()).toBe(1);
  });

  it('that has parts and no marker gets one', async () => {
    await rm(at('lake', '.sluice-lost.json'));
    await feed(2);
    expect((await run('backfill')).code).toBe(0);
    expect(await readdir(at('lake'))).toContain('.sluice-lost.json');
  });
});

describe('state that is not there', () => {
  it.each(['status', 'plan', 'verify', 'gc', 'backfill'])('%s says so', async (command) => {
    await rm(at('state'), { recursive: true });
    const { code, stderr } = await run(command);
    expect(code).toBe(5);
    expect(stderr).toContain('STATE_MISSING');
    expect(await parts()).toBe(1);
  });
});
