/** Real data (vega-datasets): Seattle's weather, from CSV into Parquet by kind of weather. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sluice } from '../support/program.ts';
import { missingEngines, startEngine, WANTED } from './engine.ts';

const missing = missingEngines();
const DATA = path.join(path.dirname(createRequire(import.meta.url).resolve('vega-datasets')), '../data');

describe.skipIf(missing !== null)(`real data${missing === null ? '' : ` (skipped: ${missing})`}`, () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sluice-engines-'));
    await mkdir(path.join(folder, 'in'));
    await cp(path.join(DATA, 'seattle-weather.csv'), path.join(folder, 'in', 'weather.csv'));
    const job = `version: 1
job: weather
source:
  path: ./in
  format: { type: csv, schema: [{ name: date, type: date }, { name: precipitation, type: float64 }, { name: temp_max, type: float64 }, { name: temp_min, type: float64 }, { name: wind, type: float64 }, { name: weather, type: string }] }
sink: { path: ./lake, bucket: { type: fields, fields: [weather] } }
`;
    await writeFile(path.join(folder, 'job.yaml'), job);
    const { code, stderr } = await sluice(['backfill', path.join(folder, 'job.yaml')]);
    expect(code, stderr).toBe(0);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  for (const name of WANTED) {
    it(`${name}: the statements of \`sluice ddl\` find the partitions that are there; sums are those of the CSV`, async () => {
      const engine = await startEngine(name);
      const made = await sluice(['ddl', path.join(folder, 'job.yaml'), '--engine', name, '--json']);
      expect(made.code, made.stderr).toBe(0);
      const { statements } = JSON.parse(made.stdout) as { statements: string[] };
      await engine.query('DROP TABLE IF EXISTS weather', ...statements);
      const rows = await engine.query(
        'SELECT weather, count(*), sum(precipitation), max(temp_max), min(temp_min) FROM weather WHERE wind > 2 GROUP BY weather',
      );
      const found = rows.map(([kind, count, ...sums]) => [
        kind,
        Number(count),
        ...sums.map((sum) => Math.round(Number(sum) * 10)),
      ]);
      const lines = (await readFile(path.join(DATA, 'seattle-weather.csv'), 'utf8'))
        .trimEnd()
        .split(/\r?\n/)
        .slice(1);
      const kinds = new Map<string, [number, number, number, number]>();
      for (const line of lines) {
        const [, precipitation, max, min, wind, kind] = line.split(',');
        if (Number(wind) <= 2) continue;
        const before = kinds.get(kind!) ?? [0, 0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
        kinds.set(kind!, [
          before[0] + 1,
          before[1] + Number(precipitation),
          Math.max(before[2], Number(max)),
          Math.min(before[3], Number(min)),
        ]);
      }
      const expected = [...kinds].map(([kind, [count, ...sums]]) => [
        kind,
        count,
        ...sums.map((sum) => Math.round(sum * 10)),
      ]);
      expect(expected.length).toBe(5);
      expect(found.sort()).toEqual(expected.sort());
    });
  }
});
