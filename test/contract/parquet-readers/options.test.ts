/** The options of Parquet output, as others see what they did. */
import { parquetMetadata, parquetQuery } from 'hyparquet';
import { readBloomFilter, sbbfContains } from 'hyparquet/src/bloom.js';
import { xxhash64 } from 'hyparquet/src/xxhash.js';
import { compressors } from 'hyparquet-compressors';
import { afterAll, describe, expect, it } from 'vitest';
import { parseDataType, type Schema } from '../../../lib/core/data-type.ts';
import { DuckDb } from './readers.ts';
import { writeParquet } from './write.ts';

const duckDb = new DuckDb();
afterAll(() => duckDb.close());

const SCHEMA: Schema = {
  fields: Object.entries({
    id: 'int64',
    name: 'string',
    code: 'string',
    x: 'float64',
    tags: 'list<string>',
  }).map(([name, type]) => ({ name, type: parseDataType(type), nullable: true })),
};
const ROWS = Array.from({ length: 3000 }, (_, i) => ({
  id: BigInt((i * 7919) % 3000) * 2n,
  name: i % 10 === 0 ? null : `name ${(i * 31) % 500}`,
  code: `c${i % 7}`,
  x: i % 13 === 0 ? Number.NaN : Math.sin(i),
  tags: [`t${i % 9}`],
}));

describe('bloom filters', () => {
  it('hold every value of the columns that were named, and few others', async () => {
    const bytes = await writeParquet(SCHEMA, ROWS, {
      bloomFilter: ['id', 'name', 'tags'],
      rowsPerGroup: 1000,
    });
    const { row_groups: groups } = parquetMetadata(bytes);
    expect(groups).toHaveLength(3);
    for (const [g, group] of groups.entries()) {
      const filters = new Map(
        group.columns.map(
          ({ meta_data: data }) => [data!.path_in_schema[0], data!.bloom_filter_offset] as const,
        ),
      );
      expect([...filters].filter(([, at]) => at !== undefined).map(([name]) => name)).toEqual([
        'id',
        'name',
        'tags',
      ]);
      const filterOf = (name: string) => {
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        const data = group.columns.find((column) => column.meta_data!.path_in_schema[0] === name)!.meta_data!;
        const reader = { view, offset: Number(data.bloom_filter_offset) };
        const filter = readBloomFilter(reader)!;
        expect(reader.offset - Number(data.bloom_filter_offset)).toBe(data.bloom_filter_length);
        return (value: Uint8Array) => sbbfContains(filter.blocks, xxhash64(value));
      };
      const text = (value: string) => new TextEncoder().encode(value);
      const long = (value: bigint) => new Uint8Array(BigInt64Array.of(value).buffer);
      const rows = ROWS.slice(g * 1000, (g + 1) * 1000);
      for (const { id, name, tags } of rows) {
        expect(filterOf('id')(long(id))).toBe(true);
        if (name !== null) expect(filterOf('name')(text(name))).toBe(true);
        expect(filterOf('tags')(text(tags[0]!))).toBe(true);
      }
      const strangers = Array.from({ length: 2000 }, (_, i) => long(BigInt(2 * i + 1)));
      expect(strangers.filter(filterOf('id')).length).toBeLessThan(60);
    }
  });

  it('DuckDB and hyparquet find rows by them', async () => {
    const bytes = await writeParquet(SCHEMA, ROWS, {
      bloomFilter: ['id', 'name', 'code', 'x'],
      rowsPerGroup: 1000,
    });
    const path = duckDb.write(bytes);
    const [found] = await duckDb.query(`SELECT count(*) FROM read_parquet('${path}') WHERE name = 'name 31'`);
    expect(found).toEqual([BigInt(ROWS.filter(({ name }) => name === 'name 31').length)]);
    const excluded = await duckDb.query(
      `SELECT DISTINCT bloom_filter_excludes FROM parquet_bloom_probe('${path}', 'id', 1234567)`,
    );
    expect(excluded).toEqual([[true]]);
    const rows = await parquetQuery({
      file: new Uint8Array(bytes).buffer,
      compressors,
      filter: { id: { $eq: 42n } },
      columns: ['id', 'code'],
    });
    expect(rows).toHaveLength(1);
  });
});

describe('dictionaries', () => {
  const encodingsOf = (bytes: Uint8Array) =>
    Object.fromEntries(
      parquetMetadata(bytes).row_groups[0]!.columns.map(({ meta_data: data }) => [
        data!.path_in_schema[0],
        data!.dictionary_page_offset !== undefined,
      ]),
    );

  it.each([
    [{}, ['name', 'code', 'tags']],
    [{ dictionary: false }, []],
    [{ dictionary: ['code', 'id'] }, ['code']],
  ] as const)('%j', async (options, wanted) => {
    const bytes = await writeParquet(SCHEMA, ROWS, options as Parameters<typeof writeParquet>[2]);
    expect(Object.entries(encodingsOf(bytes)).flatMap(([name, has]) => (has ? [name] : []))).toEqual(wanted);
  });
});

describe('sorted row groups', () => {
  it('have their rows in order, nulls last, and say so', async () => {
    const bytes = await writeParquet(SCHEMA, ROWS, { sortBy: ['name', 'id'], rowsPerGroup: 1000 });
    for (const { sorting_columns: sorting } of parquetMetadata(bytes).row_groups)
      expect(sorting).toEqual([
        { column_idx: 1, descending: false, nulls_first: false },
        { column_idx: 0, descending: false, nulls_first: false },
      ]);
    const path = duckDb.write(bytes);
    const read = await duckDb.query(`SELECT id, name, x FROM read_parquet('${path}')`);
    const key = (name: unknown) => (name === null ? '\uffff' : String(name));
    const wanted = [0, 1000, 2000].flatMap((from) =>
      ROWS.slice(from, from + 1000).sort((a, b) =>
        key(a.name) === key(b.name) ? Number(a.id - b.id) : key(a.name) < key(b.name) ? -1 : 1,
      ),
    );
    expect(read).toEqual(wanted.map(({ id, name, x }) => [id, name, x]));
  });
});

describe('level', () => {
  it.each(['gzip', 'zstd'] as const)('%s: more work, fewer bytes, the same rows', async (compression) => {
    const sizes: number[] = [];
    for (const level of [1, 9]) {
      const bytes = await writeParquet(SCHEMA, ROWS, { compression, level, dictionary: false });
      sizes.push(bytes.length);
      expect(
        await duckDb.query(`SELECT count(*), sum(id) FROM read_parquet('${duckDb.write(bytes)}')`),
      ).toEqual([[3000n, 8_997_000n]]);
    }
    expect(sizes[1]).toBeLessThan(sizes[0]!);
  });
});
