/** What a dictionary and the columns that use it may look like in other writers' files. */
import * as arrow from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { readInput } from '../../support/read-input.ts';
import { memory } from '../source/reading.ts';

/** The types of the library forbid indexes of 64 bits; the format and other writers do not. */
type Indexes = Int8Array | Int32Array | BigInt64Array | BigUint64Array;

/** A column of codes; `nulls` are rows without a code, `id` names the dictionary over batches. */
function coded(values: arrow.Vector, data: Indexes, nulls: readonly number[] = [], id?: number): arrow.Data {
  const type = new arrow.Dictionary(values.type, indexType(data), id);
  const nullBitmap = new Uint8Array((data.length + 7) >> 3).fill(0xff);
  for (const row of nulls) nullBitmap[row >> 3]! &= ~(1 << (row & 7));
  const buffers = [undefined, data as Int32Array, nullBitmap] as const;
  return new arrow.Data(type, 0, data.length, nulls.length, [...buffers], [], values);
}

function indexType(data: Indexes): arrow.Dictionary['indices'] {
  if (data instanceof Int8Array) return new arrow.Int8();
  if (data instanceof Int32Array) return new arrow.Int32();
  const wide: arrow.DataType = data instanceof BigInt64Array ? new arrow.Int64() : new arrow.Uint64();
  return wide as arrow.Dictionary['indices'];
}

function struct(children: Readonly<Record<string, arrow.Data>>, nulls: readonly number[] = []): arrow.Data {
  const fields = Object.entries(children).map(([name, { type }]) => new arrow.Field(name, type, true));
  const length = Object.values(children)[0]!.length;
  const nullBitmap = new Uint8Array((length + 7) >> 3).fill(0xff);
  for (const row of nulls) nullBitmap[row >> 3]! &= ~(1 << (row & 7));
  return arrow.makeData({
    type: new arrow.Struct(fields),
    length,
    nullCount: nulls.length,
    nullBitmap,
    children: Object.values(children),
  });
}

async function read(...batches: Readonly<Record<string, arrow.Data>>[]) {
  const written = batches.map((columns) => {
    const data = struct(columns) as arrow.Data<arrow.Struct>;
    return new arrow.RecordBatch(new arrow.Schema(data.type.children), data);
  });
  const fileSystem = memory();
  fileSystem.put('/in/a', arrow.tableToIPC(new arrow.Table(written), 'stream'));
  return (await readInput(fileSystem, '/in/a', { type: 'arrow', compression: 'none' })).rows;
}

const texts = (...values: (string | null)[]) => arrow.vectorFromArray(values, new arrow.Utf8());
const column = (rows: readonly Record<string, unknown>[], name: string) => rows.map((row) => row[name]);

describe('dictionaries of Arrow', () => {
  it('a value that is null in the dictionary is null in the rows, of texts and of others', async () => {
    const numbers = arrow.vectorFromArray([null, 7], new arrow.Int32());
    const rows = await read({
      text: coded(texts('x', null), Int32Array.of(0, 1, 1, 0, 0), [4]),
      number: coded(numbers, Int32Array.of(0, 1, 1, 0, 1), [1]),
    });
    expect(column(rows, 'text')).toEqual(['x', null, null, 'x', null]);
    expect(column(rows, 'number')).toEqual([null, null, '7', null, '7']);
  });

  it('nulls of one column and batch stay out of the next', async () => {
    const values = texts('x', 'y', null);
    const batch = (nulls: readonly number[], within: readonly number[]) => {
      // Of its own each: the library writes memory that two columns share once only, and the stream is torn.
      const codes = () => Int32Array.of(0, 1, 2, 0);
      return { o: struct({ a: coded(values, codes(), within, 1), b: coded(values, codes(), [], 2) }, nulls) };
    };
    const rows = await read(batch([0], []), batch([], [1]), batch([3], [0]));
    const row = (a: string | null, b = a) => ({ a, b });
    expect(column(rows, 'o')).toEqual([
      ...[null, row('y'), row(null), row('x')],
      ...[row('x'), row(null, 'y'), row(null), row('x')],
      ...[row(null, 'x'), row('y'), row(null), null],
    ]);
  });

  it('a column that is named as the path of another one is written stays another one', async () => {
    const one = texts('one');
    const two = texts('two');
    const codes = () => Int32Array.of(0, 0);
    const list = arrow.makeData({
      type: new arrow.List(new arrow.Field('item', coded(two, codes()).type, true)),
      length: 2,
      valueOffsets: Int32Array.of(0, 1, 2),
      child: coded(two, codes()),
    });
    const rows = await read({
      'a.b': coded(one, codes()),
      a: struct({ b: coded(two, codes()) }),
      'l[]': coded(one, codes()),
      l: list,
    });
    expect(rows).toEqual(Array(2).fill({ 'a.b': 'one', a: { b: 'two' }, 'l[]': 'one', l: ['two'] }));
  });

  it('indexes may be of 64 bits; one beyond 32 bits is damage, not another index', async () => {
    const values = texts('x', 'y');
    const rows = await read({
      signed: coded(values, BigInt64Array.of(0n, 1n, -1n), [2]),
      unsigned: coded(values, BigUint64Array.of(1n, 0n, 1n)),
    });
    expect(rows).toEqual([
      { signed: 'x', unsigned: 'y' },
      { signed: 'y', unsigned: 'x' },
      { signed: null, unsigned: 'y' },
    ]);
    await expect(read({ a: coded(values, BigInt64Array.of(1n << 32n)) })).rejects.toThrow(
      /index of the column 'a' leads out/,
    );
  });
});
