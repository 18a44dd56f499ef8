/** Tables over `_manifest`: what each engine reads of them, while merged parts and those they replaced lie side by side. */
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sluice } from '../support/program.ts';
import { type Engine, type EngineName, missingEngines, startEngine, stopEngine, WANTED } from './engine.ts';
import { EVENT_SCHEMA, type Event, events } from './events.ts';

const missing = missingEngines();
const ROWS = 400;
const RUNS = 3;
const ALL: readonly Event[] = events(ROWS * RUNS);
const FORMATS = {
  by_columns: '{ type: parquet, compression: snappy }',
  by_lines: '{ type: ndjson, compression: gzip, dialect: hive }',
} as const;
type Table = keyof typeof FORMATS;
/** Trino and Presto know such tables from a metastore only. */
const SYMLINK_FORMATS = {
  inputFormat: 'org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat',
  outputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
};

describe.skipIf(missing !== null)(
  `engines read manifests${missing === null ? '' : ` (skipped: ${missing})`}`,
  () => {
    let folder: string;
    let hive: Engine | null = null;
    beforeAll(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'sluice-manifests-'));
      await mkdir(path.join(folder, 'in'));
      for (const [table, format] of Object.entries(FORMATS))
        await writeFile(
          path.join(folder, `${table}.yaml`),
          `version: 1
job: ${table.replaceAll('_', '-')}
state: ./state
source: { path: ./in, format: { type: ndjson, schema: ${EVENT_SCHEMA} } }
sink:
  path: ./${table}
  format: ${format}
  bucket: { type: fields, fields: [country, { hour: 'ts:hour' }] }
  compaction: { target_size: 1MiB, daemon: false, keep_replaced: 1h }
  table: { type: manifest }
`,
        );
      for (let run = 0; run < RUNS; run++) {
        const rows = ALL.slice(run * ROWS, (run + 1) * ROWS);
        const text = rows.map((row) => `${JSON.stringify(row).replace(/"n":"(-?\d+)"/, '"n":$1')}\n`);
        await writeFile(path.join(folder, 'hidden'), text.join(''));
        await rename(path.join(folder, 'hidden'), path.join(folder, 'in', `${run}.ndjson`));
        for (const table of Object.keys(FORMATS)) await ok('backfill', jobOf(table));
      }
      for (const table of Object.keys(FORMATS)) {
        await ok('compact', jobOf(table));
        await ok('verify', jobOf(table));
      }
      // Hive's metastore has the tables: of Hive, and of whoever shares it.
      if (WANTED.includes('hive')) hive = await startEngine('hive');
      for (const table of Object.keys(FORMATS))
        await hive?.query(`DROP TABLE IF EXISTS ${table}`, ...(await ddl(jobOf(table), 'hive', table)));
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    const jobOf = (table: string) => path.join(folder, `${table}.yaml`);

    async function ok(...args: string[]): Promise<string> {
      const { code, stdout, stderr } = await sluice(args);
      expect(code, `${stdout}${stderr}`).toBe(0);
      return stdout;
    }

    async function ddl(job: string, name: EngineName, table: string, ...more: string[]): Promise<string[]> {
      const text = await ok('ddl', job, '--engine', name, '--table', table, '--json', ...more);
      return (JSON.parse(text) as { statements: string[] }).statements;
    }

    async function expectEveryRow(engine: Pick<Engine, 'name' | 'query'>, table: Table): Promise<void> {
      const found = await engine.query(`SELECT id, n, note, place.name, country, hour FROM ${table}`);
      // In Hive the folder's name is the value.
      const none = engine.name === 'hive' ? '__HIVE_DEFAULT_PARTITION__' : null;
      expect(found.sort((a, b) => Number(a[0]) - Number(b[0]))).toEqual(
        ALL.map(({ id, n, note, place, country, ts }) => [
          ...[String(id), n, note, place?.name ?? null],
          ...[country === null || country === '' ? none : country, ts.slice(11, 13)],
        ]),
      );
      const [[count] = []] = await engine.query(
        `SELECT count(*) FROM ${table} WHERE country = 'a/b=c' AND hour = '01'`,
      );
      const wanted = ALL.filter(({ country, ts }) => country === 'a/b=c' && ts.slice(11, 13) === '01');
      expect(Number(count)).toBe(wanted.length);
    }

    it('replaced parts are in the folders and not in the lists', async () => {
      for (const table of Object.keys(FORMATS)) {
        const files = await readdir(path.join(folder, table), { recursive: true });
        const parts = files.filter((file) => path.basename(file).startsWith('part-'));
        const lists = files.filter((file) => path.basename(file).startsWith('manifest-'));
        let listed = 0;
        for (const list of lists)
          listed += (await readFile(path.join(folder, table, list), 'utf8')).trimEnd().split('\n').length;
        expect(listed).toBeGreaterThan(20);
        expect(parts.length).toBeGreaterThan(2 * listed);
      }
    });

    it.runIf(WANTED.includes('hive'))('hive: text formats, every row once', async () => {
      await expectEveryRow(hive!, 'by_lines');
    });

    it.runIf(WANTED.includes('hive'))('hive: Parquet is taken for text, as sluice ddl warns', async () => {
      const rows = await hive!.query('SELECT id FROM by_columns');
      expect(rows.filter(([id]) => id !== null)).toEqual([]);
    });

    it.runIf(WANTED.includes('hive') && WANTED.includes('trino'))(
      "trino: by Hive's metastore, every row once, Parquet and text",
      async () => {
        // One that runs already has a metastore of its own.
        await stopEngine('trino');
        const trino = await startEngine('trino', { HIVE_METASTORE_URL: hive!.variables.HIVE_METASTORE_URL! });
        try {
          await expectEveryRow(trino, 'by_columns');
          await expectEveryRow(trino, 'by_lines');
        } finally {
          await stopEngine('trino');
        }
      },
    );

    // Presto 0.287 cannot ask Hive 4's metastore; its own keeps files, and a table's format is changed in these.
    it.runIf(WANTED.includes('presto'))('presto: every row once, Parquet and text', async () => {
      const presto = await startEngine('presto');
      for (const table of ['by_columns', 'by_lines'] as const) {
        const plain = path.join(folder, 'plain.yaml');
        const text = await readFile(jobOf(table), 'utf8');
        await writeFile(plain, text.replace(/^ {2}table: .*\n/m, ''));
        const location = `file://${path.join(folder, table, '_manifest')}`;
        await presto.query(
          `DROP TABLE IF EXISTS ${table}`,
          ...(await ddl(plain, 'presto', table, '--location', location)),
        );
        await setFormats(table);
        await expectEveryRow(
          {
            name: 'presto',
            query: (...sql) => presto.query('SET SESSION hive.parquet_use_column_names = true', ...sql),
          },
          table,
        );
      }
    });
  },
);

/** Rewrites what Presto's metastore of files says of a table and its partitions. */
async function setFormats(table: string): Promise<void> {
  const engines = process.env.SLUICE_ENGINES ?? path.join(homedir(), '.cache/sluice-engines');
  const homes = (await readdir(engines)).filter((name) => /^presto-[\d.]+$/.test(name)).sort();
  const metastore = path.join(engines, homes.at(-1)!, 'run/metastore/default', table);
  for (const name of await readdir(metastore, { recursive: true })) {
    if (path.basename(name) !== '.prestoSchema') continue;
    const file = path.join(metastore, name);
    const schema: { storageFormat: object } = JSON.parse(await readFile(file, 'utf8'));
    const storageFormat = { ...schema.storageFormat, ...SYMLINK_FORMATS };
    await writeFile(file, JSON.stringify({ ...schema, storageFormat }));
    // Its checksum.
    await rm(path.join(path.dirname(file), '..prestoSchema.crc'), { force: true });
  }
}
