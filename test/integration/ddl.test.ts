/** `sluice ddl`, its statements for DuckDB run by DuckDB. Trino, Presto and Hive run theirs in test/engines. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sluice } from '../support/program.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice ddl [1]-'));
  await mkdir(path.join(folder, 'in'));
  const rows = [
    { id: 1, at: '2026-11-22T13:14:15.123Z', country: 'DE', note: 'a "b", \\c', tags: ['x'] },
    { id: 2, at: '2026-11-22T14:00:00Z', country: null, note: null, tags: null },
  ];
  await writeFile(
    path.join(folder, 'in', 'a.ndjson'),
    rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
  );
});
afterEach(() => rm(folder, { recursive: true }));

async function writeJob(format: string, columns: string, bucket: string, table = ''): Promise<string> {
  const file = path.join(folder, 'job.yaml');
  await writeFile(
    file,
    `version: 1
job: web-events
source: { path: ./in, format: { type: ndjson, schema: [${columns}] } }
event_time: { field: at }
sink:
  path: ./lake
  format: ${format}
  bucket: ${bucket}
${table === '' ? '' : `  table: { type: ${table} }\n`}`,
  );
  return file;
}

async function statements(job: string, engine: string, ...more: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await sluice(['ddl', job, '--engine', engine, '--json', ...more]);
  expect(code, stderr).toBe(0);
  return (JSON.parse(stdout) as { statements: string[] }).statements;
}

const FLAT =
  '{ name: id, type: int64 }, { name: at, type: timestamp }, { name: country, type: string }, { name: note, type: string }';
const NESTED = `${FLAT}, { name: tags, type: list<string> }`;
const BY_HOUR = "{ type: datetime, time: event, pattern: \"'dt='yyyy-MM-dd/'hour='HH\" }";

describe('sluice ddl', () => {
  for (const [format, columns] of [
    ['{ type: parquet, compression: zstd }', NESTED],
    ['{ type: ndjson, compression: gzip }', NESTED],
    ['{ type: csv, dialect: hive }', FLAT],
  ] as const) {
    it(`duckdb: a view over ${format}`, async () => {
      const job = await writeJob(format, columns, BY_HOUR);
      expect((await sluice(['backfill', job])).code).toBe(0);
      const connection = await (await DuckDBInstance.create(':memory:')).connect();
      for (const statement of await statements(job, 'duckdb', '--schema', 'lake'))
        await connection.run(statement);
      const tags = columns === NESTED ? ', tags' : '';
      const answer = await connection.runAndReadAll(
        `SELECT id, strftime("at", '%H:%M:%S.%g'), country, note, dt, hour${tags} FROM lake.web_events ORDER BY id`,
      );
      const rows = answer.getRowsJson();
      expect(rows.map((row) => row.slice(0, 6))).toEqual([
        ['1', '13:14:15.123', 'DE', 'a "b", \\c', '2026-11-22', '13'],
        ['2', '14:00:00.000', null, null, '2026-11-22', '14'],
      ]);
      if (tags !== '') expect(rows.map((row) => row[6])).toEqual([['x'], null]);
    });
  }

  for (const [format, columns] of [
    ['{ type: parquet }', NESTED],
    ['{ type: ndjson, compression: gzip }', NESTED],
    ['{ type: csv, dialect: hive }', FLAT],
  ] as const) {
    it(`duckdb: a view over the manifests of ${format}`, async () => {
      const job = await writeJob(
        format,
        columns,
        "{ type: fields, fields: [country, { dt: 'at:date' }] }",
        'manifest',
      );
      expect((await sluice(['backfill', job])).code).toBe(0);
      // What no list names is not there for the view.
      await writeFile(path.join(folder, 'lake', 'country=DE', 'part-00000000-0-0.parquet'), 'no part');
      const connection = await (await DuckDBInstance.create(':memory:')).connect();
      const [look, ...rest] = await statements(job, 'duckdb', '--schema', 'lake');
      for (const statement of [look!, ...rest]) await connection.run(statement);
      const select = 'SELECT id, country, dt FROM lake.web_events ORDER BY id';
      expect((await connection.runAndReadAll(select)).getRowsJson()).toEqual([
        ['1', 'DE', '2026-11-22'],
        ['2', null, '2026-11-22'],
      ]);
      await writeFile(
        path.join(folder, 'in', 'b.ndjson'),
        '{"id":3,"at":"2026-11-23T00:00:00Z","country":"a/b"}\n',
      );
      expect((await sluice(['backfill', job])).code).toBe(0);
      await connection.run(look!);
      expect((await connection.runAndReadAll(select)).getRowsJson()).toHaveLength(3);
    });
  }

  it('tables are named as each engine names them', async () => {
    const delta = await writeJob('{ type: parquet }', NESTED, '{ type: datetime }', 'delta');
    expect(await statements(delta, 'trino')).toEqual([
      `CALL delta.system.register_table(schema_name => 'default', table_name => 'web_events', table_location => 'file://${folder}/lake')`,
    ]);
    expect((await statements(delta, 'spark'))[0]).toContain('USING DELTA');
    expect((await statements(delta, 'athena'))[0]).toContain("'table_type' = 'DELTA'");
    expect((await statements(delta, 'presto'))[0]).toContain(`external_location = 'file://${folder}/lake'`);
    expect((await statements(delta, 'duckdb')).at(-1)).toContain(`delta_scan('${folder}/lake')`);
    const manifest = await writeJob('{ type: ndjson }', NESTED, BY_HOUR, 'manifest');
    const [hive] = await statements(manifest, 'hive');
    expect(hive).toContain(
      "STORED AS INPUTFORMAT 'org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat'\nOUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'",
    );
    expect(hive).toContain(`LOCATION 'file://${folder}/lake/_manifest'`);
    const { code, stderr } = await sluice(['ddl', manifest, '--engine', 'trino']);
    expect(code).toBe(2);
    expect(stderr).toContain('--engine hive');
  });

  it('columns that stand in the folders come last, and are text', async () => {
    const job = await writeJob(
      '{ type: parquet }',
      NESTED,
      "{ type: fields, fields: [country, { dt: 'at:date' }] }",
    );
    expect(await statements(job, 'trino')).toEqual([
      `CREATE TABLE "default"."web_events" (
  "id" bigint,
  "at" timestamp,
  "note" varchar,
  "tags" array(varchar),
  "country" varchar,
  "dt" varchar
)
WITH (
  format = 'PARQUET',
  external_location = 'file://${folder}/lake',
  partitioned_by = ARRAY['country', 'dt']
)`,
      `CALL system.sync_partition_metadata('default', 'web_events', 'FULL')`,
    ]);
    const [hive] = await statements(job, 'hive', '--location', 's3a://b/t', '--table', 't', '--schema', 'd');
    expect(hive).toContain('CREATE EXTERNAL TABLE `d`.`t`');
    expect(hive).toContain(
      "PARTITIONED BY (`country` string, `dt` string)\nSTORED AS PARQUET\nLOCATION 's3a://b/t'",
    );
    expect((await statements(job, 'spark'))[0]).toContain('USING PARQUET\nPARTITIONED BY (`country`, `dt`)');
    expect((await statements(job, 'athena'))[0]).toContain('STORED AS PARQUET');
  });

  it('what an engine cannot read is said, not declared', async () => {
    const job = await writeJob(
      '{ type: ndjson, compression: zstd }',
      `${NESTED}, { name: any, type: json }`,
      BY_HOUR,
    );
    const { stdout, stderr } = await sluice(['ddl', job, '--engine', 'presto']);
    expect(stdout).toContain('"at" varchar');
    expect(stdout).not.toContain('"any"');
    expect(stderr).toMatch(/does not read \.zst files/);
    expect(stderr).toMatch(/'any' is left out/);
  });

  it.each([
    ['folders that engines do not look into', '{ type: datetime }', [], /are no partitions/],
    ['a custom assigner', '{ type: custom, module: ./b.mjs }', [], /--partitioned-by/],
    ['an engine that there is not', BY_HOUR, ['--engine', 'oracle'], /there is no DDL for 'oracle'/],
  ])('refused: %s', async (_, bucket, more, message) => {
    const job = await writeJob('{ type: parquet }', NESTED, bucket);
    const { code, stderr } = await sluice(['ddl', job, '--engine', 'trino', ...more]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});
