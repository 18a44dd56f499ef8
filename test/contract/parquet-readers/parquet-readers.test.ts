/** What we write is what others read: every type, null pattern, codec and way of cutting a part. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { DataType, Schema } from '../../../lib/core/data-type.ts';
import { formatDataType, parseDataType } from '../../../lib/core/data-type.ts';
import {
  anySchema,
  anyType,
  anyValue,
  FLAT_TYPES,
  type Row,
  schemaAndRows,
} from '../../unit/parquet/arbitrary-rows.ts';
import { DuckDb, expected, hyparquet, type ParquetReader } from './readers.ts';
import { type WriteOptions, writeParquet } from './write.ts';

const duckDb = new DuckDb();
const readers: readonly ParquetReader[] = [hyparquet, duckDb];
const CODECS = ['none', 'snappy', 'gzip', 'zstd'] as const;

afterAll(() => duckDb.close());

async function expectReadBack(schema: Schema, rows: readonly Row[], options: WriteOptions): Promise<void> {
  const bytes = await writeParquet(schema, rows, options);
  for (const reader of readers) {
    const read = await reader.read(bytes, schema);
    expect(read, reader.name).toEqual(expected(schema, rows, reader.exactDecimals));
  }
}

const anyOptions: fc.Arbitrary<WriteOptions> = fc.record({
  compression: fc.constantFrom(...CODECS),
  dictionaries: fc.boolean(),
  rowsPerGroup: fc.constantFrom(3, 20, 1000),
  pageBytes: fc.constantFrom(1, 64, 1 << 20),
  continueAt: fc.array(fc.nat(60), { maxLength: 3 }).map((rows) => rows.sort((a, b) => a - b)),
});

describe('rows of any schema', () => {
  for (const depth of [0, 1, 3]) {
    it(`nested up to ${depth} deep`, { timeout: 60_000 }, async () => {
      const table = schemaAndRows(anySchema(anyType(depth)), 60);
      await fc.assert(
        fc.asyncProperty(table, anyOptions, ({ schema, rows }, options) =>
          expectReadBack(schema, rows, options),
        ),
        { numRuns: 60 },
      );
    });
  }
});

/** Which of the rows are null. */
const NULLS: Readonly<Record<string, (row: number) => boolean>> = {
  none: () => false,
  all: () => true,
  'all but one': (row) => row !== 77,
  'only the last': (row) => row === 999,
  'every third': (row) => row % 3 === 0,
  'in long runs': (row) => row % 200 < 150,
};

describe('every type x null pattern x codec, in several pages and row groups', () => {
  const types: readonly DataType[] = [
    ...FLAT_TYPES,
    ...[
      'list<string>',
      'list<int64>',
      'struct<a:string,b:float64>',
      'list<struct<a:list<int32>,b:boolean>>',
    ].map(parseDataType),
  ];
  for (const type of types) {
    it(formatDataType(type), async () => {
      const schema: Schema = { fields: [{ name: 'c', type, nullable: true }] };
      const values = fc.sample(anyValue(type), { numRuns: 40, seed: 7 });
      let codec = 0;
      for (const isNull of Object.values(NULLS)) {
        const rows = Array.from({ length: 1000 }, (_, row) => ({ c: isNull(row) ? null : values[row % 40] }));
        for (const dictionaries of [true, false]) {
          const compression = CODECS[codec++ % CODECS.length]!;
          await expectReadBack(schema, rows, {
            compression,
            dictionaries,
            rowsPerGroup: 700,
            pageBytes: 512,
          });
        }
      }
    });
  }
});

describe('the forms of nothing', () => {
  it('no rows at all', async () => {
    const schema = { fields: [{ name: 'a', type: parseDataType('list<string>'), nullable: true }] };
    await expectReadBack(schema, [], {});
  });

  it('empty strings, empty lists, lists of null, and null lists are all distinct', async () => {
    const schema: Schema = {
      fields: ['string', 'binary', 'list<string>', 'list<list<int32>>', 'struct<a:int32>'].map((type, i) => ({
        name: `c${i}`,
        type: parseDataType(type),
        nullable: true,
      })),
    };
    const rows: Row[] = [
      { c0: '', c1: new Uint8Array(0), c2: [], c3: [], c4: { a: null } },
      { c0: null, c1: null, c2: null, c3: null, c4: null },
      { c0: 'x', c1: Uint8Array.of(0), c2: [null], c3: [null], c4: { a: 1 } },
      { c0: '', c1: Uint8Array.of(0), c2: ['', null, ''], c3: [[], null, [null], [1, 2]], c4: { a: null } },
    ];
    for (const dictionaries of [true, false]) await expectReadBack(schema, rows, { dictionaries });
  });
});

describe('large enough to need it', () => {
  it('pages over 64 KiB, dictionaries of more than 2^8 and 2^16 entries, long strings', async () => {
    const schema: Schema = {
      fields: [
        { name: 'few', type: { kind: 'string' }, nullable: false },
        { name: 'many', type: { kind: 'string' }, nullable: true },
        { name: 'most', type: { kind: 'string' }, nullable: true },
        { name: 'long', type: { kind: 'string' }, nullable: true },
        { name: 'i', type: { kind: 'int64' }, nullable: false },
      ],
    };
    const rows = Array.from({ length: 150_000 }, (_, i) => ({
      few: `f${i % 300}`,
      many: i % 11 === 0 ? null : `a value that is repeated ${(i * 7919) % 70_000}`,
      most: `unique ${i}`,
      long: i % 5000 === 0 ? 'long '.repeat(20_000) : null,
      i: BigInt(i) * 1_000_003n,
    }));
    const bytes = await writeParquet(schema, rows, { pageBytes: 100_000 });
    const [counts] = await duckDb.query(`
      SELECT count(*), count(DISTINCT few), count(DISTINCT many), count(DISTINCT most), sum(length(long)), sum(i),
        count(*) FILTER (most <> 'unique ' || (i // 1000003)) FROM read_parquet('${duckDb.write(bytes)}')`);
    expect(counts).toEqual([150_000n, 300n, 70_000n, 150_000n, 3_000_000n, 11_249_925_000n * 1_000_003n, 0n]);
    expect(await hyparquet.read(bytes, schema)).toEqual(expected(schema, rows, false));
  });
});
