/**
 * kill -9 of the real daemon with all lineage columns on, in every output format and through compaction. In the end each row is
 * there once and says truly where it stands in its file; and of every checkpoint that a dead daemon left, just as many
 * rows say that they were in it as it counts.
 */
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  GENERATED_CSV_SCHEMA,
  GENERATED_SCHEMA,
  generateRows,
  seededRandom,
  toCsv,
  toNdjson,
  writeWhole,
} from '../support/generate.ts';
import { canonical } from '../support/oracle/column-kind.ts';
import { expectNone, listLake, type Row, readTable, VisibleParts } from '../support/oracle.ts';
import { endStarted, sluice, startSluice } from '../support/program.ts';
import { until } from '../support/until.ts';

const ROUNDS = process.env.CI === 'true' ? 8 : 4;
const SEED = Number(process.env.SLUICE_SEED ?? 20261126);
const ROWS_A_ROUND = 1000;
const COMPACTION = 'compaction: { target_size: 256KiB, max_small_parts: 4, quiet: 500ms }';

interface Case {
  readonly input: 'ndjson' | 'csv';
  readonly output: string;
  readonly parallelism: number;
  /** Without `line` files are cut into pieces that several subtasks read. */
  readonly line: boolean;
  readonly compaction: boolean;
}

const CASES: readonly Case[] = [
  { input: 'ndjson', output: '{ type: parquet }', parallelism: 2, line: false, compaction: true },
  { input: 'ndjson', output: '{ type: csv }', parallelism: 2, line: true, compaction: true },
  {
    input: 'csv',
    output: '{ type: ndjson, compression: gzip }',
    parallelism: 1,
    line: true,
    compaction: true,
  },
  {
    input: 'csv',
    output: '{ type: avro, compression: deflate }',
    parallelism: 2,
    line: false,
    compaction: false,
  },
  { input: 'ndjson', output: '{ type: arrow }', parallelism: 2, line: true, compaction: false },
];

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'sluice-lineage-kill-')));
  await mkdir(path.join(folder, 'in'));
});
afterEach(async () => {
  await endStarted();
  await rm(folder, { recursive: true });
});

const jobFile = ({ input, output, parallelism, line, compaction }: Case) => `
version: 1
job: lineage
state: ./state
parallelism: ${parallelism}
memory: 4MiB
checkpoint: { interval: 100ms, retain: 2 }
source:
  path: ./in
  monitor_interval: 50ms
  split_size: 8KiB
  format: { type: ${input}, schema: ${input === 'csv' ? GENERATED_CSV_SCHEMA : GENERATED_SCHEMA} }
  lineage: [file, offset, ${line ? 'line, ' : ''}ingested_at, checkpoint]
sink:
  path: ./lake
  format: ${output}
  bucket: { type: base_path }
  rolling: { part_size: 64KiB, rollover_interval: 1s, inactivity_interval: 300ms${compaction ? ', on_checkpoint: true' : ''} }
  bucket_check_interval: 100ms
  ${compaction ? COMPACTION : ''}
`;

interface Place {
  readonly file: string;
  readonly offset: number;
  readonly line: number;
}

/** Where each record stands, as the file is written: blank lines, a header and records of several lines among them. */
class Feeder {
  readonly places = new Map<string, Place>();
  readonly #random: () => number;
  readonly #input: Case['input'];
  #files = 0;

  constructor(random: () => number, input: Case['input']) {
    this.#random = random;
    this.#input = input;
  }

  async feed(rows: number): Promise<void> {
    for (let left = rows; left > 0; ) {
      const count = Math.min(left, 1 + Math.floor(this.#random() ** 2 * 300));
      left -= count;
      await this.#write(count);
    }
  }

  async #write(count: number): Promise<void> {
    const zipped = this.#files % 4 === 1;
    const file = path.join(folder, 'in', `${this.#files++}.${this.#input}${zipped ? '.gz' : ''}`);
    const header = this.#input === 'csv' ? toCsv([]) : '';
    let text = header;
    for (const row of generateRows({ seed: SEED, rows: count, first: this.places.size })) {
      if (this.#input === 'ndjson' && this.#random() < 0.1) text += '\n';
      const place = { file, offset: Buffer.byteLength(text), line: text.split('\n').length };
      this.places.set(row.id, place);
      text += this.#input === 'csv' ? toCsv([row]).slice(header.length) : toNdjson([row]);
    }
    await writeWhole(file, zipped ? gzipSync(text) : text);
  }
}

async function lakeRows(): Promise<Row[]> {
  const lake = path.join(folder, 'lake');
  const rows: Row[] = [];
  for (const part of (await listLake(lake)).visible) rows.push(...(await readTable(path.join(lake, part))));
  return rows;
}

/** Number of the newest checkpoint, and the rows that it counts. */
async function newest(job: string): Promise<{ id: number; rows: number }> {
  const { stdout } = await sluice(['status', '--json', job]);
  const { checkpoint } = JSON.parse(stdout);
  return { id: checkpoint.id, rows: checkpoint.totals.rows };
}

const integer = (value: unknown) => Number(canonical(value, 'integer'));

describe('kill -9 of the daemon, lineage on', () => {
  for (const each of CASES) {
    const { input, output, parallelism, line, compaction } = each;
    const more = `${line ? ', line' : ''}${compaction ? ', compaction' : ''}`;
    it(`${input} to ${output}, parallelism ${parallelism}${more}: ${ROUNDS} kills`, async () => {
      const job = path.join(folder, 'job.yaml');
      await writeFile(job, jobFile(each));
      const random = seededRandom(SEED + parallelism);
      const feeder = new Feeder(random, input);
      const parts = new VisibleParts(path.join(folder, 'lake'));
      const beganAt = Date.now();
      const counted: { id: number; rows: number }[] = [];
      let merged = false;
      for (let round = 0; round < ROUNDS; round++) {
        const daemon = startSluice(['run', '--json', job]);
        const feeding = feeder.feed(ROWS_A_ROUND);
        await Promise.race([until('it works', () => daemon.stdout().includes('"checkpoint"')), daemon.ended]);
        await feeding;
        await Promise.race([delay(random() * 900), daemon.ended]);
        daemon.child.kill('SIGKILL');
        const { signal, stderr } = await daemon.ended;
        expect(signal, stderr).toBe('SIGKILL');
        // Compaction takes parts away.
        if (!compaction) expectNone(await parts.observe(), `round ${round}`);
        counted.push(await newest(job));
        const { visible } = await listLake(path.join(folder, 'lake'));
        merged ||= visible.some((name) => /-c-\d+/.test(name));
      }
      await feeder.feed(10);
      const { code, stderr } = await sluice(['backfill', job]);
      expect(code, stderr).toBe(0);
      const endedAt = Date.now();
      counted.push(await newest(job));

      const rows = await lakeRows();
      const { visible } = await listLake(path.join(folder, 'lake'));
      expect(merged || visible.some((name) => /-c-\d+/.test(name))).toBe(compaction);
      expect(rows.map(({ id }) => String(id)).sort()).toEqual([...feeder.places.keys()].sort());
      for (const row of rows) {
        const place = feeder.places.get(String(row.id))!;
        expect(row._source_file, `${row.id}`).toBe(place.file);
        expect(integer(row._source_offset), `${row.id}`).toBe(place.offset);
        if (line) expect(integer(row._source_line), `${row.id}`).toBe(place.line);
        else expect(row).not.toHaveProperty('_source_line');
        const ingestedMs = Number(canonical(row._ingested_at, 'instant').slice(0, -2)) / 1000;
        expect(ingestedMs).toBeGreaterThanOrEqual(beganAt);
        expect(ingestedMs).toBeLessThanOrEqual(endedAt);
      }
      const numbers = rows.map((row) => integer(row._checkpoint));
      for (const { id, rows: held } of counted)
        expect(numbers.filter((number) => number <= id).length, `checkpoint ${id}`).toBe(held);
      expect(counted[0]!.rows).toBeLessThan(rows.length);

      const verified = await sluice(['verify', '--deep', '--json', job]);
      expect(verified.code, verified.stdout).toBe(0);
      expect(JSON.parse(verified.stdout)).toMatchObject({
        ok: true,
        source: { records: rows.length },
        deep: { compared: true, rows: rows.length },
      });
    });
  }
});
