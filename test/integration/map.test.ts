/** `map` in a job as a user runs it: what arrives, what verify says, what is wrong with a module. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CheckpointStore } from '../../lib/commit/checkpoint-store.ts';
import { localFileSystem } from '../../lib/storage/local/local-file-system.ts';
import { listLake, type Row, readTable } from '../support/oracle.ts';
import { sluice, startSluice } from '../support/program.ts';
import { until } from '../support/until.ts';

const ROUNDS = process.env.CI === 'true' ? 8 : 3;
const FILES = 40;
const ROWS_A_FILE = 500;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-map-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(() => rm(folder, { recursive: true }));

const MASK = `
export function createMapFunction({ keep }) {
  return ({ id, mail, price }) => {
    if (price === null) return null;
    const [name, domain] = mail.split('@');
    return { id, domain, name: name.slice(0, keep) + '***', cents: Math.round(price * 100) };
  };
}
`;
const COLUMNS = `columns:
          - { name: id, type: int64 }
          - { name: domain, type: string }
          - { name: name, type: string }
          - { name: cents, type: int32 }`;

const jobFile = ({ columns = COLUMNS, bucket = '{ type: fields, fields: [domain] }', limits = '' } = {}) => `
version: 1
job: mask
state: ./state
parallelism: 2
checkpoint: { interval: 50ms, retain: 2 }
source:
  path: ./in
  monitor_interval: 100ms
  format: { type: ndjson, schema: [{ name: id, type: int64 }, { name: mail, type: string }, { name: price, type: float64 }] }
  ${limits}
transform:
  - filter: id != 7
  - map:
      module: ./mask.mjs
      options: { keep: 2 }
      ${columns}
sink:
  path: ./lake
  format: { type: parquet }
  bucket: ${bucket}
`;

const line = (id: number) => {
  const price = id % 10 === 3 ? null : id / 4;
  return JSON.stringify({ id, mail: `user${id}@host${id % 3}.example`, price });
};
const masked = (id: number): Row => ({ id, domain: `host${id % 3}.example`, name: 'us***', cents: id * 25 });

async function writeInput(): Promise<void> {
  for (let file = 0; file < FILES; file++) {
    const ids = Array.from({ length: ROWS_A_FILE }, (_, i) => file * ROWS_A_FILE + i);
    await writeFile(path.join(folder, 'in', `${file}.ndjson`), `${ids.map(line).join('\n')}\n`);
  }
}

async function write(module: string, job: string): Promise<void> {
  await writeFile(path.join(folder, 'mask.mjs'), module);
  await writeFile(path.join(folder, 'job.yaml'), job);
}

const run = (...args: string[]) => sluice(args, { cwd: folder });

it('writes the rows that the function gives, once each, however often the job is killed; verify runs it again', async () => {
  await writeInput();
  await write(MASK, jobFile({ limits: 'limits: { files_per_checkpoint: 2 }' }));
  const store = new CheckpointStore(localFileSystem('0000'), path.join(folder, 'state', 'mask'));
  const rows = async () => (await store.load())?.totals.rows ?? 0;
  for (let round = 0; round < ROUNDS; round++) {
    const before = await rows();
    const daemon = startSluice(['run', 'job.yaml'], { cwd: folder });
    await until('a checkpoint has new rows', async () => (await rows()) > before);
    daemon.child.kill('SIGKILL');
    await daemon.ended;
  }
  const { code, stdout, stderr } = await run('backfill', '--json', 'job.yaml');
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout).rows, 'the kills came before the end').toBeGreaterThan(0);
  const found: Row[] = [];
  for (const part of (await listLake(path.join(folder, 'lake'))).visible) {
    const domain = /domain=([^/]+)/.exec(part)![1]!;
    for (const row of await readTable(path.join(folder, 'lake', part), {})) found.push({ ...row, domain });
  }
  const ids = Array.from({ length: FILES * ROWS_A_FILE }, (_, id) => id);
  const kept = ids.filter((id) => id !== 7 && id % 10 !== 3);
  expect(found.map((row) => ({ ...row, id: Number(row.id) })).sort((a, b) => a.id - b.id)).toEqual(
    kept.map(masked),
  );
  const verified = await run('verify', '--deep', '--json', 'job.yaml');
  expect(verified.code, verified.stdout).toBe(0);
  expect(JSON.parse(verified.stdout)).toMatchObject({
    source: { records: ids.length, rows: kept.length, filtered: ids.length - kept.length },
    deep: { compared: true },
  });
});

it('a function that answers otherwise than before is found by verify --deep', async () => {
  await writeFile(path.join(folder, 'in', 'a.ndjson'), `${[0, 1, 2].map(line).join('\n')}\n`);
  await write(MASK, jobFile());
  expect((await run('backfill', 'job.yaml')).code).toBe(0);
  await write(MASK.replace('* 100', '* 1000'), jobFile());
  const { code, stdout } = await run('verify', '--deep', '--json', 'job.yaml');
  expect(code).toBe(3);
  expect(stdout).toContain('content_differs');
});

it('is given a field that comes later, whatever its own columns are called', async () => {
  const own =
    'export const createMapFunction = () => ({ id, domain }) => ({ id, domain: domain ?? "none" });';
  const columns = 'columns: [{ name: id, type: int64 }, { name: domain, type: string }]';
  await write(own, jobFile({ columns }).replace('schema: [{', 'on_new_field: evolve, schema: [{'));
  for (const [file, more] of ['{"id":1}', '{"id":2,"domain":"late.example"}'].entries()) {
    await writeFile(path.join(folder, 'in', `${file}.ndjson`), `${more}\n`);
    const { code, stderr } = await run('backfill', 'job.yaml');
    expect(code, stderr).toBe(0);
  }
  expect(
    (await listLake(path.join(folder, 'lake'))).visible.map((part) => path.dirname(part)).sort(),
  ).toEqual(['domain=late.example', 'domain=none']);
});

it('shows its columns and its buckets before it runs', async () => {
  await writeFile(path.join(folder, 'in', 'a.ndjson'), `${[0, 1, 2].map(line).join('\n')}\n`);
  await write(MASK, jobFile());
  const { code, stdout, stderr } = await run('plan', '--explain', '--json', 'job.yaml');
  expect(code, stderr).toBe(0);
  expect(stdout).toContain('domain=host2.example');
  const printed = await run('check', '--json', 'job.yaml');
  expect(printed.stdout).toContain('mask.mjs');
});

const NO_BUCKETS = { columns: '', bucket: '{ type: base_path }' };
const ONLY_ID = { columns: 'columns: [{ name: id, type: int64 }]' };
const wrong: [
  what: string,
  module: string | null,
  options: Parameters<typeof jobFile>[0],
  exit: number,
  message: string,
][] = [
  ['is not there', null, {}, 2, 'cannot load the module'],
  [
    'gives a column that the step does not name',
    MASK,
    NO_BUCKETS,
    2,
    "gave a column 'domain' that the step does not have",
  ],
  ['fails on a row', MASK.replace('split', 'splat'), {}, 3, 'failed on a row of'],
  ['lacks the column of a bucket', MASK, ONLY_ID, 2, "'domain'"],
];
it.each(wrong)(
  'a module that %s ends the job with its reason and nothing written',
  async (_what, module, options, exit, message) => {
    await writeFile(path.join(folder, 'in', 'a.ndjson'), `${[0, 1, 2].map(line).join('\n')}\n`);
    await write(module ?? '', jobFile(options));
    if (module === null) await rm(path.join(folder, 'mask.mjs'));
    const { code, stderr } = await run('backfill', 'job.yaml');
    expect(stderr).toContain(message);
    expect(code).toBe(exit);
    expect((await listLake(path.join(folder, 'lake'))).visible).toEqual([]);
  },
);
