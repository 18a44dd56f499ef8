import { describe, expect, it } from 'vitest';
import { describeParquet } from '../../../formats/parquet/describe.ts';
import { parquetFormat } from '../../../formats/parquet/format.ts';
import { Batch } from '../../../lib/core/batch.ts';
import { emptyColumn, FixedColumn, identityRows } from '../../../lib/core/column.ts';
import { parseDataType, type Schema } from '../../../lib/core/data-type.ts';
import { SluiceError } from '../../../lib/core/errors.ts';
import { VERSION } from '../../../lib/core/version.ts';
import { batchOf } from './arbitrary-rows.ts';

const schema: Schema = {
  fields: [
    { name: 'ts', type: parseDataType('timestamp(ms)'), nullable: false },
    { name: 'name', type: { kind: 'string' }, nullable: true },
    { name: 'price', type: parseDataType('decimal(20,2)'), nullable: true },
    { name: 'raw', type: { kind: 'binary' }, nullable: true },
    { name: 's', type: parseDataType('struct<tags:list<string>,x:float64>'), nullable: false },
  ],
};

const format = await parquetFormat({
  type: 'parquet',
  engine: 'sluice',
  compression: 'gzip',
  rowGroupBytes: 1 << 20,
  pageBytes: 1 << 20,
});
const writer = format.createWriter(schema, null);
const rows = Array.from({ length: 40 }, (_, i) => ({
  ts: new Date(i * 1000),
  name: i === 3 ? null : `name ${i % 4}`,
  price: `${i}.50`,
  raw: Uint8Array.of(0xff, i),
  s: { tags: i % 2 === 0 ? ['a', 'b'] : null, x: -0 },
}));
writer.append(batchOf(schema, rows, true), identityRows(40), 0, 40);
const file = Buffer.concat([writer.flush(), writer.finish()]);

describe('describeParquet', () => {
  it('says what a file holds', () => {
    const described = describeParquet(file);
    expect(described).toMatchObject({ createdBy: `sluice version ${VERSION}`, rows: 40 });
    expect(described.columns).toEqual([
      { path: 'ts', type: 'INT64 TIMESTAMP(MILLIS, UTC)', nullable: false },
      { path: 'name', type: 'BYTE_ARRAY STRING', nullable: true },
      { path: 'price', type: 'FIXED_LEN_BYTE_ARRAY(9) DECIMAL(20,2)', nullable: true },
      { path: 'raw', type: 'BYTE_ARRAY', nullable: true },
      { path: 's.tags.list.element', type: 'BYTE_ARRAY STRING', nullable: true },
      { path: 's.x', type: 'DOUBLE', nullable: true },
    ]);
    const [group] = described.rowGroups;
    expect(
      group!.columns.map(({ path, min, max, nulls, entries, hasDictionary }) => [
        path,
        min,
        max,
        nulls,
        entries,
        hasDictionary,
      ]),
    ).toEqual([
      ['ts', '1970-01-01T00:00:00.000Z', '1970-01-01T00:00:39.000Z', 0, 40, false],
      ['name', 'name 0', 'name 3', 1, 40, true],
      ['price', '0.5', '39.5', 0, 40, false],
      ['raw', '0xff00', '0xff27', 0, 40, false],
      ['s.tags.list.element', 'a', 'b', 20, 60, true],
      ['s.x', '-0', '0', 0, 40, false],
    ]);
    expect(group!.columns.every((column) => column.codec === 'GZIP')).toBe(true);
    expect(JSON.parse(JSON.stringify(described))).toEqual(described);
  });

  it('tells times beyond those of a Date', () => {
    const far: Schema = {
      fields: ['timestamp(ms)', 'timestamp(us)', 'date'].map((type, i) => ({
        name: `c${i}`,
        type: parseDataType(type),
        nullable: false,
      })),
    };
    const columns = far.fields.map(({ type }) => emptyColumn(type, 1));
    for (const column of columns) {
      if (!(column instanceof FixedColumn)) throw new Error('times have another layout');
      if (column.words === 1) column.values[0] = 2 ** 31 - 1;
      else column.setBigInt(0, 2n ** 63n - 1n);
      column.length = 1;
    }
    const farWriter = format.createWriter(far, null);
    farWriter.append(new Batch(far, columns, 1), identityRows(1), 0, 1);
    const [group] = describeParquet(Buffer.concat([farWriter.flush(), farWriter.finish()])).rowGroups;
    expect(group!.columns.map(({ max }) => max)).toEqual([
      '+292278994-08-17T07:12:55.807Z',
      '+294247-01-10T04:00:54.775807Z',
      '+5881580-07-11',
    ]);
  });

  it('needs no more than the end of the file', () => {
    const size = file.readUInt32LE(file.length - 8);
    expect(describeParquet(file.subarray(-size - 8))).toEqual(describeParquet(file));
  });

  it('refuses what is cut, or no Parquet', () => {
    for (const bytes of [file.subarray(0, -1), file.subarray(-100), Buffer.from('PAR1'), Buffer.alloc(0)]) {
      expect(() => describeParquet(bytes)).toThrow(SluiceError);
    }
    // Structs in structs without end.
    const deep = Buffer.concat([
      Buffer.alloc(200_000, 0x1c),
      Buffer.from([0x40, 0x0d, 0x03, 0]),
      Buffer.from('PAR1'),
    ]);
    expect(() => describeParquet(deep)).toThrow(SluiceError);
  });
});
