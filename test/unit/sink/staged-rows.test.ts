import { expect, it } from 'vitest';
import { Batch } from '../../../lib/core/batch.ts';
import { FixedColumn } from '../../../lib/core/column.ts';
import { parseDataType, type Schema } from '../../../lib/core/data-type.ts';
import { type RowsByBucket, sameWatermark, watermarkAt } from '../../../lib/sink/row-groups.ts';
import { StagedRows } from '../../../lib/sink/staged-rows.ts';

const schema: Schema = { fields: [{ name: 'n', type: parseDataType('int32'), nullable: true }] };

/** No watermark. */
const NONE = Number.NEGATIVE_INFINITY;

function batchOf(values: readonly number[], of: Schema = schema): Batch {
  const column = new FixedColumn(parseDataType('int32'), 1, values.length);
  column.values.set(values);
  column.length = values.length;
  return new Batch(of, [column], values.length);
}

/** The values in each bucket, in their order. */
function byBucket({ ids, groups }: RowsByBucket): Record<string, number[]> {
  const found: Record<string, number[]> = {};
  for (const { batch, rows, starts } of groups)
    ids.forEach((id, code) => {
      found[id] ??= [];
      const mine = rows.subarray(starts[code] ?? 0, starts[code + 1] ?? starts[code] ?? 0);
      for (const row of mine) found[id].push((batch.record(row) as { n: number }).n);
    });
  return found;
}

it('puts batches together, each row with its own bucket whatever its code was in its batch', () => {
  const staged = new StagedRows(1 << 20, () => 7);
  staged.add(batchOf([1, 2, 3]), { codes: Int32Array.of(0, 1, 0), ids: ['a', 'b'] }, NONE, 0);
  staged.add(batchOf([4, 5]), { codes: Int32Array.of(0, 1), ids: ['c', 'a'] }, NONE, 0);
  expect(byBucket(staged.take()!)).toEqual({ a: [1, 3, 5], b: [2], c: [4] });
  staged.clear();
  expect(staged.take()).toBeNull();
});

it('takes batches of few rows a bucket, and none whose rows are more than columns or of other columns', () => {
  const staged = new StagedRows(1 << 20, () => 7);
  const batch = batchOf([1, 2, 3]);
  expect(staged.wants(batch, 3)).toBe(true);
  expect(staged.wants(batch, 1)).toBe(false);
  expect(staged.wants(Batch.ofObjects([1, 2, 3]), 3)).toBe(false);
  const lines = { bytes: new Uint8Array(8), starts: new Int32Array(3), ends: new Int32Array(3) };
  expect(staged.wants(new Batch(schema, batch.columns, 3, lines), 3)).toBe(false);
  staged.add(batch, { codes: Int32Array.of(0, 1, 2), ids: ['a', 'b', 'c'] }, NONE, 0);
  expect(staged.wants(batchOf([1, 2, 3], { fields: [...schema.fields] }), 3)).toBe(false);
});

it('is full once its memory is used up, and no sooner', () => {
  const small = new StagedRows(64 * 1024, () => 7);
  const rows = Array.from({ length: 20_000 }, (_, i) => i);
  const codes = new Int32Array(rows.length);
  small.add(batchOf(rows.slice(0, 1000)), { codes, ids: ['a'] }, NONE, 0);
  expect(small.isFull(64 * 1024)).toBe(false);
  small.add(batchOf(rows), { codes, ids: ['a'] }, NONE, 0);
  expect(small.isFull(64 * 1024)).toBe(true);
  const large = new StagedRows(1 << 30, () => 7);
  for (let i = 0; i < 10; i++) large.add(batchOf(rows), { codes, ids: ['a'] }, NONE, 0);
  expect(large.isFull(1 << 30)).toBe(false);
});

it('with thousands of buckets waits for as many rows as its memory holds, and is empty again afterwards', () => {
  const maxBytes = 1 << 20;
  const staged = new StagedRows(maxBytes, () => 7);
  const ids = Array.from({ length: 5000 }, (_, i) => `bucket=${i}`);
  const batch = batchOf(Array.from({ length: 8192 }, (_, i) => i));
  const codes = Int32Array.from({ length: 8192 }, (_, i) => i % ids.length);
  for (let round = 0; round < 3; round++) {
    while (!staged.isFull(maxBytes)) staged.add(batch, { codes, ids }, NONE, 0);
    // 8 bytes a row, the code included: more than half of what could be is filled, and nothing beyond.
    expect(staged.rows).toBeGreaterThan(maxBytes / 8 / 2 - 8192);
    expect(staged.memoryBytes).toBeLessThanOrEqual(maxBytes);
    staged.clear();
    expect(staged.isFull(maxBytes)).toBe(false);
  }
});

it('gives memory back that is more than it may have', () => {
  const staged = new StagedRows(64 * 1024, () => 7);
  const codes = new Int32Array(20_000);
  staged.add(batchOf(Array.from(codes)), { codes, ids: ['a'] }, NONE, 0);
  expect(staged.isFull(64 * 1024)).toBe(true);
  staged.clear();
  expect(staged.memoryBytes).toBe(0);
  expect(staged.isFull(64 * 1024)).toBe(false);
});

it.each([
  ['sorted into runs', 300, 16 << 20],
  ['where they came', 5000, 16 << 20],
])('gives each bucket its rows in their order, however many there are: %s', (_, buckets, maxBytes) => {
  const staged = new StagedRows(maxBytes, () => 7);
  const expected: Record<string, number[]> = {};
  let next = 0;
  for (let batch = 0; batch < 40; batch++) {
    // Each batch has its own codes, and buckets that those before did not have.
    const ids = Array.from({ length: buckets }, (_, i) => `b=${(i * 7 + batch) % (buckets + batch)}`);
    const values = Array.from({ length: 4000 }, () => next++);
    const codes = Int32Array.from(values, (value) => (value * 31) % buckets);
    for (const [row, value] of values.entries()) {
      const id = ids[codes[row]!]!;
      expected[id] ??= [];
      expected[id].push(value);
    }
    staged.add(batchOf(values), { codes, ids }, NONE, 0);
  }
  expect(staged.rows).toBe(160_000);
  const taken = staged.take()!;
  expect(taken.groups.length).toBe(buckets < 4096 ? 5 : 1);
  const found = byBucket(taken);
  for (const [id, values] of Object.entries(found)) expect(values).toEqual(expected[id] ?? []);
  expect(Object.keys(found).length).toBeGreaterThanOrEqual(Object.keys(expected).length);
  staged.clear();
  expect(staged.rows).toBe(0);
});

it('counts what it has sorted, and is full before a run beside the rest would be too much', () => {
  const maxBytes = 4 << 20;
  const staged = new StagedRows(maxBytes, () => 7);
  const ids = Array.from({ length: 500 }, (_, i) => `b=${i}`);
  const values = Array.from({ length: 8192 }, (_, i) => i);
  const codes = Int32Array.from(values, (i) => i % ids.length);
  for (let round = 0; round < 3; round++) {
    while (!staged.isFull(maxBytes)) staged.add(batchOf(values), { codes, ids }, NONE, 0);
    expect(staged.rows).toBeGreaterThan(200_000);
    const rows = staged.rows;
    const { groups } = staged.take()!;
    expect(groups.reduce((sum, { batch }) => sum + batch.length, 0)).toBe(rows);
    expect(staged.memoryBytes).toBeLessThanOrEqual(maxBytes);
    staged.clear();
    expect(staged.isFull(maxBytes)).toBe(false);
  }
});

it.each([3, 5000])('knows the watermark that each row came under, with %i buckets', (buckets) => {
  const staged = new StagedRows(1 << 24, () => 7);
  const ids = Array.from({ length: buckets }, (_, i) => `b=${i}`);
  const vector = { codes: Int32Array.of(0, 1, 2), ids };
  staged.add(batchOf([1, 2, 3]), vector, NONE, 100);
  staged.add(batchOf([4, 5, 6]), vector, 10, 101);
  staged.add(batchOf([7, 8, 9]), vector, 10, 102);
  staged.add(batchOf([10, 11]), { codes: Int32Array.of(0, 0), ids: ['b=2'] }, 20, 103);
  const taken = staged.take()!;
  const [group] = taken.groups;
  expect(taken.groups).toHaveLength(1);
  const found = ids.slice(0, 3).map((_, code) => {
    const slices: unknown[] = [];
    const end = group!.starts[code + 1]!;
    for (let from = group!.starts[code]!; from < end; ) {
      const to = sameWatermark(group!, from, end);
      const rows = [...group!.rows.subarray(from, to)].map(
        (row) => (group!.batch.record(row) as { n: number }).n,
      );
      slices.push([watermarkAt(group!, from), ...rows]);
      from = to;
    }
    return slices;
  });
  expect(found).toEqual([
    [
      [NONE, 1],
      [10, 4, 7],
    ],
    [
      [NONE, 2],
      [10, 5, 8],
    ],
    [
      [NONE, 3],
      [10, 6, 9],
      [20, 10, 11],
    ],
  ]);
  expect([1, 2].map((code) => taken.timesOf(code))).toMatchObject([
    { bucketId: 'b=1', rows: 3, creationTimeMs: 100, lastUpdateTimeMs: 102, bucketEndMs: 7 },
    { bucketId: 'b=2', rows: 5, creationTimeMs: 100, lastUpdateTimeMs: 103, bucketEndMs: 7 },
  ]);
  staged.clear();
  expect(staged.parts).toEqual([]);
  staged.add(batchOf([1, 2, 3]), vector, 20, 200);
  expect(staged.take()!.groups[0]).toMatchObject({ watermarksMs: [20], watermarkOf: null });
});

it('knows nothing of buckets that are named and get no rows', () => {
  const staged = new StagedRows(1 << 24, () => 7);
  staged.add(batchOf([1, 2]), { codes: Int32Array.of(2, 2), ids: ['a', 'b', 'c'] }, NONE, 100);
  staged.add(batchOf([3]), { codes: Int32Array.of(1), ids: ['c', 'b'] }, NONE, 200);
  expect(staged.parts).toMatchObject([
    { bucketId: 'c', rows: 2, lastUpdateTimeMs: 100 },
    { bucketId: 'b', rows: 1, creationTimeMs: 200 },
  ]);
  expect(byBucket(staged.take()!)).toEqual({ c: [1, 2], b: [3] });
});

it('a watermark with each small batch makes no runs of them', () => {
  const staged = new StagedRows(1 << 24, () => 7);
  const ids = Array.from({ length: 1000 }, (_, i) => `b=${i}`);
  for (let i = 0; i < 2000; i++)
    staged.add(batchOf([i, i]), { codes: Int32Array.of(i % 1000, (i + 1) % 1000), ids }, i, i);
  const { groups } = staged.take()!;
  expect(groups).toHaveLength(1);
  expect(groups[0]!.watermarksMs).toHaveLength(2000);
});
