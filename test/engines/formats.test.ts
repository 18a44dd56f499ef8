/** Rows through a job into tables of real engines, partitions known by the commit policies, and read back by SELECT. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sluice } from '../support/program.ts';
import { type Engine, type EngineName, missingEngines, startEngine, WANTED } from './engine.ts';
import { EVENT_SCHEMA, type Event, events, FLAT_SCHEMA, writeEvents } from './events.ts';

const missing = missingEngines();
const ROWS = 3000;

interface Case {
  readonly table: string;
  readonly format: string;
  /** Every column is text, null is '', no line ends. */
  readonly csv?: boolean;
}

const CASES: readonly Case[] = [
  { table: 'parquet_snappy', format: '{ type: parquet, compression: snappy, row_group_size: 64KiB }' },
  { table: 'parquet_zstd', format: '{ type: parquet, compression: zstd }' },
  { table: 'ndjson_gz', format: '{ type: ndjson, dialect: hive, compression: gzip }' },
  { table: 'csv_gz', format: '{ type: csv, dialect: hive, compression: gzip }', csv: true },
];

/** Session settings that reading takes; docs/engines.md says why. */
const SESSION: Readonly<Record<EngineName, readonly string[]>> = {
  trino: [],
  presto: ['SET SESSION hive.parquet_use_column_names = true'],
  hive: [],
};

describe.skipIf(missing !== null)(
  `engines read what a job writes${missing === null ? '' : ` (skipped: ${missing})`}`,
  () => {
    let folder: string;
    let engines: readonly Engine[] = [];
    const input = events(ROWS);

    beforeAll(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'sluice-engines-'));
      // One after the other: each takes both cores of a small machine to start.
      const started: Engine[] = [];
      for (const name of WANTED) started.push(await startEngine(name));
      engines = started;
      await writeEvents(path.join(folder, 'nested'), input, false);
      await writeEvents(path.join(folder, 'flat'), input, true);
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    function policies(table: string): string {
      const url = (name: EngineName, variable: string) =>
        engines.find((each) => each.name === name)?.variables[variable];
      const lines = [
        '{ type: success_file }',
        ...[url('hive', 'HIVE_METASTORE_URL')].flatMap((at) =>
          at === undefined ? [] : `{ type: metastore, url: '${at}', table: ${table}, timeout: 2m }`,
        ),
        ...[url('trino', 'TRINO_URL')].flatMap((at) =>
          at === undefined ? [] : `{ type: trino, url: '${at}', table: ${table}, timeout: 2m }`,
        ),
        ...[url('presto', 'PRESTO_URL')].flatMap((at) =>
          at === undefined ? [] : `{ type: presto, url: '${at}', table: ${table}, timeout: 2m }`,
        ),
      ];
      return lines.map((line) => `      - ${line}`).join('\n');
    }

    async function writeJob({ table, format, csv = false }: Case): Promise<string> {
      const file = path.join(folder, `${table}.yaml`);
      await writeFile(
        file,
        `version: 1
job: ${table.replaceAll('_', '-')}
state: ./state
source:
  path: ./${csv ? 'flat' : 'nested'}
  format: { type: ndjson, schema: ${csv ? FLAT_SCHEMA : EVENT_SCHEMA} }
event_time: { field: ts }
sink:
  path: ./lake/${table}
  format: ${format}
  bucket: { type: fields, fields: [country, { dt: 'ts:date' }, { hour: 'ts:hour' }] }
  partition_commit:
    policies:
${policies(table)}
`,
      );
      return file;
    }

    for (const each of CASES) {
      describe(each.table, () => {
        let job: string;
        beforeAll(async () => {
          job = await writeJob(each);
          for (const engine of engines) {
            const { code, stdout, stderr } = await sluice([
              'ddl',
              job,
              '--engine',
              engine.name,
              '--table',
              each.table,
              '--json',
            ]);
            expect(code, stderr).toBe(0);
            const [create] = (JSON.parse(stdout) as { statements: string[] }).statements;
            await engine.query(`DROP TABLE IF EXISTS ${each.table}`, create!);
            expect(await engine.query(`SELECT id FROM ${each.table}`)).toEqual([]);
          }
          const { code, stderr } = await sluice(['backfill', job]);
          expect(code, stderr).toBe(0);
        });

        for (const name of WANTED) {
          it(`${name}: every row with every value`, async () => {
            const engine = engines.find((candidate) => candidate.name === name)!;
            const columns = each.csv
              ? 'id, ts, n, price, ok, note'
              : 'id, ts, n, price, ok, note, tags, place.lat, place.name';
            const rows = await engine.query(
              ...SESSION[name],
              `SELECT ${columns}, country, dt, hour FROM ${each.table}`,
            );
            const found = rows.map((row) => actual(row, each, name)).sort(byId);
            expect(found.length).toBe(ROWS);
            expect(found).toEqual(input.map((event) => expected(event, each)));
          });

          it(`${name}: counts by partition, filters and sums`, async () => {
            const engine = engines.find((candidate) => candidate.name === name)!;
            const counts = await engine.query(
              `SELECT country, hour, count(*) FROM ${each.table} WHERE dt = '2026-11-22' GROUP BY country, hour`,
            );
            const byPartition = new Map<string, number>();
            for (const { country, ts } of input) {
              const key = `${country === '' ? null : country}|${ts.slice(11, 13)}`;
              byPartition.set(key, (byPartition.get(key) ?? 0) + 1);
            }
            expect(
              new Map(counts.map(([country, hour, count]) => [`${nullOf(country)}|${hour}`, Number(count)])),
            ).toEqual(byPartition);
            const wanted = input.filter(
              (event) => event.country === 'a/b=c' && event.ts.slice(11, 13) >= '01',
            );
            const sum = each.csv ? 'sum(cast(id AS bigint))' : 'sum(id)';
            expect(
              await engine.query(
                `SELECT count(*), ${sum} FROM ${each.table} WHERE country = 'a/b=c' AND hour >= '01'`,
              ),
            ).toEqual([[String(wanted.length), String(wanted.reduce((total, { id }) => total + id, 0))]]);
          });
        }
      });
    }
  },
);

type Comparable = readonly (string | number | boolean | null)[];

const byId = (a: Comparable, b: Comparable) => Number(a[0]) - Number(b[0]);
/** Hive has no null among partition values. */
const nullOf = (value: string | null | undefined) =>
  value === '__HIVE_DEFAULT_PARTITION__' ? null : (value ?? null);

function expected(event: Event, { csv = false }: Case): Comparable {
  const { id, ts, n, price, ok, note, tags, place } = event;
  const partitions = [event.country === '' ? null : event.country, ts.slice(0, 10), ts.slice(11, 13)];
  if (csv) {
    // A line end inside of a value is a blank in the dialect; null cannot be told from ''.
    const text = (note ?? '').replace(/[\r\n]/g, ' ');
    return [id, Date.parse(ts), n ?? '', price, ok, text, ...partitions];
  }
  const list = tags === null ? null : JSON.stringify(tags);
  return [
    id,
    Date.parse(ts),
    n,
    price,
    ok,
    note,
    list,
    place?.lat ?? null,
    place?.name ?? null,
    ...partitions,
  ];
}

function actual(row: readonly (string | null)[], { csv = false }: Case, engine: EngineName): Comparable {
  const [id, ts, n, price, ok, note] = row;
  const number = (text: string | null | undefined) =>
    text === null || text === undefined || text === '' ? null : Number(text);
  const flag = ok === 'true' ? true : ok === 'false' ? false : null;
  const head = [
    Number(id),
    Date.parse(`${ts?.replace(' ', 'T')}Z`),
    n ?? null,
    number(price),
    flag,
    note ?? null,
  ];
  const partitions = row.slice(-3).map((value, i) => (i === 0 && engine === 'hive' ? nullOf(value) : value));
  if (csv) return [...head, ...partitions];
  const [, , , , , , tags, lat, name] = row;
  return [
    ...head,
    tags === null ? null : JSON.stringify(JSON.parse(tags ?? 'null')),
    number(lat),
    name ?? null,
    ...partitions,
  ];
}
