/** Commands that could not do what they were asked for do not end with 0. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sluice } from '../support/program.ts';

let folder: string;
const run = (...args: string[]) => sluice(args, { cwd: folder });
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-commands-'));
  await mkdir(path.join(folder, 'in'));
  await writeFile(
    path.join(folder, 'job.yaml'),
    `version: 1
job: commands
source: { path: ./in, format: { type: ndjson, schema: [{ name: id, type: int64 }] } }
sink:
  path: ./lake
  format: { type: parquet }
  bucket: { type: base_path }
  compaction: { target_size: 1MiB, daemon: false }
`,
  );
  for (const id of [1, 2, 3]) {
    await writeFile(path.join(folder, 'in', `${id}.ndjson`), `{"id":${id}}\n`);
    expect((await run('backfill', 'job.yaml')).code).toBe(0);
  }
});
afterEach(() => rm(folder, { recursive: true }));

it.skipIf(!existsSync('/dev/full'))('output that the disk does not take', async () => {
  const through = ['sh', '-c', 'exec "$@" > /dev/full', 'sh'];
  const { code, stderr } = await sluice(['verify', 'job.yaml', '--json'], { cwd: folder, through });
  expect(code).toBe(4);
  expect(stderr).toContain('the output could not be written');
});

it.skipIf(process.platform === 'win32')('a job file that the disk does not take', async () => {
  const before = await readFile(path.join(folder, 'job.yaml'), 'utf8');
  const names = await readdir(folder);
  const through = ['sh', '-c', 'ulimit -f 0; trap "" XFSZ; exec "$@"', 'sh'];
  const { code, stderr } = await sluice(['init', 'in', '--force'], { cwd: folder, through });
  expect(code).toBe(4);
  expect(stderr).toMatch(/^error DISK_FULL cannot write .*job\.yaml/);
  expect(await readFile(path.join(folder, 'job.yaml'), 'utf8')).toBe(before);
  expect(await readdir(folder)).toEqual(names);
});

it('a job file where a folder stands', async () => {
  await mkdir(path.join(folder, 'there.yaml'));
  const names = await readdir(folder);
  const { code, stderr } = await run('init', 'in', '--force', '-o', 'there.yaml');
  expect(code).toBe(4);
  expect(stderr).toContain('there.yaml');
  expect(await readdir(folder)).toEqual(names);
});

it('parts that cannot be merged', async () => {
  const names = (await readdir(path.join(folder, 'lake'))).filter((name) => name.startsWith('part-'));
  await writeFile(path.join(folder, 'lake', names[0]!), 'no Parquet at all, but long enough for a footer');
  const { code, stderr } = await run('compact', 'job.yaml');
  expect(code).toBe(3);
  expect(stderr).toMatch(/warning .* is not as this job left it, and is not merged: .*error INPUT_CORRUPT/s);
});

it.skipIf(process.platform === 'win32')('a name of a file is no line, and moves no cursor', async () => {
  const name = 'in/\u001b[31m\nerror FAKE: all is lost.ndjson';
  await writeFile(path.join(folder, name), '{"id":4}\n');
  for (const { stderr } of [await run('inspect', name), await run('plan', 'job.yaml')]) {
    expect(stderr).toContain('\\u001b[31m\\nerror FAKE');
    expect(stderr).not.toMatch(/^error FAKE/m);
  }
});

it('an object store whose region is not known is not asked again and again', async () => {
  const job = await readFile(path.join(folder, 'job.yaml'), 'utf8');
  await writeFile(path.join(folder, 's3.yaml'), job.replace('path: ./in', 'path: s3://bucket/in'));
  const env = { AWS_REGION: '', AWS_DEFAULT_REGION: '', AWS_CONFIG_FILE: path.join(folder, 'none') };
  const { code, stderr } = await sluice(['check', 's3.yaml'], { cwd: folder, env });
  expect(code).toBe(4);
  expect(stderr).toMatch(
    /^error STORAGE_FAILED cannot list s3:\/\/bucket\/in: Region not accepted: .*\n.*s3\.region/,
  );
});
