import { expect, it } from 'vitest';
import { Batch } from '../../../lib/core/batch.ts';
import { FixedColumn } from '../../../lib/core/column.ts';
import { parseDataType, type Schema } from '../../../lib/core/data-type.ts';
import { StagedRows } from '../../../lib/sink/staged-rows.ts';

const schema: Schema = { fields: [{ name: 'n', type: parseDataType('int32'), nullable: true }] };

function batchOf(values: readonly number[], of: Schema = schema): Batch {
  const column = new FixedColumn(parseDataType('int32'), 1, values.length);
  column.values.set(values);
  column.length = values.length;
  return new Batch(of, [column], values.length);
}

it('puts batches together, each row with its own bucket whatever its code was in its batch', () => {
  const staged = new StagedRows(1 << 20);
  staged.add(batchOf([1, 2, 3]), { codes: Int32Array.of(0, 1, 0), ids: ['a', 'b'] });
  staged.add(batchOf([4, 5]), { codes: Int32Array.of(0, 1), ids: ['c', 'a'] });
  const { batch, vector } = staged.take()!;
  const found = Array.from({ length: batch.length }, (_, row) => [
    vector.ids[vector.codes[row]!],
    batch.record(row),
  ]);
  expect(found).toEqual([
    ['a', { n: 1 }],
    ['b', { n: 2 }],
    ['a', { n: 3 }],
    ['c', { n: 4 }],
    ['a', { n: 5 }],
  ]);
  staged.clear();
  expect(staged.take()).toBeNull();
});

it('takes batches of few rows a bucket, and none whose rows are more than columns or of other columns', () => {
  const staged = new StagedRows(1 << 20);
  const batch = batchOf([1, 2, 3]);
  expect(staged.wants(batch, 3)).toBe(true);
  expect(staged.wants(batch, 1)).toBe(false);
  expect(staged.wants(Batch.ofObjects([1, 2, 3]), 3)).toBe(false);
  const lines = { bytes: new Uint8Array(8), starts: new Int32Array(3), ends: new Int32Array(3) };
  expect(staged.wants(new Batch(schema, batch.columns, 3, lines), 3)).toBe(false);
  staged.add(batch, { codes: Int32Array.of(0, 1, 2), ids: ['a', 'b', 'c'] });
  expect(staged.wants(batchOf([1, 2, 3], { fields: [...schema.fields] }), 3)).toBe(false);
});

it('is full once its memory is used up, or there are enough rows for each bucket', () => {
  const small = new StagedRows(64 * 1024);
  const rows = Array.from({ length: 20_000 }, (_, i) => i);
  const codes = new Int32Array(rows.length);
  small.add(batchOf(rows.slice(0, 1000)), { codes, ids: ['a'] });
  expect(small.full).toBe(false);
  small.add(batchOf(rows), { codes, ids: ['a'] });
  expect(small.full).toBe(true);
  const large = new StagedRows(1 << 30);
  large.add(batchOf(rows), { codes, ids: ['a'] });
  expect(large.full).toBe(false);
  large.add(batchOf(rows), { codes, ids: ['a'] });
  expect(large.full).toBe(true);
});

it('with thousands of buckets waits for as many rows as its memory holds, and is empty again afterwards', () => {
  const maxBytes = 1 << 20;
  const staged = new StagedRows(maxBytes);
  const ids = Array.from({ length: 5000 }, (_, i) => `bucket=${i}`);
  const batch = batchOf(Array.from({ length: 8192 }, (_, i) => i));
  const codes = Int32Array.from({ length: 8192 }, (_, i) => i % ids.length);
  for (let round = 0; round < 3; round++) {
    while (!staged.full) staged.add(batch, { codes, ids });
    // 8 bytes a row, the code included: more than half of what could be is filled, and nothing beyond.
    expect(staged.rows).toBeGreaterThan(maxBytes / 8 / 2 - 8192);
    expect(staged.memoryBytes).toBeLessThanOrEqual(maxBytes);
    staged.clear();
    expect(staged.full).toBe(false);
  }
});

it('gives memory back that is more than it may have', () => {
  const staged = new StagedRows(64 * 1024);
  const codes = new Int32Array(20_000);
  staged.add(batchOf(Array.from(codes)), { codes, ids: ['a'] });
  expect(staged.full).toBe(true);
  staged.clear();
  expect(staged.memoryBytes).toBe(0);
  expect(staged.full).toBe(false);
});
