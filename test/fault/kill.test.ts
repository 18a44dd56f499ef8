/**
 * kill -9 of the real daemon, at random moments, while files arrive. After each kill, what is visible has no row twice
 * and nothing that was visible has changed; in the end every row is there once, and no hidden file is left.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  GENERATED_COLUMNS,
  GENERATED_SCHEMA,
  generateRows,
  hourBucket,
  seededRandom,
  writeRows,
} from '../support/generate.ts';
import { expectExactlyOnce, expectNone, judge, type Row, VisibleParts } from '../support/oracle.ts';
import { endStarted, sluice, startSluice } from '../support/program.ts';
import { until } from '../support/until.ts';

/** Fewer on a developer's machine. */
const ROUNDS = process.env.CI === 'true' ? 50 : 6;
const SEED = Number(process.env.SLUICE_SEED ?? 20261123);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-kill-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(async () => {
  await endStarted();
  await rm(folder, { recursive: true });
});

/** A filter, and which rows it leaves out. Rows of NDJSON that stay are copied as they are. */
const FILTER = 'country in ["DE", "FR"] || n == null || n > 0';
const isLeftOut = ({ country, n }: Row) =>
  country !== 'DE' && country !== 'FR' && n !== null && !(Number(n) > 0);

function jobFile(format: string, parallelism: number, filters: boolean): string {
  return `
version: 1
job: kill
state: ./state
parallelism: ${parallelism}
memory: 4MiB
checkpoint: { interval: 200ms, retain: 2 }
source:
  path: ./in
  monitor_interval: 100ms
  split_size: 8KiB
  format: { type: ndjson, schema: ${GENERATED_SCHEMA} }
event_time: { field: ts }
${filters ? `transform: [{ filter: '${FILTER}' }]` : ''}
sink:
  path: ./lake
  format: ${format}
  bucket: { type: datetime, time: event, pattern: "'dt='yyyy-MM-dd/'hour='HH" }
  rolling: { part_size: 64KiB, rollover_interval: 1s, inactivity_interval: 500ms }
  bucket_check_interval: 100ms
`;
}

/** Rows that arrive in a round, about: what a round has to judge grows with all before it. */
const ROWS_A_ROUND = 1500;
/** Of four deaths, one comes while the program starts. */
const EARLY_SHARE = 0.25;

/** Puts files into the input folder, whole, as long as it has rows to give. */
class Feeder {
  readonly #random: () => number;
  readonly #done: Promise<void>;
  #stopped = false;
  #allowance = 0;
  #rows = 0;

  constructor(random: () => number) {
    this.#random = random;
    this.#done = this.#run();
  }

  allow(rows: number): void {
    this.#allowance += rows;
  }

  /** @returns the rows that arrived */
  async stop(): Promise<number> {
    this.#stopped = true;
    await this.#done;
    return this.#rows;
  }

  async #run(): Promise<void> {
    for (let file = 0; !this.#stopped; file++) {
      while (this.#rows >= this.#allowance && !this.#stopped) await delay(5);
      const rows = 1 + Math.floor(this.#random() ** 3 * 300);
      const ending = file % 5 === 0 ? 'ndjson.gz' : 'ndjson';
      await writeRows(
        path.join(folder, 'in', `${file}.${ending}`),
        generateRows({ seed: SEED, rows, first: this.#rows }),
      );
      this.#rows += rows;
      await delay(this.#random() * 40);
    }
  }
}

describe('kill -9 of the daemon', () => {
  for (const format of ['{ type: parquet, row_group_size: 64KiB }', '{ type: ndjson, compression: gzip }']) {
    for (const [parallelism, filters] of [
      [1, false],
      [2, false],
      [2, true],
    ] as const) {
      const what = `${format}, parallelism ${parallelism}${filters ? ', a filter' : ''}`;
      it(`D45: ${what}: ${ROUNDS} kills, every row once`, async () => {
        const job = path.join(folder, 'job.yaml');
        await writeFile(job, jobFile(format, parallelism, filters));
        const random = seededRandom(SEED + parallelism);
        const feeder = new Feeder(random);
        const lake = {
          inputs: [path.join(folder, 'in')],
          lake: path.join(folder, 'lake'),
          columns: GENERATED_COLUMNS,
          bucketOf: hourBucket,
          isSkipped: (row: Row) => filters && isLeftOut(row),
        };
        const parts = new VisibleParts(lake.lake);
        let atWork = 0;
        for (let round = 0; round < ROUNDS; round++) {
          feeder.allow(ROWS_A_ROUND);
          const daemon = startSluice(['run', '--json', job]);
          if (random() < EARLY_SHARE) await Promise.race([delay(random() * 500), daemon.ended]);
          else {
            await Promise.race([
              until('it works', () => daemon.stdout().includes('"checkpoint"')),
              daemon.ended,
            ]);
            atWork++;
            await Promise.race([delay(random() * 700), daemon.ended]);
          }
          daemon.child.kill('SIGKILL');
          const { signal, stderr } = await daemon.ended;
          expect(signal, stderr).toBe('SIGKILL');
          expectNone(await parts.observe(), `round ${round}`);
          const { violations } = await judge({ ...lake, mode: 'ids' });
          // Rows are still on their way, and the dead daemon's hidden files are the next one's to deal with.
          const wrong = violations.filter(({ kind }) => kind !== 'lost row' && kind !== 'stray hidden file');
          expectNone(wrong, `round ${round}`);
        }
        const arrived = await feeder.stop();
        const { code, stderr } = await sluice(['backfill', job]);
        expect(code, stderr).toBe(0);
        expectNone(await parts.observe(), 'after the backfill');
        const { partRows } = await expectExactlyOnce(lake);
        if (filters) expect(partRows).toBeLessThan(arrived);
        else expect(partRows).toBe(arrived);
        const verified = await sluice(['verify', '--json', job]);
        expect(verified.code, verified.stdout).toBe(0);
        expect(JSON.parse(verified.stdout)).toMatchObject({
          source: { records: arrived, rows: partRows, filtered: arrived - partRows },
          lake: { rows: partRows },
        });
        expect(atWork).toBeGreaterThan(ROUNDS / 3);
      });
    }
  }
});
