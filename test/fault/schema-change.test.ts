/**
 * The schema changes while the job runs, with a crash at every step around it: no row is lost, none is doubled, and no
 * part holds rows of two schemas.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CheckpointStore } from '../../lib/commit/checkpoint-store.ts';
import type { CompiledJob } from '../../lib/core/compiled-job.ts';
import { setFailpointHook } from '../../lib/core/failpoint.ts';
import type { OutputFormatSpec, SchemaDriftSpec } from '../../lib/core/specs.ts';
import { localFileSystem } from '../../lib/storage/local/local-file-system.ts';
import { crashAt } from '../support/crash.ts';
import { runInline } from '../support/inline-job.ts';
import { ndjsonOutput, parquetOutput, rollingBySizeAndTime, schemaOf, testJob } from '../support/job.ts';
import { listLake, type Row, readTable } from '../support/oracle.ts';

const FILES = 4;
const ROWS = 300;

/** A row gets a column more in the middle of each file, and a value that needs a wider type further on. */
function rowOf(id: number): Row {
  const at = id % ROWS;
  const file = Math.floor(id / ROWS);
  return {
    id,
    n: at > 200 && at % 10 === 0 ? id + 0.5 : id,
    ...(at > 100 ? { [`extra${file}`]: `x${id}` } : {}),
  };
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-schema-'));
  await mkdir(path.join(folder, 'in'));
  for (let file = 0; file < FILES; file++) {
    const lines = Array.from({ length: ROWS }, (_, i) => `${JSON.stringify(rowOf(file * ROWS + i))}\n`);
    await writeFile(path.join(folder, 'in', `${file}.ndjson`), lines.join(''));
  }
});
afterEach(async () => {
  setFailpointHook(null);
  await rm(folder, { recursive: true });
});

function job(format: OutputFormatSpec, parallelism: number, drift: SchemaDriftSpec): CompiledJob {
  return testJob(folder, {
    parallelism,
    checkpoint: { intervalMs: 1, retain: 2 },
    memoryBytes: 1024 * 1024,
    source: { schema: schemaOf({ id: 'int64', n: 'int64' }), drift, splitSizeBytes: 4096 },
    sink: { format, rolling: rollingBySizeAndTime({ partSizeBytes: 30_000 }) },
  });
}

async function lakeRows(): Promise<Row[]> {
  const { visible, hidden } = await listLake(path.join(folder, 'lake'));
  expect(hidden.filter((name) => name.includes('inprogress'))).toEqual([]);
  const rows: Row[] = [];
  for (const part of visible) rows.push(...(await readTable(path.join(folder, 'lake', part), {})));
  return rows.sort((a, b) => Number(a.id) - Number(b.id));
}

function expectRows(rows: readonly Row[]): void {
  expect(rows.map((row) => Number(row.id))).toEqual(Array.from({ length: FILES * ROWS }, (_, id) => id));
  for (const [id, row] of rows.entries()) {
    const expected = rowOf(id);
    expect(Number(row.n)).toBe(expected.n);
    for (let file = 0; file < FILES; file++)
      expect(row[`extra${file}`] ?? null).toBe(expected[`extra${file}`] ?? null);
  }
}

const POINTS = [
  'part.close.before',
  'subtask.batch.after',
  'part.close.after',
  'sink.snapshot.after',
  'checkpoint.snapshots.complete',
  'checkpoint.write.after',
  'commit.link.after',
  'segment.written',
];

describe('evolve and widen, crash at every step', () => {
  for (const format of [ndjsonOutput, parquetOutput]) {
    for (const name of POINTS) {
      it(`${format.type}: ${name}`, async () => {
        for (const nth of [1, 2, 4]) {
          for (const each of ['lake', 'state'])
            await rm(path.join(folder, each), { recursive: true, force: true });
          const compiled = job(format, nth === 2 ? 2 : 1, { newField: 'evolve', mismatch: 'widen' });
          const crashed = crashAt(name, nth);
          await runInline(compiled).catch((error: unknown) => {
            if (!crashed()) throw error;
          });
          setFailpointHook(null);
          await runInline(compiled);
          await runInline(compiled);
          expectRows(await lakeRows());
          const store = new CheckpointStore(localFileSystem('00bb'), compiled.statePath);
          const { schema, schemaHistory } = (await store.load())!;
          expect(schema?.fields.map((field) => field.name).sort()).toEqual(
            ['extra0', 'extra1', 'extra2', 'extra3', 'id', 'n'].sort(),
          );
          expect(schema?.fields[1]?.type.kind).toBe('float64');
          expect(schemaHistory?.map(({ version }) => version)).toEqual(
            schemaHistory?.map((_, index) => index + 1),
          );
        }
      });
    }
  }

  it('rescue: the schema stays, and nothing of a row is lost', async () => {
    await runInline(job(ndjsonOutput, 2, { newField: 'rescue', mismatch: 'rescue' }));
    const rows = await lakeRows();
    expect(rows).toHaveLength(FILES * ROWS);
    for (const [id, row] of rows.entries()) {
      const { id: _id, n, ...extra } = rowOf(id);
      const rescued = { ...extra, ...(Number.isInteger(n) ? {} : { n }) };
      expect(row._rescued ?? {}).toEqual(rescued);
    }
  });
});
