/** parquetjs-lite as a reader of what our encoder writes, and as the writer behind `engine: parquetjs`. */
import fc from 'fast-check';
import parquetjs from 'parquetjs-lite';
import { afterAll, describe, expect, it } from 'vitest';
import { parquetFormat } from '../../../formats/parquet/format.ts';
import { parseDataType, type Schema } from '../../../lib/core/data-type.ts';
import { SluiceError } from '../../../lib/core/errors.ts';
import {
  anySchema,
  anyType,
  FLAT_TYPES,
  type Row,
  schemaAndRows,
} from '../../unit/parquet/arbitrary-rows.ts';
import { DuckDb, expected, hex, hyparquet } from './readers.ts';
import { specOf, type WriteOptions, writeParquet } from './write.ts';

const duckDb = new DuckDb();
afterAll(() => duckDb.close());

/** Rows as parquetjs-lite gives them: a null column is not there, int64 is a bigint. */
async function readByParquetJs(bytes: Uint8Array, schema: Schema): Promise<unknown[]> {
  const reader = await parquetjs.ParquetReader.openBuffer(Buffer.from(bytes));
  const cursor = reader.getCursor();
  const rows: unknown[] = [];
  for (let row = await cursor.next(); row !== null; row = await cursor.next()) {
    const record = row;
    rows.push(
      Object.fromEntries(
        schema.fields.map(({ name, type }) => {
          const value = record[name] ?? null;
          if (value === null) return [name, null];
          if (type.kind === 'binary') return [name, hex(value as Uint8Array)];
          if (type.kind === 'date') return [name, (value as Date).getTime() / 86_400_000];
          if (type.kind === 'json') return [name, JSON.stringify(value)];
          return [name, value];
        }),
      ),
    );
  }
  await reader.close();
  return rows;
}

/** What it cannot read: decimals (no such type), timestamps (it throws on its own), and binary from a dictionary (it makes text of it). */
const readable = FLAT_TYPES.filter(({ kind }) => !['decimal', 'timestamp', 'binary'].includes(kind));

describe('parquetjs-lite reads what we write', () => {
  it('flat columns of the types it knows, with and without a dictionary', { timeout: 60_000 }, async () => {
    const table = schemaAndRows(anySchema(fc.constantFrom(...readable)), 40);
    const options = fc.record({
      compression: fc.constantFrom('none', 'snappy', 'gzip'),
      dictionaries: fc.boolean(),
      rowsPerGroup: fc.constantFrom(7, 1000),
      pageBytes: fc.constantFrom(16, 1 << 20),
    }) as fc.Arbitrary<WriteOptions>;
    await fc.assert(
      fc.asyncProperty(table, options, async ({ schema, rows }, how) => {
        const bytes = await writeParquet(schema, rows, how);
        const want = expected(schema, rows, true).map((row) => {
          const record = row as Row;
          // It parses JSON, so only the value can be compared and not its spelling.
          for (const { name, type } of schema.fields) {
            if (type.kind === 'json' && record[name] !== null) {
              const value: unknown = JSON.parse(record[name] as string);
              record[name] = value === null ? null : JSON.stringify(value);
            }
          }
          return record;
        });
        expect(await readByParquetJs(bytes, schema)).toEqual(want);
      }),
      { numRuns: 80 },
    );
  });
});

describe('engine: parquetjs', () => {
  const types = anyType(2).filter((type) => !JSON.stringify(type).includes('"decimal"'));

  it('writes what DuckDB and hyparquet read: flat and nested, continued parts, several pages', {
    timeout: 60_000,
  }, async () => {
    const options = fc.record({
      compression: fc.constantFrom('none', 'snappy', 'gzip'),
      dictionaries: fc.boolean(),
      rowsPerGroup: fc.constantFrom(3, 20, 1000),
      continueAt: fc.array(fc.nat(40), { maxLength: 2 }).map((rows) => rows.sort((a, b) => a - b)),
    }) as fc.Arbitrary<WriteOptions>;
    await fc.assert(
      fc.asyncProperty(schemaAndRows(anySchema(types), 40), options, async ({ schema, rows }, how) => {
        const bytes = await writeParquet(schema, rows, { ...how, engine: 'parquetjs' });
        expect(await duckDb.read(bytes, schema), 'DuckDB').toEqual(expected(schema, rows, true));
        expect(await hyparquet.read(bytes, schema), 'hyparquet').toEqual(expected(schema, rows, false));
      }),
      { numRuns: 60 },
    );
  });

  it('cuts large row groups into pages', async () => {
    const schema: Schema = {
      fields: [
        { name: 'i', type: { kind: 'int64' }, nullable: true },
        { name: 'l', type: parseDataType('list<string>'), nullable: true },
      ],
    };
    const rows = Array.from({ length: 20_000 }, (_, i) => ({
      i: i % 7 === 0 ? null : 2n ** 60n + BigInt(i),
      l: i % 5 === 0 ? null : Array.from({ length: i % 4 }, (_, k) => `v${k}`),
    }));
    const bytes = await writeParquet(schema, rows, { engine: 'parquetjs' });
    expect(await duckDb.read(bytes, schema)).toEqual(expected(schema, rows, true));
  });

  it('refuses what the library cannot write, before a row is taken', async () => {
    await expect(parquetFormat(specOf({ engine: 'parquetjs', compression: 'zstd' }))).rejects.toThrow(/zstd/);
    const format = await parquetFormat(specOf({ engine: 'parquetjs' }));
    for (const [name, type] of [
      ['a', 'decimal(9,2)'],
      ['7', 'string'],
      ['a,b', 'string'],
      ['__proto__', 'string'],
      ['s', 'struct<`x,y`:int32>'],
    ] as const) {
      const schema = { fields: [{ name, type: parseDataType(type), nullable: true }] };
      expect(() => format.createWriter(schema, null), name).toThrow(SluiceError);
    }
  });

  it('a part begun by one engine can be ended by the other', async () => {
    const schema: Schema = { fields: [{ name: 'a', type: { kind: 'string' }, nullable: true }] };
    const rows = Array.from({ length: 30 }, (_, i) => ({ a: `value ${i % 4}` }));
    const { batchOf } = await import('../../unit/parquet/arbitrary-rows.ts');
    const { identityRows } = await import('../../../lib/core/column.ts');
    for (const engines of [
      ['sluice', 'parquetjs'],
      ['parquetjs', 'sluice'],
    ] as const) {
      const pieces: Uint8Array[] = [];
      let footer: unknown = null;
      for (const engine of engines) {
        const writer = (await parquetFormat(specOf({ engine }))).createWriter(schema, footer);
        writer.append(batchOf(schema, rows, true), identityRows(30), 0, 30);
        pieces.push(engine === engines[0] ? writer.flush() : writer.finish());
        footer = writer.footer();
      }
      const bytes = Buffer.concat(pieces);
      expect(await duckDb.read(bytes, schema)).toEqual([...rows, ...rows]);
      expect(await hyparquet.read(bytes, schema)).toEqual([...rows, ...rows]);
    }
  });
});
