/**
 * Lineage columns and a filter, with a crash at every step: each row that stays is written once and names its place in its file, and `_checkpoint` says truly which
 * checkpoint held the row first, whatever died in between.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Checkpoint, decodeCheckpoint } from '../../lib/commit/checkpoint.ts';
import type { CompiledJob } from '../../lib/core/compiled-job.ts';
import { setFailpointHook } from '../../lib/core/failpoint.ts';
import type { LineageName, OutputFormatSpec } from '../../lib/core/specs.ts';
import { parseExpression } from '../../lib/transform/expression/parse.ts';
import { crashAt } from '../support/crash.ts';
import { runInline } from '../support/inline-job.ts';
import { ndjsonOutput, parquetOutput, schemaOf, testJob } from '../support/job.ts';
import { listLake, type Row, readTable } from '../support/oracle.ts';

const FILES = 3;
const ROWS = 400;
const LINEAGE: readonly LineageName[] = ['file', 'offset', 'line', 'ingested_at', 'checkpoint'];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-lineage-'));
  await mkdir(path.join(folder, 'in'));
  for (let file = 0; file < FILES; file++) {
    const lines = Array.from(
      { length: ROWS },
      (_, i) => `{"id":${file * ROWS + i}}\n${i % 5 === 0 ? '\n' : ''}`,
    );
    await writeFile(path.join(folder, 'in', `${file}.ndjson`), lines.join(''));
  }
});
afterEach(async () => {
  setFailpointHook(null);
  await rm(folder, { recursive: true });
});

const FILTER = 'id >= 100 && !(id in [700, 701, 1199])';
const isKept = (id: number) => id >= 100 && ![700, 701, 1199].includes(id);

async function job(format: OutputFormatSpec, parallelism: number, lineage = LINEAGE): Promise<CompiledJob> {
  const parsed = await parseExpression(FILTER);
  if (!parsed.ok) throw new Error(parsed.message);
  return testJob(folder, {
    parallelism,
    transform: [{ kind: 'filter', text: FILTER, expression: parsed.expression }],
    checkpoint: { intervalMs: 1, retain: 1000 },
    source: { schema: schemaOf({ id: 'int64' }), splitSizeBytes: 4096, lineage },
    sink: { format },
  });
}

async function lakeRows(): Promise<Row[]> {
  const lake = path.join(folder, 'lake');
  const rows: Row[] = [];
  for (const part of (await listLake(lake)).visible)
    rows.push(...(await readTable(path.join(lake, part), {})));
  return rows;
}

async function checkpoints(): Promise<Checkpoint[]> {
  const of = path.join(folder, 'state/job/checkpoints');
  const names = (await readdir(of)).filter((name) => name.endsWith('.checkpoint'));
  return Promise.all(names.map(async (name) => decodeCheckpoint(await readFile(path.join(of, name)), name)));
}

async function expectTrue(lines: boolean): Promise<void> {
  const rows = await lakeRows();
  const ids = rows.map((row) => Number(row.id)).sort((a, b) => a - b);
  expect(ids).toEqual(Array.from({ length: FILES * ROWS }, (_, id) => id).filter(isKept));

  const texts = new Map<string, string>();
  for (const row of rows) {
    const file = String(row._source_file);
    if (!texts.has(file)) texts.set(file, await readFile(file, 'utf8'));
    const text = texts.get(file)!;
    const record = `{"id":${row.id}}`;
    expect(text.slice(Number(row._source_offset)).split('\n')[0]).toBe(record);
    if (lines) expect(text.split('\n')[Number(row._source_line) - 1]).toBe(record);
  }
  const all = await checkpoints();
  const { totals: end } = all.reduce((a, b) => (a.id > b.id ? a : b));
  expect(end.rows + (end.filtered ?? 0)).toBe(FILES * ROWS);
  expect(all.length).toBeGreaterThan(2);
  for (const { id, totals } of all)
    expect(rows.filter((row) => Number(row._checkpoint) <= id).length, `checkpoint ${id}`).toBe(totals.rows);
}

describe('lineage and a filter, crash at every step', () => {
  const points = [
    'checkpoint.snapshots.complete',
    'checkpoint.write.after',
    'checkpoint.write.before',
    'commit.after',
    'commit.link.after',
    'part.persist.after',
    'segment.written',
    'sink.snapshot.after',
    'subtask.batch.after',
  ];
  for (const format of [ndjsonOutput, parquetOutput]) {
    for (const name of points) {
      it(`${format.type}: ${name}`, async () => {
        for (const nth of [1, 3]) {
          for (const each of ['lake', 'state'])
            await rm(path.join(folder, each), { recursive: true, force: true });
          const lineage = nth === 3 ? LINEAGE.filter((each) => each !== 'line') : LINEAGE;
          const given = await job(format, nth === 3 ? 2 : 1, lineage);
          const crashed = crashAt(name, nth);
          await runInline(given).catch((error: unknown) => {
            if (!crashed()) throw error;
          });
          setFailpointHook(null);
          await runInline(given);
          await expectTrue(nth !== 3);
        }
      });
    }
  }
});
