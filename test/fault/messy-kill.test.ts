/**
 * kill -9 of the real daemon with everything on that deals with data nobody announced: files that grow while they are
 * read (append), fields that come up (evolve), records that do not fit (quarantine). After each kill nothing is visible twice
 * and nothing that was visible has changed; in the end every line that was written is a row of the lake, with every
 * field that it had, or a record of the quarantine, once, and verify says so.
 */
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../support/generate.ts';
import { expectNone, listLake, readTable, VisibleParts } from '../support/oracle.ts';
import { endStarted, sluice, startSluice } from '../support/program.ts';
import { readQuarantine } from '../support/quarantine.ts';
import { until } from '../support/until.ts';

const ROUNDS = process.env.CI === 'true' ? 30 : 5;
const SEED = Number(process.env.SLUICE_SEED ?? 20261126);
const FILES = 4;
const LINES_A_ROUND = 1200;
/** A field comes up every so many lines, until there are so many. */
const LINES_A_FIELD = 500;
const MAX_FIELDS = 12;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-messy-kill-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(async () => {
  await endStarted();
  await rm(folder, { recursive: true });
});

const jobFile = (format: string, parallelism: number) => `
version: 1
job: messy
state: ./state
parallelism: ${parallelism}
memory: 8MiB
checkpoint: { interval: 150ms, retain: 2 }
source:
  path: ./in
  monitor_interval: 50ms
  modified: append
  split_size: 8KiB
  format:
    type: ndjson
    schema: [{ name: id, type: int64 }, { name: n, type: int64 }]
    on_bad_record: quarantine
    on_new_field: evolve
quarantine: { path: ./quarantine, format: ${format} }
sink:
  path: ./lake
  format: ${format}
  bucket: { type: base_path }
  rolling: { part_size: 64KiB, rollover_interval: 1s, inactivity_interval: 500ms }
  bucket_check_interval: 100ms
`;

/** What became of a line, if all is well: a pure function of its number. */
const isBad = (id: number) => id % 13 === 5;
const fieldOf = (id: number): string | null => {
  const fields = Math.min(MAX_FIELDS, Math.floor(id / LINES_A_FIELD));
  return fields === 0 ? null : `f${id % fields}`;
};

function lineOf(id: number): string {
  if (isBad(id)) return id % 2 === 0 ? `{"id":${id},"n":"none"}\n` : `{"id":${id},"n":\n`;
  const field = fieldOf(id);
  return `${JSON.stringify({ id, n: id * 2, ...(field === null ? {} : { [field]: `v${id}` }) })}\n`;
}

/** Appends lines to a few files, often in the middle of one: what a logger with a buffer does. */
class Appender {
  readonly #random: () => number;
  readonly #done: Promise<void>;
  #stopped = false;
  #allowance = 0;
  #lines = 0;

  constructor(random: () => number) {
    this.#random = random;
    this.#done = this.#run();
  }

  allow(lines: number): void {
    this.#allowance += lines;
  }

  /** @returns lines written, all of them whole */
  async stop(): Promise<number> {
    this.#stopped = true;
    await this.#done;
    return this.#lines;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      if (this.#lines >= this.#allowance) {
        await delay(5);
        continue;
      }
      const count = 1 + Math.floor(this.#random() ** 2 * 80);
      const text = Array.from({ length: count }, (_, i) => lineOf(this.#lines + i)).join('');
      const file = path.join(folder, 'in', `${Math.floor(this.#random() * FILES)}.log`);
      const cut = Math.floor(this.#random() * text.length);
      await appendFile(file, text.slice(0, cut));
      await delay(this.#random() * 15);
      await appendFile(file, text.slice(cut));
      this.#lines += count;
    }
  }
}

async function lakeRows(): Promise<Map<number, Record<string, unknown>[]>> {
  const { visible } = await listLake(path.join(folder, 'lake'));
  const rows = new Map<number, Record<string, unknown>[]>();
  for (const part of visible) {
    for (const row of await readTable(path.join(folder, 'lake', part), {})) {
      const id = Number(row.id);
      rows.set(id, [...(rows.get(id) ?? []), row]);
    }
  }
  return rows;
}

async function quarantinedIds(): Promise<number[]> {
  const records = await readQuarantine(path.join(folder, 'quarantine'));
  return records.map(({ text }) => Number(/^\{"id":(\d+),/.exec(text)?.[1])).sort((a, b) => a - b);
}

describe('kill -9 of the daemon, quarantine, evolve and append together', () => {
  for (const [format, parallelism] of [
    ['{ type: parquet }', 1],
    ['{ type: ndjson }', 2],
    ['{ type: parquet }', 2],
  ] as const) {
    it(`${format}, parallelism ${parallelism}: ${ROUNDS} kills, every line once`, async () => {
      const job = path.join(folder, 'job.yaml');
      await writeFile(job, jobFile(format, parallelism));
      const random = seededRandom(SEED + parallelism);
      const appender = new Appender(random);
      const parts = new VisibleParts(path.join(folder, 'lake'));
      let atWork = 0;
      for (let round = 0; round < ROUNDS; round++) {
        appender.allow(LINES_A_ROUND);
        const daemon = startSluice(['run', '--json', job]);
        await Promise.race([
          until('it works', () => daemon.stdout().includes('"checkpoint"')).then(() => atWork++),
          daemon.ended,
        ]);
        await Promise.race([delay(random() * 900), daemon.ended]);
        daemon.child.kill('SIGKILL');
        const { signal, stderr } = await daemon.ended;
        expect(signal, stderr).toBe('SIGKILL');
        expectNone(await parts.observe(), `round ${round}`);
        const twice = [...(await lakeRows())].filter(([, rows]) => rows.length > 1).map(([id]) => id);
        expect(twice, `round ${round}`).toEqual([]);
        const kept = await quarantinedIds();
        expect(new Set(kept).size, `round ${round}`).toBe(kept.length);
        // What the dead daemon's last checkpoint says, holds.
        const verified = await sluice(['verify', '--json', job]);
        expect(verified.code, verified.stdout).toBe(0);
      }
      const written = await appender.stop();
      const { code, stderr } = await sluice(['backfill', job]);
      expect(code, stderr).toBe(0);
      expectNone(await parts.observe(), 'after the backfill');

      const ids = Array.from({ length: written }, (_, id) => id);
      const rows = await lakeRows();
      expect([...rows.keys()].sort((a, b) => a - b)).toEqual(ids.filter((id) => !isBad(id)));
      for (const [id, [row, ...more]] of rows) {
        expect(more).toEqual([]);
        const field = fieldOf(id);
        expect(Number(row?.n)).toBe(id * 2);
        if (field !== null) expect(row?.[field], `line ${id}`).toBe(`v${id}`);
      }
      expect(await quarantinedIds()).toEqual(ids.filter(isBad));

      const verified = await sluice(['verify', '--deep', '--json', job]);
      expect(verified.code, verified.stdout).toBe(0);
      expect(JSON.parse(verified.stdout)).toMatchObject({
        ok: true,
        deep: { compared: true, rows: rows.size },
        source: { files: FILES, records: written, quarantined: ids.filter(isBad).length },
        lake: { rows: rows.size, open_rows: 0 },
      });
      expect(atWork).toBeGreaterThan(ROUNDS / 2);
    });
  }
});
