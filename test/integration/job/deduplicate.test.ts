/** Jobs that de-duplicate: what a key is, and what such a job cannot have. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listLake, type Row, readTable } from '../../support/oracle.ts';
import { sluice } from '../../support/program.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-deduplicate-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(() => rm(folder, { recursive: true }));

const run = (...args: string[]) => sluice(args, { cwd: folder });

async function putJob(given: {
  format: string;
  step: string;
  parallelism?: number;
  more?: string;
}): Promise<void> {
  await writeFile(
    path.join(folder, 'job.yaml'),
    `version: 1
job: t
state: ./state
parallelism: ${given.parallelism ?? 1}
source:
  path: ./in
  format: ${given.format}
transform:
  - deduplicate: ${given.step}
sink:
  path: ./lake
  format: { type: ndjson }
  bucket: { type: base_path }
${given.more ?? ''}`,
  );
}

async function lake(): Promise<Row[]> {
  const rows = [];
  for (const part of (await listLake(path.join(folder, 'lake'))).visible)
    rows.push(...(await readTable(path.join(folder, 'lake', part), {})));
  return rows.sort((a, b) => Number(a.n) - Number(b.n));
}

const numbered = (values: readonly string[]) =>
  values.map((value, n) => `{"k":${value},"n":${n}}\n`).join('');

describe('deduplicate', () => {
  const kinds: [string, readonly string[], readonly number[]][] = [
    ['int64', ['1', '2', '1', 'null', 'null', '9007199254740993', '9007199254740992'], [0, 1, 3, 4, 5, 6]],
    ['float64', ['0', '-0.0', '1.5', '1.5', 'null', '2'], [0, 2, 4, 5]],
    ['decimal(10,2)', ['"1.10"', '"1.1"', '"1.11"'], [0, 2]],
    [
      'timestamp(us)',
      ['"2026-01-01T00:00:00Z"', '"2026-01-01T01:00:00+01:00"', '"2026-01-01T00:00:00.000001Z"'],
      [0, 2],
    ],
    ['boolean', ['true', 'false', 'true'], [0, 1]],
    ['string', ['"a"', '"A"', '"a"', '""', '""', '"ä"'], [0, 1, 3, 5]],
  ];
  for (const [type, values, kept] of kinds) {
    it(`${type}: equal values are one key, null is none`, async () => {
      await writeFile(path.join(folder, 'in', 'a.ndjson'), numbered(values));
      const schema = `[{ name: k, type: '${type}' }, { name: n, type: int64 }]`;
      await putJob({ format: `{ type: ndjson, schema: ${schema} }`, step: '{ key: [k] }' });
      const { code, stdout, stderr } = await run('backfill', '--json', 'job.yaml');
      expect(code, stderr).toBe(0);
      const dropped = values.length - kept.length;
      expect(JSON.parse(stdout)).toMatchObject({ rows: kept.length, filtered: dropped });
      expect((await lake()).map(({ n }) => Number(n))).toEqual(kept);
      const verified = await run('verify', '--deep', '--json', 'job.yaml');
      expect(verified.code, verified.stdout).toBe(0);
    });
  }

  it('remembers over runs and over a schema that evolves, and tells two columns apart', async () => {
    const format =
      '{ type: ndjson, on_new_field: evolve, schema: [{ name: a, type: string }, { name: b, type: string }, { name: n, type: int64 }] }';
    await putJob({ format, step: '{ key: [a, b] }' });
    await writeFile(
      path.join(folder, 'in', '1.ndjson'),
      '{"a":"x","b":"yz","n":0}\n{"a":"xy","b":"z","n":1}\n',
    );
    expect((await run('backfill', 'job.yaml')).code).toBe(0);
    await writeFile(
      path.join(folder, 'in', '2.ndjson'),
      '{"a":"x","b":"yz","n":2}\n{"a":"q","b":"q","n":3,"more":1}\n{"a":"q","b":"q","n":4}\n{"a":"xy","b":"z","n":5}\n',
    );
    const second = await run('backfill', '--json', 'job.yaml');
    expect(second.code, second.stderr).toBe(0);
    expect(JSON.parse(second.stdout)).toMatchObject({ rows: 1, filtered: 3, duplicates: 3 });
    expect((await lake()).map(({ n }) => Number(n))).toEqual([0, 1, 3]);
  });

  const refused: [string, { step?: string; parallelism?: number; more?: string }, RegExp][] = [
    ['subtasks', { parallelism: 2 }, /deduplicate.*set `parallelism: 1`/s],
    ['a quarantine', { more: 'quarantine: { path: ./quarantine }' }, /deduplicate.*leave `quarantine` out/s],
    ['a column that is not there', { step: '{ key: [user.id] }' }, /there is no column 'user\.id'/],
    ['a list as key', { step: '{ key: [l] }' }, /'l' is list<int64>, which is no key/],
    [
      'a window over the memory',
      { more: 'memory: 8MiB', step: '{ key: [k], window: { rows: 1000000 } }' },
      /more than half of `memory`/,
    ],
    [
      'a window without an end',
      { step: '{ key: [k], window: { rows: 2000000 } }' },
      /expected a whole number from 1 to 1000000/,
    ],
  ];
  for (const [what, given, message] of refused) {
    it(`${what}: refused before anything is read`, async () => {
      const format = `{ type: ndjson, schema: [{ name: k, type: string }, { name: l, type: 'list<int64>' }] }`;
      await putJob({ format, step: '{ key: [k] }', ...given });
      const { code, stderr, stdout } = await run('backfill', 'job.yaml');
      expect(code, stdout).toBe(2);
      expect(stderr).toMatch(message);
    });
  }
});
