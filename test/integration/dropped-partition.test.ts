/** A partition is dropped while a part of it is open: that is no loss once somebody says so. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { endStarted, sluice, startSluice } from '../support/program.ts';
import { until } from '../support/until.ts';

let folder: string;
const at = (...names: string[]) => path.join(folder, ...names);
const run = (...args: string[]) => sluice(args, { cwd: folder });

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-dropped-'));
  await mkdir(at('in'));
  await writeFile(
    at('job.yaml'),
    `version: 1
job: drop
checkpoint: { interval: 100ms }
source:
  path: ./in
  monitor_interval: 100ms
  format: { type: ndjson, schema: [{ name: id, type: int64 }, { name: d, type: string }, { name: text, type: string }] }
sink:
  path: ./lake
  format: { type: ndjson }
  bucket: { type: fields, fields: [d] }
  rolling: { rollover_interval: 1h, inactivity_interval: 1h }
`,
  );
  // Enough that bytes of both parts are in their hidden files.
  const text = 'x'.repeat(1000);
  const lines = Array.from(
    { length: 4000 },
    (_, id) => `{"id":${id},"d":"${id % 2 ? 'old' : 'new'}","text":"${text}"}\n`,
  );
  await writeFile(at('in', 'a.ndjson'), lines.join(''));
  const daemon = startSluice(['run', 'job.yaml'], { cwd: folder });
  await until('a checkpoint has all rows, in two open parts', async () => {
    const { stdout } = await run('status', 'job.yaml', '--json');
    return /"rows":2000\b.*"rows":2000\b/.test(stdout);
  });
  daemon.child.kill('SIGTERM');
  expect(await daemon.ended).toMatchObject({ code: 0 });
});
afterEach(async () => {
  await endStarted();
  await rm(folder, { recursive: true });
});

it('stops a start with what to do, which goes on without the part then', async () => {
  await rm(at('lake', 'd=old'), { recursive: true });
  const refused = await run('backfill', 'job.yaml');
  expect(refused).toMatchObject({ code: 5 });
  expect(refused.stderr).toContain('error PART_MISSING');
  expect(refused.stderr).toContain("--accept-missing '<folder below the lake>'");
  expect(await run('backfill', 'job.yaml', '--accept-missing', 'd=new')).toMatchObject({ code: 5 });

  const accepted = await run('backfill', 'job.yaml', '--accept-missing', 'd=old');
  expect(accepted.code, accepted.stderr).toBe(0);
  expect(accepted.stderr).toContain('dropped: d=old, with open parts: 1 (rows: 2000), promised parts: 0');
  expect(await readdir(at('lake'))).toContain('d=new');

  // Once is enough, and the rows stay accounted for.
  expect(await run('backfill', 'job.yaml')).toMatchObject({ code: 0 });
  expect(await run('verify', 'job.yaml')).toMatchObject({ code: 3 });
  expect(await run('verify', 'job.yaml', '--accept-missing', 'd=old')).toMatchObject({ code: 0 });
});

it('does not take a part for dropped whose folder is there', async () => {
  const old = at('lake', 'd=old');
  for (const name of await readdir(old)) await rm(path.join(old, name));
  expect(await run('backfill', 'job.yaml', '--accept-missing', 'd=old')).toMatchObject({ code: 5 });
});
