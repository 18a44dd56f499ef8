/** Files that have none of the schema's columns: all their rows would be null, and what they hold lost. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sluice } from '../../support/program.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-columns-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(() => rm(folder, { recursive: true }));

const SCHEMA = '[{ name: id, type: int64 }, { name: total, type: int64 }]';

async function backfill(job: string, source: string, more: string, sink: string) {
  await writeFile(
    path.join(folder, `${job}.yaml`),
    `version: 1
job: ${job}
source:
  path: ./${source}
  format: ${more}
  after_commit: delete
sink:
  path: ./${sink}
  format: { type: parquet }
  bucket: { type: base_path }
`,
  );
  return sluice(['backfill', `${job}.yaml`], { cwd: folder });
}

it.each([
  ['another delimiter', 'id;total\n1;10\n2;20\n'],
  ['no header', '1,10\n2,20\n'],
])('CSV with %s is refused, and stays', async (_, text) => {
  await writeFile(path.join(folder, 'in', 'a.csv'), text);
  const { code, stderr } = await backfill('csv', 'in', `{ type: csv, schema: ${SCHEMA} }`, 'lake');
  expect(code).toBe(3);
  expect(stderr).toMatch(/BAD_RECORD .*a\.csv.*none of the schema's columns/s);
  expect(stderr).toMatch(/delimiter/);
  expect(await readdir(path.join(folder, 'in'))).toEqual(['a.csv']);
});

it('CSV of other columns is taken where they are rescued', async () => {
  const rescuing = `{ type: csv, on_new_field: rescue, schema: ${SCHEMA} }`;
  await writeFile(path.join(folder, 'in', 'a.csv'), 'x,y\n1,10\n');
  const { code, stderr } = await backfill('rescued', 'in', rescuing, 'lake');
  expect(code, stderr).toBe(0);
});

it.each(['parquet', 'avro', 'arrow'])('%s of other columns is refused', async (type) => {
  await writeFile(path.join(folder, 'in', 'a.ndjson'), '{"zz":1}\n{"zz":2}\n');
  await writeFile(
    path.join(folder, 'make.yaml'),
    `version: 1
job: make
source: { path: ./in, format: { type: ndjson } }
sink: { path: ./made, format: { type: ${type} }, bucket: { type: base_path } }
`,
  );
  expect((await sluice(['backfill', 'make.yaml'], { cwd: folder })).code).toBe(0);
  const { code, stderr } = await backfill('read', 'made', `{ type: ${type}, schema: ${SCHEMA} }`, 'lake');
  expect(code, stderr).toBe(3);
  expect(stderr).toMatch(/BAD_RECORD .*part-.*none of the schema's columns/s);
});
