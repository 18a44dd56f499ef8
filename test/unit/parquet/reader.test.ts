/** What we write we read: any schema, nulls, codecs, pages, in pieces; and what is torn is an error, never fewer rows. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDataType, type Schema } from '../../../lib/core/data-type.ts';
import { SluiceError } from '../../../lib/core/errors.ts';
import { writeParquet } from '../../contract/parquet-readers/write.ts';
import { plainValue, type ReadOptions, readInput } from '../../support/read-input.ts';
import { memory } from '../source/reading.ts';
import { anySchema, anyType, type Row, schemaAndRows } from './arbitrary-rows.ts';

const FILE = '/in/a.parquet';
const SPEC = { type: 'parquet', compression: 'none' } as const;

function schemaOf(fields: Record<string, string>, nullable = true): Schema {
  return {
    fields: Object.entries(fields).map(([name, type]) => ({ name, type: parseDataType(type), nullable })),
  };
}

async function read(bytes: Uint8Array, options: ReadOptions = {}) {
  const fileSystem = memory();
  fileSystem.put(FILE, bytes);
  const result = await readInput(fileSystem, FILE, SPEC, options);
  expect(fileSystem.openSources).toBe(0);
  return result;
}

function plain(schema: Schema, rows: readonly Row[]): unknown[] {
  return rows.map((row) =>
    Object.fromEntries(
      schema.fields.map(({ name, type }) => [name, plainValue(type, fround(type.kind, row[name]))]),
    ),
  );
}

function fround(kind: string, value: unknown): unknown {
  return kind === 'float32' && typeof value === 'number' ? Math.fround(value) : value;
}

describe('rows of any schema', () => {
  for (const depth of [0, 1, 3]) {
    it(`nested up to ${depth} deep: written, read, read in pieces`, { timeout: 60_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(
          schemaAndRows(anySchema(anyType(depth)), 60),
          fc.record({
            compression: fc.constantFrom(
              'none' as const,
              'snappy' as const,
              'gzip' as const,
              'zstd' as const,
            ),
            dictionaries: fc.boolean(),
            rowsPerGroup: fc.constantFrom(3, 20, 1000),
            pageBytes: fc.constantFrom(1, 64, 1 << 20),
          }),
          fc.integer({ min: 1, max: 30 }),
          async ({ schema, rows }, options, batchRows) => {
            const bytes = await writeParquet(schema, rows, options);
            const whole = await read(bytes);
            const inFile = { fields: schema.fields };
            expect(whole.schema.fields.map(({ name, nullable }) => [name, nullable])).toEqual(
              inFile.fields.map(({ name, nullable }) => [name, nullable]),
            );
            expect(whole.rows).toEqual(plain(schema, rows));
            const pieces = await read(bytes, { batchRows, resume: true });
            expect(pieces.rows).toEqual(whole.rows);
          },
        ),
        { numRuns: 50 },
      );
    });
  }
});

const ROWS = Array.from({ length: 50 }, (_, i) => ({
  a: BigInt(i),
  s: `text ${i % 3}`,
  n: { x: i, y: [`${i}`, null] },
  l: i % 4 === 0 ? null : [i],
}));
const SCHEMA = schemaOf({ a: 'int64', s: 'string', n: 'struct<x:int32,y:list<string>>', l: 'list<int32>' });

describe('the schema chooses columns', () => {
  it('some of them, in another order, inner ones too', async () => {
    const bytes = await writeParquet(SCHEMA, ROWS);
    const { rows } = await read(bytes, { schema: schemaOf({ n: 'struct<y:list<string>>', a: 'int64' }) });
    expect(rows).toEqual(ROWS.map(({ a, n }) => ({ n: { y: n.y }, a: String(a) })));
  });

  it('reads nothing of the others', async () => {
    const big = Array.from({ length: 5000 }, (_, i) => ({
      a: BigInt(i),
      s: `${Math.sin(i)} some long text ${i}`,
    }));
    const bytes = await writeParquet(schemaOf({ a: 'int64', s: 'string' }), big, { compression: 'none' });
    const fileSystem = memory();
    fileSystem.put(FILE, bytes);
    let readBytes = 0;
    const openRandom = async (path: string) => ({
      async read(offset: number, into: Uint8Array) {
        const piece = fileSystem.files.get(path)!.bytes.subarray(offset, offset + into.length);
        into.set(piece);
        readBytes += piece.length;
        return piece.length;
      },
      async close() {},
    });
    Object.assign(fileSystem, { openRandom });
    const { rows } = await readInput(fileSystem, FILE, SPEC, { schema: schemaOf({ a: 'int64' }) });
    expect(rows).toHaveLength(5000);
    expect(readBytes).toBeLessThan(bytes.length / 2);
  });

  it('columns that the file lacks are null, as deep as they are', async () => {
    const bytes = await writeParquet(SCHEMA, ROWS);
    const schema = schemaOf({
      a: 'int64',
      new: 'list<int32>',
      n: 'struct<z:string>',
      deep: 'struct<p:struct<q:json>>',
    });
    const { rows } = await read(bytes, { schema, batchRows: 7 });
    expect(rows[9]).toEqual({ a: '9', new: null, n: { z: null }, deep: null });
  });

  it('a column that the file lacks and that may not be null is an error', async () => {
    const bytes = await writeParquet(SCHEMA, ROWS);
    await expect(read(bytes, { schema: schemaOf({ other: 'int64' }, false) })).rejects.toMatchObject({
      code: 'BAD_RECORD',
      message: expect.stringContaining("has no column 'other'"),
    });
  });

  it('a wider type takes the values; another one does not', async () => {
    const rows = [{ i: 7, f: 1.5, t: new Date(86_400_000), d: '12.50' }];
    const bytes = await writeParquet(
      schemaOf({ i: 'int32', f: 'float32', t: 'timestamp(ms)', d: 'decimal(9,2)' }),
      rows,
    );
    const wide = schemaOf({ i: 'int64', f: 'float64', t: 'timestamp(us)', d: 'decimal(20,4)' });
    expect((await read(bytes, { schema: wide })).rows).toEqual([
      { i: '7', f: 1.5, t: 86_400_000_000, d: '12.5000' },
    ]);
    await expect(read(bytes, { schema: schemaOf({ i: 'string' }) })).rejects.toThrow(
      "column 'i' is int32 in the file and string in the schema",
    );
  });
});

describe('values that the schema cannot hold', () => {
  const rows = Array.from({ length: 20 }, (_, i) => ({
    id: i,
    v: i % 6 === 4 ? null : BigInt(i) * 1_000_000_000n,
  }));
  const narrow = schemaOf({ id: 'int32', v: 'int32' });

  it('fail: the error says row, column and value', async () => {
    const bytes = await writeParquet(schemaOf({ id: 'int32', v: 'int64' }), rows, { rowsPerGroup: 8 });
    await expect(read(bytes, { schema: narrow })).rejects.toMatchObject({
      code: 'BAD_RECORD',
      message: `${FILE}, row 4 of row group 1, column 'v': 3000000000 is not an int32`,
    });
  });

  it('skip: such rows are left out and counted, whatever the batches', async () => {
    const bytes = await writeParquet(schemaOf({ id: 'int32', v: 'int64' }), rows, { rowsPerGroup: 8 });
    for (const batchRows of [3, 100]) {
      const result = await read(bytes, {
        schema: narrow,
        onBadRecord: 'skip',
        batchRows,
        resume: batchRows === 3,
      });
      expect(result.rows.map(({ id }) => id)).toEqual(['0', '1', '2', '4', '10', '16']);
      expect(result.rejected).toBe(14);
    }
  });

  it('nulls where none may be', async () => {
    const bytes = await writeParquet(schemaOf({ id: 'int32', v: 'int64' }), rows);
    const strict = { fields: [{ name: 'v', type: parseDataType('int64'), nullable: false }] };
    const result = await read(bytes, { schema: strict, onBadRecord: 'skip' });
    expect(result.rows).toHaveLength(17);
    expect(result.rejected).toBe(3);
  });

  it('text that is not UTF-8, in dictionaries and without', async () => {
    const texts = [
      Uint8Array.of(0x61),
      Uint8Array.of(0xff),
      Uint8Array.of(0xc3),
      Uint8Array.of(0xa4),
      Uint8Array.of(0xc3, 0xa4),
    ];
    const bad = Array.from({ length: 10 }, (_, i) => ({ id: i, s: texts[i % 5] }));
    for (const dictionaries of [true, false]) {
      const bytes = await writeParquet(schemaOf({ id: 'int32', s: 'binary' }), bad, { dictionaries });
      const result = await read(bytes, {
        schema: schemaOf({ id: 'int32', s: 'string' }),
        onBadRecord: 'skip',
      });
      expect(result.rows).toEqual([0, 4, 5, 9].map((id) => ({ id: `${id}`, s: id % 5 === 0 ? 'a' : 'ä' })));
    }
  });
});

describe('files that are no Parquet files, or were', () => {
  it('cut anywhere, or with any byte changed: an error, or the very same rows', async () => {
    const bytes = await writeParquet(SCHEMA, ROWS, { rowsPerGroup: 20, compression: 'none' });
    const whole = (await read(bytes)).rows;
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), async (at) => {
        await expect(read(bytes.subarray(0, at), { schema: SCHEMA })).rejects.toMatchObject({
          code: 'INPUT_CORRUPT',
        });
      }),
      { numRuns: 60 },
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const altered = bytes.slice();
        altered[at]! ^= flip;
        const result = await read(altered, { schema: SCHEMA }).catch((error: unknown) => error);
        // Without checksums a changed value may be read as it stands; a crash of another kind never happens.
        if (result instanceof Error) expect(result).toBeInstanceOf(SluiceError);
        else expect((result as { rows: unknown[] }).rows.length).toBeLessThanOrEqual(2 * whole.length);
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ['', /0 bytes/],
    ['PAR1 and something else', /does not end with PAR1/],
    ['PAR1aaaaaaaaaaaa\u00ff\u00ff\u00ff\u007fPAR1', /footer is longer/],
  ])('%j', async (text, why) => {
    await expect(read(Buffer.from(text, 'latin1'), { schema: SCHEMA })).rejects.toThrow(why);
  });
});

describe('several files', () => {
  it('have the schema of all: columns joined, types widened, nullable where one lacks it', async () => {
    const fileSystem = memory();
    const file = async (name: string, fields: Record<string, string>, rows: Row[], nullable = true) =>
      fileSystem.put(`/in/${name}.parquet`, await writeParquet(schemaOf(fields, nullable), rows));
    await file('a', { id: 'int32', x: 'string' }, [{ id: 1, x: 'a' }], false);
    await file('b', { id: 'int64', y: 'list<int32>' }, [{ id: 2n, y: [1] }], false);
    const { schemaOfFile } = await import('../../support/read-input.ts');
    const { fields } = await schemaOfFile(fileSystem, '/in', SPEC);
    expect(fields).toMatchObject([
      { name: 'id', type: { kind: 'int64' }, nullable: false },
      { name: 'x', type: { kind: 'string' }, nullable: true },
      { name: 'y', nullable: true },
    ]);
    await file('c', { id: 'string' }, [{ id: 'x' }]);
    await expect(schemaOfFile(fileSystem, '/in', SPEC)).rejects.toMatchObject({ code: 'SCHEMA_UNKNOWN' });
  });
});
