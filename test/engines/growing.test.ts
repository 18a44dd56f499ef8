/** Queries while a daemon writes and is killed: what a reader counts is at every moment a whole number of commits. */
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sluice, startSluice } from '../support/program.ts';
import { until } from '../support/until.ts';
import { type Engine, missingEngines, startEngine, WANTED } from './engine.ts';

const missing = missingEngines();
const KILLS = 5;

describe.skipIf(missing !== null)(
  `engines beside a daemon that is killed${missing === null ? '' : ` (skipped: ${missing})`}`,
  () => {
    const started: Engine[] = [];
    let folder: string;
    beforeAll(async () => {
      for (const name of WANTED) started.push(await startEngine(name));
    });
    beforeEach(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'sluice-engines-'));
      await mkdir(path.join(folder, 'in'));
    });
    afterEach(() => rm(folder, { recursive: true, force: true }));

    // Hive makes tables over manifests itself; how Trino and Presto come to theirs is in manifests.test.ts.
    it.each([
      { by: 'folders', names: WANTED },
      { by: 'manifests', names: WANTED.filter((name) => name === 'hive') },
    ])(
      `by $by: counts grow by whole parts through ${KILLS} kills, and end with every row`,
      async ({ by, names }) => {
        const engines = started.filter(({ name }) => names.includes(name));
        if (engines.length === 0) return;
        const lake = path.join(folder, 'lake');
        const job = path.join(folder, 'job.yaml');
        // One subtask, one bucket, a part a checkpoint: a commit is one part.
        await writeFile(
          job,
          `version: 1
job: growing
state: ./state
parallelism: 1
checkpoint: { interval: 300ms }
source:
  path: ./in
  monitor_interval: 100ms
  format: { type: ndjson, schema: [{ name: id, type: int64 }, { name: text, type: string }] }
sink:
  path: ./lake
  # Hive on a local disk asks \`ls\` for every file that it listed, and fails where a hidden one is gone by then.
  staging: ./staging
  format: { type: ndjson, dialect: hive, compression: gzip }
  bucket: { type: base_path }
  rolling: { on_checkpoint: true }
${by === 'manifests' ? '  table: { type: manifest }' : ''}
`,
        );
        await mkdir(path.join(lake, '_manifest'), { recursive: true });
        for (const engine of engines) {
          const { code, stdout, stderr } = await sluice([
            'ddl',
            job,
            '--engine',
            engine.name,
            '--table',
            'growing',
            '--json',
          ]);
          expect(code, stderr).toBe(0);
          await engine.query(
            'DROP TABLE IF EXISTS growing',
            ...(JSON.parse(stdout) as { statements: string[] }).statements,
          );
        }

        let done = false;
        let fed = 0;
        const feeding = (async () => {
          for (let file = 0; !done; file++) {
            const rows = 1 + ((file * 7919) % 500);
            const lines = Array.from(
              { length: rows },
              (_, i) => `{"id":${fed + i},"text":"row ${fed + i}"}\n`,
            );
            fed += rows;
            await writeFile(path.join(folder, `.${file}`), lines.join(''));
            await rename(path.join(folder, `.${file}`), path.join(folder, 'in', `${file}.ndjson`));
            await delay(50);
          }
        })();
        const seen = new Map<string, number[]>();
        const failed: string[] = [];
        const asking = engines.map(async ({ name, query }) => {
          const counts: number[] = [];
          seen.set(name, counts);
          // Hive has no row to say about a folder without files.
          while (!done) {
            try {
              counts.push(Number((await query('SELECT count(*) FROM growing'))[0]?.[0] ?? 0));
            } catch (error) {
              failed.push(`${name}: ${String(error)}`);
            }
          }
        });
        try {
          for (let kill = 0; kill < KILLS; kill++) {
            const before = (await partsOf(lake)).length;
            const daemon = startSluice(['run', job]);
            await until('parts come', async () => (await partsOf(lake)).length > before + 2);
            daemon.child.kill('SIGKILL');
            expect((await daemon.ended).signal).toBe('SIGKILL');
          }
        } finally {
          done = true;
          await feeding;
        }
        await Promise.all(asking);
        expect(failed).toEqual([]);
        const { code, stderr } = await sluice(['backfill', job]);
        expect(code, stderr).toBe(0);

        const possible = await sumsOfParts(lake);
        expect(possible.at(-1)).toBe(fed);
        for (const { name, query } of engines) {
          const counts = seen.get(name)!;
          expect(counts.length, name).toBeGreaterThan(2);
          expect(
            counts.filter((count, i) => i > 0 && count < counts[i - 1]!),
            `${name} never counts less`,
          ).toEqual([]);
          expect(
            counts.filter((count) => !possible.includes(count)),
            `${name} counts whole parts`,
          ).toEqual([]);
          expect(new Set(counts).size, `${name} saw it grow`).toBeGreaterThan(1);
          const [[count, distinct, sum] = []] = await query(
            'SELECT count(*), count(DISTINCT id), sum(id) FROM growing',
          );
          expect([count, distinct, sum].map(Number), name).toEqual([fed, fed, (fed * (fed - 1)) / 2]);
        }
      },
    );
  },
);

async function partsOf(lake: string): Promise<string[]> {
  return (await readdir(lake)).filter((name) => name.startsWith('part-'));
}

/** 0, the rows of the first part, of the first two, ... in the order in which they were begun. */
async function sumsOfParts(lake: string): Promise<number[]> {
  const counterOf = (name: string) => Number(/-(\d+)\.ndjson\.gz$/.exec(name)?.[1]);
  const parts = await partsOf(lake);
  const sums = [0];
  for (const part of parts.sort((a, b) => counterOf(a) - counterOf(b))) {
    const lines =
      gunzipSync(await readFile(path.join(lake, part)))
        .toString()
        .split('\n').length - 1;
    sums.push(sums.at(-1)! + lines);
  }
  return sums;
}
