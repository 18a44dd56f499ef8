import { parquetMetadata } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { parquetFormat } from '../../../formats/parquet/format.ts';
import { leavesOf } from '../../../formats/parquet/schema.ts';
import { identityRows } from '../../../lib/core/column.ts';
import { parseDataType, type Schema } from '../../../lib/core/data-type.ts';
import type { BulkWriter } from '../../../lib/core/encoder.ts';
import { SluiceError } from '../../../lib/core/errors.ts';
import { VERSION } from '../../../lib/core/version.ts';
import packageJson from '../../../package.json' with { type: 'json' };
import { batchOf } from './arbitrary-rows.ts';

const schema: Schema = {
  fields: [
    { name: 'id', type: { kind: 'int64' }, nullable: false },
    { name: 'name', type: { kind: 'string' }, nullable: true },
    { name: 'tags', type: parseDataType('list<string>'), nullable: true },
  ],
};

const format = await parquetFormat({
  type: 'parquet',
  engine: 'sluice',
  compression: 'snappy',
  rowGroupBytes: 32 << 20,
  pageBytes: 1 << 20,
});

function append(writer: BulkWriter, rows: number): void {
  const batch = batchOf(
    schema,
    Array.from({ length: rows }, (_, i) => ({ id: i, name: `name ${i % 5}`, tags: ['x', 'y'] })),
    true,
  );
  writer.append(batch, identityRows(rows), 0, rows);
}

const metadataOf = (bytes: Uint8Array) => parquetMetadata(new Uint8Array(bytes).buffer);

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof SluiceError) return error.code;
    throw error;
  }
  return 'none';
}

describe('a part', () => {
  it('is the bytes of flush and finish in order, whoever made them', () => {
    const writer = format.createWriter(schema, null);
    expect(writer.flush().length).toBe(0);
    append(writer, 100);
    const first = writer.flush().slice();
    expect(writer.bufferedRows).toBe(0);
    const continued = format.createWriter(schema, JSON.parse(JSON.stringify(writer.footer())));
    append(continued, 50);
    const metadata = metadataOf(Buffer.concat([first, continued.finish()]));
    expect(Number(metadata.num_rows)).toBe(150);
    expect(metadata.row_groups.map((group) => Number(group.num_rows))).toEqual([100, 50]);
    expect(metadata.created_by).toBe(`sluice version ${packageJson.version}`);
    expect(VERSION).toBe(packageJson.version);
    const chunk = metadata.row_groups[1]!.columns[0]!.meta_data!;
    expect(Number(chunk.data_page_offset)).toBeGreaterThanOrEqual(first.length);
  });

  it('has no row group without rows', () => {
    const metadata = metadataOf(format.createWriter(schema, null).finish());
    expect([Number(metadata.num_rows), metadata.row_groups.length]).toEqual([0, 0]);
  });

  it('knows what it buffers and about what that will take', () => {
    const writer = format.createWriter(schema, null);
    expect([writer.memoryBytes, writer.estimatedBytes]).toEqual([0, 0]);
    for (let i = 0; i < 3; i++) {
      append(writer, 20_000);
      const estimated = writer.estimatedBytes;
      const flushed = writer.flush().length;
      // What is left is the row groups' metadata, for the footer.
      expect(writer.bufferedBytes).toBe(0);
      expect(writer.memoryBytes).toBeLessThan(1000 * (i + 1));
      // The first guess may be off by much, what was learned may not.
      if (i > 0) expect(Math.abs(estimated / flushed - 1)).toBeLessThan(0.2);
    }
  });

  it('takes no step once it is finished', () => {
    const writer = format.createWriter(schema, null);
    writer.finish();
    for (const step of [
      () => writer.flush(),
      () => writer.finish(),
      () => append(writer, 1),
      () => writer.saveRows(0),
    ]) {
      expect(codeOf(step)).toBe('STEP_ILLEGAL');
    }
  });

  it('refuses a null where the schema has none, rather than shift the values', () => {
    const loose = { fields: schema.fields.map((field) => ({ ...field, nullable: true })) };
    for (const strict of [
      schema,
      { fields: schema.fields.map((field) => ({ ...field, nullable: false })) },
    ]) {
      const writer = format.createWriter(strict, null);
      writer.append(batchOf(loose, [{ id: null, name: 'a', tags: null }], true), identityRows(1), 0, 1);
      expect(codeOf(() => writer.finish())).toBe('BAD_RECORD');
    }
  });
});

describe('the state of an open part', () => {
  const writer = format.createWriter(schema, null);
  append(writer, 10);
  writer.flush();
  const state = writer.footer() as Record<string, unknown>;

  it('is refused where it is torn, of another version, or of another schema', () => {
    const other = { fields: schema.fields.slice(1) };
    const create = (stored: unknown, its: Schema = schema) => codeOf(() => format.createWriter(its, stored));
    expect(create(state)).toBe('none');
    expect(create({ ...state, version: 2 })).toBe('STATE_VERSION');
    expect(create(state, other)).toBe('STATE_CORRUPT');
    for (const stored of [
      'x',
      7,
      { ...state, offset: -1 },
      { ...state, offset: 0 },
      { ...state, rows: '10' },
      { ...state, rowGroups: null },
      { ...state, rowGroups: [''] },
      { ...state, rowGroups: [7] },
    ]) {
      expect(create(stored)).toBe('STATE_CORRUPT');
    }
  });

  it('is small', () => {
    expect(JSON.stringify(state).length).toBeLessThan(1000);
  });
});

describe('a schema', () => {
  it('without columns, or with a struct without fields, has no Parquet form', () => {
    expect(codeOf(() => format.createWriter({ fields: [] }, null))).toBe('JOB_INVALID');
    const empty: Schema = {
      fields: [
        { name: 'a', type: { kind: 'list', element: { kind: 'struct', fields: [] } }, nullable: true },
      ],
    };
    expect(codeOf(() => format.createWriter(empty, null))).toBe('JOB_INVALID');
  });

  it('has a leaf for each stored column, with its levels', () => {
    const type = parseDataType('struct<a:int32,b:list<struct<c:decimal(38,2)>>>');
    const leaves = leavesOf({ fields: [{ name: 's', type, nullable: false }] });
    expect(
      leaves.map(({ path, maxDefinition, maxRepetition, typeLength }) => [
        path.join('.'),
        maxDefinition,
        maxRepetition,
        typeLength,
      ]),
    ).toEqual([
      ['s.a', 1, 0, 0],
      ['s.b.list.element.c', 4, 1, 16],
    ]);
  });
});
