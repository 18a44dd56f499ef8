/** Tables over parts of several schemas, and over buckets that were compacted: each engine, every row and column. */
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sluice } from '../support/program.ts';
import { type Engine, missingEngines, startEngine, WANTED } from './engine.ts';
import { EVENT_SCHEMA, type Event, events } from './events.ts';

const missing = missingEngines();
const ROWS = 800;
const TABLE = 'evolved';

type Row = Event & { readonly bonus?: string; readonly later?: number };

/** Four files: the first two without the new columns, each of the others with one more. */
const FILES: readonly (readonly Row[])[] = [0, 1, 2, 3].map((file) =>
  events(ROWS, file + 1).map((event, i) => ({
    ...event,
    id: file * ROWS + i,
    ...(file >= 2 ? { bonus: `x${i}` } : {}),
    ...(file === 3 && event.place !== null ? { later: i, place: { ...event.place, code: i } } : {}),
  })),
);
const ALL: readonly Row[] = FILES.flat();

describe.skipIf(missing !== null)(
  `engines read evolved and compacted lakes${missing === null ? '' : ` (skipped: ${missing})`}`,
  () => {
    let folder: string;
    let job: string;
    let engines: readonly Engine[] = [];

    beforeAll(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'sluice-evolved-'));
      await mkdir(path.join(folder, 'in'));
      job = path.join(folder, 'job.yaml');
      await writeFile(
        job,
        `version: 1
job: evolved
state: ./state
source:
  path: ./in
  format: { type: ndjson, on_new_field: evolve, schema: ${EVENT_SCHEMA} }
sink:
  path: ./lake
  bucket: { type: fields, fields: [country, { hour: 'ts:hour' }] }
  compaction: { target_size: 1MiB, daemon: false }
`,
      );
      for (const [file, rows] of FILES.entries()) {
        // Two runs for each file: parts to merge, of the same schema.
        for (const [half, from] of [0, ROWS / 2].entries()) {
          const text = rows
            .slice(from, from + ROWS / 2)
            .map((row) => `${JSON.stringify(row).replace(/"n":"(-?\d+)"/, '"n":$1')}\n`)
            .join('');
          await writeFile(path.join(folder, 'hidden'), text);
          await rename(path.join(folder, 'hidden'), path.join(folder, 'in', `${file}-${half}.ndjson`));
          await ok(['backfill', job]);
        }
      }
      const report: { merged_parts: number; into_parts: number } = JSON.parse(
        await ok(['compact', job, '--json']),
      );
      expect(report.into_parts).toBeGreaterThan(20);
      expect(report.merged_parts).toBeGreaterThan(report.into_parts * 2 - 1);
      await ok(['verify', job]);
      const started: Engine[] = [];
      for (const name of WANTED) started.push(await startEngine(name));
      engines = started;
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    async function ok(args: readonly string[]): Promise<string> {
      const { code, stdout, stderr } = await sluice(args);
      expect(code, `${stdout}${stderr}`).toBe(0);
      return stdout;
    }

    for (const name of WANTED) {
      it(`${name}: nulls where a part is older than a column, values where it is not`, async () => {
        const engine = engines.find((candidate) => candidate.name === name)!;
        const { statements }: { statements: string[] } = JSON.parse(
          await ok(['ddl', job, '--engine', name, '--table', TABLE, '--json']),
        );
        await engine.query(`DROP TABLE IF EXISTS ${TABLE}`, ...statements);
        const session = name === 'presto' ? ['SET SESSION hive.parquet_use_column_names = true'] : [];
        const rows = await engine.query(
          ...session,
          `SELECT id, note, bonus, later, place.name, place.code, hour FROM ${TABLE}`,
        );
        expect(rows.length).toBe(ALL.length);
        const found = rows.sort((a, b) => Number(a[0]) - Number(b[0]));
        expect(found).toEqual(
          ALL.map(({ id, note, bonus, later, place, ts }) => [
            String(id),
            note,
            bonus ?? null,
            later === undefined ? null : String(later),
            place?.name ?? null,
            place !== null && 'code' in place ? String(place.code) : null,
            ts.slice(11, 13),
          ]),
        );
        const [[count, extras] = []] = await engine.query(
          ...session,
          `SELECT count(*), count(bonus) FROM ${TABLE} WHERE hour = '01'`,
        );
        const wanted = ALL.filter(({ ts }) => ts.slice(11, 13) === '01');
        expect([Number(count), Number(extras)]).toEqual([
          wanted.length,
          wanted.filter(({ bonus }) => bonus !== undefined).length,
        ]);
      });
    }

    it('has merged parts, and old and new ones beside them', async () => {
      const parts = (await readdir(path.join(folder, 'lake'), { recursive: true })).filter((file) =>
        file.endsWith('.parquet'),
      );
      expect(parts.filter((file) => /-c-\d+\.parquet$/.test(file)).length).toBeGreaterThan(20);
    });
  },
);
