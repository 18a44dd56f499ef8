/** What we write is what pyarrow reads, where SLUICE_PYTHON names an interpreter that has it: every type x nulls x codec. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type DataType, formatDataType, parseDataType, type Schema } from '../../../lib/core/data-type.ts';
import { PYTHON, readWithPython } from '../../support/python.ts';
import { plainValue } from '../../support/read-input.ts';
import { anyValue, FLAT_TYPES } from '../../unit/parquet/arbitrary-rows.ts';
import { writeParquet } from './write.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'sluice-pyarrow-'));
afterAll(() => rmSync(folder, { recursive: true }));

const NULLS: Readonly<Record<string, (row: number) => boolean>> = {
  none: () => false,
  all: () => true,
  some: (row) => row % 3 === 0,
};
/** Floats are told apart by DuckDB's tests: JSON has no NaN. */
const TYPES: readonly DataType[] = [
  ...FLAT_TYPES.filter(({ kind }) => !kind.startsWith('float')),
  ...['list<string>', 'struct<a:string,b:int64>', 'list<struct<a:list<int32>,b:boolean>>'].map(parseDataType),
];

describe.skipIf(PYTHON === null)('pyarrow', () => {
  it('reads every type x null pattern x codec', { timeout: 120_000 }, async () => {
    const written: { file: string; wanted: unknown[] }[] = [];
    for (const type of TYPES) {
      const values = fc.sample(anyValue(type), { numRuns: 40, seed: 7 });
      for (const [pattern, isNull] of Object.entries(NULLS)) {
        for (const compression of ['none', 'snappy', 'gzip', 'zstd'] as const) {
          const schema: Schema = { fields: [{ name: 'c', type, nullable: true }] };
          const rows = Array.from({ length: 100 }, (_, row) => ({
            c: isNull(row) ? null : values[row % 40],
          }));
          const name = `${formatDataType(type).replace(/[^a-z0-9]+/g, '_')}-${pattern}-${compression}`;
          const file = path.join(folder, `${name}.parquet`);
          writeFileSync(
            file,
            await writeParquet(schema, rows, {
              compression,
              rowsPerGroup: 70,
              pageBytes: 256,
              dictionaries: compression !== 'gzip',
              sortBy: [],
              bloomFilter: type.kind === 'boolean' ? [] : ['c'],
            }),
          );
          written.push({ file, wanted: rows.map(({ c }) => ({ c: plainValue(type, c) })) });
        }
      }
    }
    const read = readWithPython(written.map(({ file }) => file));
    for (const [i, { file, wanted }] of written.entries()) expect(read[i], file).toEqual(wanted);
  });
});
