/** The compiled code that the build leaves beside the chunks. */
import { isAscii } from 'node:buffer';
import { cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ProgramFolder } from '../support/program-folder.ts';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));
const WATCH = fileURLToPath(new URL('../support/watch-code-cache.cjs', import.meta.url));
const OF_THIS_NODE = `lib/code-cache/${process.version}-${process.platform}-${process.arch}`;
const WATCHED = { nodeArgs: ['-r', WATCH], env: { NODE_OPTIONS: '' } };

let folder: ProgramFolder;
beforeEach(async () => {
  folder = await ProgramFolder.create();
  await folder.arrive('a.ndjson', 100, 0);
  await folder.job();
});
afterEach(() => folder.remove());

/** Lines `thread chunk taken|rejected`, sorted. */
const watched = (stderr: string) =>
  stderr
    .split('\n')
    .filter((line) => /^(?:main|subtask) \S+ (?:taken|rejected)$/.test(line))
    .sort();

/** A built program of its own, whose files a test may change. */
async function copyProgram(): Promise<string> {
  const dist = folder.at('program', 'dist');
  await cp(DIST, dist, { recursive: true, preserveTimestamps: true });
  // As the package: what ends in .js is an ES module.
  await writeFile(folder.at('program', 'package.json'), '{ "type": "module" }');
  return dist;
}

test('each thread of a job takes it for all that it loads, also where the job goes on', async () => {
  for (const name of ['a.ndjson', 'b.ndjson']) {
    await folder.arrive(name, 100, 0);
    const { code, stderr } = await folder.run('backfill', { ...WATCHED, args: ['--parallelism', '2'] });
    expect(code).toBe(0);
    expect(watched(stderr)).toEqual([
      ...['buckets', 'cli', 'engine', 'job', 'subtask'].map((chunk) => `main ${chunk} taken`),
      ...['buckets', 'buckets', 'subtask', 'subtask'].map((chunk) => `subtask ${chunk} taken`),
    ]);
  }
});

test('the chunks are ASCII, of which strings are made by copying', async () => {
  const chunks = (await readdir(path.join(DIST, 'lib/chunks'))).filter((name) => name.endsWith('.cjs'));
  const files = await Promise.all(chunks.map((name) => readFile(path.join(DIST, 'lib/chunks', name))));
  expect(chunks.filter((_, index) => !isAscii(files[index]!))).toEqual([]);
  expect(chunks.length).toBeGreaterThan(5);
});

test('what every subtask loads does not load node:crypto', async () => {
  const names = await readdir(path.join(DIST, 'lib/chunks'));
  const loaded = names.filter((name) => /^(?:start|buckets|subtask)-.*\.cjs$/.test(name));
  expect(loaded).toHaveLength(3);
  for (const name of loaded)
    expect(await readFile(path.join(DIST, 'lib/chunks', name), 'utf8')).not.toContain(
      'require("node:crypto")',
    );
});

test('a Node with other flags compiles for itself', async () => {
  const nodeArgs = [...WATCHED.nodeArgs, '--max-lazy'];
  const { code, stderr } = await folder.run('backfill', { ...WATCHED, nodeArgs });
  expect(code).toBe(0);
  // One is enough to tell.
  expect(watched(stderr)).toEqual(['main engine rejected', 'subtask subtask rejected']);
  await folder.expectExactlyOnce();
});

test('so does one whose files are cut short, damaged, empty, gone or of something else', async () => {
  const dist = await copyProgram();
  const main = path.join(dist, OF_THIS_NODE, 'main');
  const files = (await readdir(main)).map((name) => path.join(main, name));
  expect(files).toHaveLength(5);
  const [cut, damaged, empty, gone, strange] = files;
  await writeFile(strange!, await readFile(cut!));
  await truncate(cut!, 1000);
  const code = await readFile(damaged!);
  await writeFile(damaged!, code.with(code.length >> 1, code[code.length >> 1]! ^ 1));
  await truncate(empty!, 0);
  await rm(gone!);
  const ended = await folder.run('backfill', { ...WATCHED, program: path.join(dist, 'lib/cli/main.cjs') });
  expect(ended.code).toBe(0);
  expect(watched(ended.stderr)).toEqual(['subtask buckets taken', 'subtask subtask taken']);
  await folder.expectExactlyOnce();
});

test('a chunk that was changed runs as it stands, also where it is as long as before', async () => {
  const dist = await copyProgram();
  const chunks = path.join(dist, 'lib/chunks');
  const name = (await readdir(chunks)).find((file) => /^job-.*\.cjs$/.test(file))!;
  const source = await readFile(path.join(chunks, name), 'utf8');
  const changed = source.replaceAll('time by stage, summed', 'TIME BY STAGE, SUMMED');
  expect(changed).not.toBe(source);
  await writeFile(path.join(chunks, name), changed);
  const { code, stderr } = await folder.run('backfill', {
    args: ['--timings'],
    program: path.join(dist, 'lib/cli/main.cjs'),
  });
  expect(code).toBe(0);
  expect(stderr).toContain('TIME BY STAGE, SUMMED');
});

test('names no folder of who built it', async () => {
  for (const thread of ['main', 'subtask']) {
    const codes = path.join(DIST, OF_THIS_NODE, thread);
    for (const name of await readdir(codes)) {
      const code = await readFile(path.join(codes, name), 'latin1');
      expect(code, name).toContain('sluice/lib/chunks/');
      expect(code.includes(path.resolve(DIST, '..')), name).toBe(false);
    }
  }
});

test('with source maps, and for coverage, the code is loaded by its own name', async () => {
  await writeFile(
    folder.at('bucket.mjs'),
    'export const createBucketAssigner = () => ({ assign: () => x });',
  );
  const job = (await folder.job()).replace(/bucket: .*/, 'bucket: { type: custom, module: ./bucket.mjs }');
  await writeFile(folder.at('job.yaml'), job);
  const nodeArgs = [...WATCHED.nodeArgs, '--enable-source-maps'];
  const { code, stderr } = await folder.run('backfill', { ...WATCHED, nodeArgs, args: ['--verbose'] });
  expect(code).not.toBe(0);
  expect(watched(stderr)).toEqual([]);
  expect(stderr).toMatch(/bucketing\/custom\.ts:\d+/);
  const coverage = { NODE_V8_COVERAGE: folder.at('coverage'), NODE_OPTIONS: '' };
  const covered = await folder.run('backfill', { ...WATCHED, env: coverage });
  expect(watched(covered.stderr)).toEqual([]);
});

test.each(['', '/dev/null/nowhere'])('a job does not fail of what only the build sets: %j', async (into) => {
  const { code, stderr } = await folder.run('backfill', { env: { SLUICE_RECORD_CODE: into } });
  expect(code, stderr).toBe(0);
  await folder.expectExactlyOnce();
});

test.each([
  ['main', 'cannot load'],
  ['subtask', 'error INTERNAL'],
] as const)(
  'a chunk that does not load in %s ends the job, whatever becomes of unhandled rejections',
  async (thread, told) => {
    const preload = folder.at('preload.cjs');
    await writeFile(
      preload,
      `if (require('node:worker_threads').isMainThread === ${thread === 'main'})
       require('node:vm').Script = class { constructor() { throw new Error('cannot load'); } };`,
    );
    const nodeArgs = ['-r', preload, '--unhandled-rejections=none'];
    const { code, stderr } = await folder.run('backfill', { nodeArgs, env: { NODE_OPTIONS: '' } });
    expect(stderr).toContain(told);
    expect(code).toBe(1);
  },
);
