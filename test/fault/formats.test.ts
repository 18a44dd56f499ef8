/**
 * Every format that is read or written, through crashes: at steps of the protocol within the process, and by kill -9 of
 * the real daemon. In the end each row is in one visible part, value for value, as avsc, apache-arrow and hyparquet read
 * them.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CompiledJob } from '../../lib/core/compiled-job.ts';
import { setFailpointHook } from '../../lib/core/failpoint.ts';
import type { InputFormatSpec, OutputFormatSpec } from '../../lib/core/specs.ts';
import { crashAt } from '../support/crash.ts';
import { encodeRows, type RowFileType } from '../support/encode-rows.ts';
import {
  GENERATED_COLUMNS,
  generateRows,
  hourBucket,
  seededRandom,
  writeWhole,
} from '../support/generate.ts';
import { runInline } from '../support/inline-job.ts';
import { NO_LIMITS, ndjsonOutput, parquetOutput, rollingBySizeAndTime, testJob } from '../support/job.ts';
import { expectExactlyOnce, expectNone, judge, type Row, VisibleParts } from '../support/oracle.ts';
import { sluice, startSluice } from '../support/program.ts';

const ROUNDS = process.env.CI === 'true' ? 20 : 3;
const SEED = Number(process.env.SLUICE_SEED ?? 20261125);
const FILES = 3;
const ROWS_PER_FILE = 700;
/** From source to sink; each format is on both sides once where it has both. */
const ROUTES: readonly { readonly from: RowFileType; readonly to: OutputFormatSpec }[] = [
  { from: 'parquet', to: { type: 'avro', compression: 'deflate', level: null } },
  { from: 'avro', to: { type: 'arrow', compression: 'none' } },
  { from: 'arrow', to: parquetOutput },
  { from: 'json', to: ndjsonOutput },
];
/** Steps at which a position, a part's own state or a segment is at stake; failpoints.test.ts has them all. */
const FAILPOINTS = [
  'checkpoint.write.after',
  'commit.link.after',
  'part.persist.after',
  'part.write.after',
  'segment.written',
  'sink.snapshot.after',
  'subtask.batch.after',
];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-formats-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(async () => {
  setFailpointHook(null);
  await rm(folder, { recursive: true });
});

async function addFile(type: RowFileType, name: string, first: number, rows: number): Promise<void> {
  await writeWhole(
    path.join(folder, 'in', `${name}.${type}`),
    await encodeRows(type, generateRows({ seed: SEED, rows, first })),
  );
}

/** Times are text in JSON and microseconds everywhere else. */
function isoOf(ts: unknown): string {
  return typeof ts === 'bigint' ? new Date(Number(ts / 1000n)).toISOString() : String(ts);
}

const lake = () => ({
  inputs: [path.join(folder, 'in')],
  lake: path.join(folder, 'lake'),
  columns: GENERATED_COLUMNS,
  bucketOf: (row: Row) => hourBucket({ ...row, ts: isoOf(row.ts) }),
});

function jobOf(from: RowFileType, to: OutputFormatSpec, parallelism: number, roomy: boolean): CompiledJob {
  const format: InputFormatSpec = { type: from, compression: 'none' };
  return testJob(folder, {
    parallelism,
    checkpoint: { intervalMs: 1, retain: 2 },
    memoryBytes: roomy ? 64 * 1024 * 1024 : 256 * 1024,
    // A checkpoint after each file, however fast they are read: what is open then is kept in a segment.
    source: { format, limits: { ...NO_LIMITS, filesPerCheckpoint: 1 } },
    eventTime: { column: 'ts', unit: 'ms' },
    sink: {
      format: to.type === 'parquet' && !roomy ? { ...to, rowGroupBytes: 64 * 1024 } : to,
      bucket: { type: 'datetime', time: 'event', pattern: "'dt='yyyy-MM-dd/'hour='HH", zone: 'UTC' },
      rolling: rollingBySizeAndTime({ partSizeBytes: 60_000 }),
    },
  });
}

describe('crash at a step', () => {
  for (const { from, to } of ROUTES) {
    for (const name of FAILPOINTS) {
      it(`${from} to ${to.type}: ${name}`, { timeout: 60_000 }, async () => {
        for (let file = 0; file < FILES; file++)
          await addFile(from, String(file), file * ROWS_PER_FILE, ROWS_PER_FILE);
        let reached = 0;
        for (const nth of [1, 2, 4]) {
          for (const each of ['lake', 'state'])
            await rm(path.join(folder, each), { recursive: true, force: true });
          const job = jobOf(from, to, nth === 2 ? 2 : 1, nth === 1);
          const crashed = crashAt(name, nth);
          await runInline(job).catch((error: unknown) => {
            if (!crashed()) throw error;
          });
          if (crashed()) reached++;
          setFailpointHook(null);
          await runInline(job);
          await runInline(job);
          const { partRows } = await expectExactlyOnce(lake());
          expect(partRows).toBe(FILES * ROWS_PER_FILE);
        }
        expect(reached, 'the failpoint was reached').toBeGreaterThanOrEqual(1);
      });
    }
  }
});

const SINKS: Readonly<Record<string, string>> = {
  avro: '{ type: avro, compression: deflate }',
  arrow: '{ type: arrow }',
  parquet: '{ type: parquet, row_group_size: 64KiB }',
  ndjson: '{ type: ndjson }',
};

describe('kill -9 of the daemon', () => {
  for (const { from, to } of ROUTES) {
    it(`${from} to ${to.type}: ${ROUNDS} kills, every row once`, { timeout: 600_000 }, async () => {
      const job = path.join(folder, 'job.yaml');
      await writeFile(
        job,
        `
version: 1
job: kill
state: ./state
parallelism: 2
memory: 4MiB
checkpoint: { interval: 200ms, retain: 2 }
source:
  path: ./in
  monitor_interval: 100ms
  format: { type: ${from} }
event_time: { field: ts }
sink:
  path: ./lake
  format: ${SINKS[to.type]}
  bucket: { type: datetime, time: event, pattern: "'dt='yyyy-MM-dd/'hour='HH" }
  rolling: { part_size: 64KiB, rollover_interval: 1s, inactivity_interval: 500ms }
  bucket_check_interval: 100ms
`,
      );
      const random = seededRandom(SEED);
      const parts = new VisibleParts(path.join(folder, 'lake'));
      let first = 0;
      let file = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const daemon = startSluice(['run', job]);
        const killAt = delay(300 + random() * 1500);
        let over = false;
        void killAt.then(() => {
          over = true;
        });
        while (!over) {
          const rows = 1 + Math.floor(random() ** 2 * 900);
          await addFile(from, String(file++), first, rows);
          first += rows;
          await delay(random() * 60);
        }
        daemon.child.kill('SIGKILL');
        const { signal, stderr } = await daemon.ended;
        expect(signal, stderr).toBe('SIGKILL');
        expectNone(await parts.observe(), `round ${round}`);
        const { violations } = await judge({ ...lake(), mode: 'ids' });
        // Rows are still on their way, and the dead daemon's hidden files are the next one's to deal with.
        const wrong = violations.filter(({ kind }) => kind !== 'lost row' && kind !== 'stray hidden file');
        expectNone(wrong, `round ${round}`);
      }
      const { code, stderr } = await sluice(['backfill', job]);
      expect(code, stderr).toBe(0);
      expectNone(await parts.observe(), 'after the backfill');
      const { partRows } = await expectExactlyOnce(lake());
      expect(partRows).toBe(first);
    });
  }
});
