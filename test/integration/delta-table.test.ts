/** A job's Delta table has the columns that are written, and takes in no column that would keep the job from starting. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readDeltaLog } from '../support/delta-log.ts';
import { readTable } from '../support/oracle.ts';
import { sluice } from '../support/program.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-delta-job-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(() => rm(folder, { recursive: true }));

const SCHEMA = '[{ name: a, type: string }, { name: k, type: int64 }]';

async function backfill(more: string, format = `{ type: ndjson, schema: ${SCHEMA} }`, source = '') {
  await writeFile(
    path.join(folder, 'job.yaml'),
    `version: 1
job: delta
state: ./state
source:
  path: ./in
  format: ${format}
${source}
${more}
sink:
  path: ./lake
  format: { type: parquet }
  bucket: { type: base_path }
  table: { type: delta }
`,
  );
  return sluice(['backfill', 'job.yaml', '--json'], { cwd: folder });
}

const feed = (name: string, lines: string) => writeFile(path.join(folder, 'in', name), lines);

/** Names of the table's columns, and of those in its files. */
async function columns(): Promise<{ table: string[]; files: string[] }> {
  const lake = path.join(folder, 'lake');
  const { columns: table, files } = await readDeltaLog(lake);
  const rows = await Promise.all([...files.keys()].map((file) => readTable(path.join(lake, file), {})));
  return { table: table.map(({ name }) => name), files: [...new Set(rows.flat().flatMap(Object.keys))] };
}

it.each([
  ['steps', 'transform: [{ rename: { a: b } }, { constant: { site: berlin } }, { cast: { k: string } }]', ''],
  ['lineage', '', '  lineage: [file]'],
])('%s: the table has the columns of its files', async (_, transform, lineage) => {
  await feed('1.ndjson', '{"a":"x","k":1}\n');
  const first = await backfill(transform, undefined, lineage);
  expect(first.code, first.stderr).toBe(0);
  await feed('2.ndjson', '{"a":"y","k":2}\n');
  expect((await backfill(transform, undefined, lineage)).code).toBe(0);
  const { table, files } = await columns();
  expect(table).toEqual(files);
  expect(table.length).toBeGreaterThan(2);
});

it('a new field that the table cannot have stops the job before it is in a checkpoint', async () => {
  const evolving = '{ type: ndjson, on_new_field: evolve }';
  await feed('1.ndjson', '{"a":1}\n');
  expect((await backfill('', evolving)).code).toBe(0);
  await feed('2.ndjson', '{"a":2,"A":3}\n');
  for (let start = 0; start < 2; start++) {
    const refused = await backfill('', evolving);
    expect(refused.code).toBe(4);
    expect(`${refused.stdout}${refused.stderr}`).toContain('TABLE_UNSUITABLE');
  }
  const ignoring = await backfill('', '{ type: ndjson, on_new_field: ignore }');
  expect(ignoring.code, ignoring.stderr).toBe(0);
  expect(await columns()).toEqual({ table: ['a'], files: ['a'] });
  expect((await sluice(['verify', 'job.yaml'], { cwd: folder })).code).toBe(0);
});
