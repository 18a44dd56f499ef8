/** Floats of Arrow and Parquet files, to every format that writes them as text. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Float32, Float64, Table, tableToIPC, vectorFromArray } from 'apache-arrow';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { InputFormatSpec, OutputFormatSpec } from '../../../lib/core/specs.ts';
import { runInline } from '../../support/inline-job.ts';
import { ndjsonOutput, parquetOutput, schemaOf, testJob } from '../../support/job.ts';
import { readTable } from '../../support/oracle.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-floats-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(() => rm(folder, { recursive: true }));

const schema = schemaOf({ d: 'float64', f: 'float32' });
/** More than a batch, so that batches begin within the columns of the file. */
const ROWS = Array.from({ length: 20_000 }, (_, i) => ({
  d: i % 3 === 2 ? null : i / 8,
  f: i % 5 === 4 ? null : 1 - i / 4,
}));
const CSV: OutputFormatSpec = {
  type: 'csv',
  compression: 'none',
  dialect: 'standard',
  delimiter: ',',
  header: true,
  nullText: '',
};

async function rowsOf(lake: string): Promise<unknown[]> {
  const names = (await readdir(lake)).filter((each) => each.startsWith('part-'));
  expect(names).toHaveLength(1);
  const rows = await readTable(path.join(lake, names[0]!), {});
  return rows.map(({ d, f }) => ({ d: numberOf(d), f: numberOf(f) }));
}

const numberOf = (value: unknown) => (value === null || value === '' ? null : Number(value));

async function moves(format: InputFormatSpec, input: string): Promise<void> {
  for (const output of [ndjsonOutput, CSV]) {
    const lake = path.join(folder, `lake-${output.type}`);
    await runInline(
      testJob(folder, {
        name: output.type,
        statePath: path.join(folder, 'state', output.type),
        source: { paths: [input], format, schema },
        sink: { path: lake, format: output },
      }),
    );
    expect(await rowsOf(lake)).toEqual(ROWS);
  }
}

it('Arrow, as the Arrow library writes it', async () => {
  const table = new Table({
    d: vectorFromArray(
      ROWS.map(({ d }) => d),
      new Float64(),
    ),
    f: vectorFromArray(
      ROWS.map(({ f }) => f),
      new Float32(),
    ),
  });
  await writeFile(path.join(folder, 'in', 'a.arrows'), tableToIPC(table, 'stream'));
  await moves({ type: 'arrow', compression: 'auto' }, path.join(folder, 'in'));
});

it('Parquet', async () => {
  await writeFile(
    path.join(folder, 'in', 'a.ndjson'),
    ROWS.map((row) => `${JSON.stringify(row)}\n`).join(''),
  );
  const parquet = path.join(folder, 'parquet');
  await runInline(testJob(folder, { source: { schema }, sink: { path: parquet, format: parquetOutput } }));
  await moves({ type: 'parquet', compression: 'auto' }, parquet);
});
