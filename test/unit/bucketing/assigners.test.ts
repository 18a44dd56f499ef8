import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { basePathAssigner, createBucketAssigner, rowBucketAssigner } from '../../../bucketing/index.ts';
import { Batch } from '../../../lib/core/batch.ts';
import type { RowContext } from '../../../lib/core/bucket-assigner.ts';
import { batchOf, bucketsOf, contextOf, eventTimes, schemaOf } from './assigning.ts';

const moduleAt = (name: string) => path.join(import.meta.dirname, 'modules', name);
const custom = (name: string, options: unknown = {}) =>
  createBucketAssigner({ type: 'custom', module: moduleAt(name), options }, schemaOf({}));

describe('base path', () => {
  test('A17: all rows go directly under the base path', () => {
    const assigner = basePathAssigner();
    expect(bucketsOf(assigner, Batch.ofObjects([1, 2, 3]))).toEqual(['', '', '']);
    expect(bucketsOf(assigner, Batch.ofObjects([1]))).toEqual(['']);
  });
});

describe('row by row', () => {
  test('A15: the context has a null timestamp where there is none, else the row’s own; watermark and clock always', () => {
    const seen: RowContext[] = [];
    const assigner = rowBucketAssigner({
      getBucketId(_record, context) {
        seen.push(context);
        return 'b';
      },
    });
    const { batch, context } = eventTimes(null, 42);
    bucketsOf(assigner, batch, { ...context, processingTimeMs: 7, watermarkMs: 5 });
    bucketsOf(assigner, Batch.ofObjects([1]), { processingTimeMs: 8 });
    expect(seen).toEqual([
      { processingTimeMs: 7, watermarkMs: 5, timestampMs: null },
      { processingTimeMs: 7, watermarkMs: 5, timestampMs: 42 },
      { processingTimeMs: 8, watermarkMs: Number.NEGATIVE_INFINITY, timestampMs: null },
    ]);
  });

  test('A16: an integer id is a folder of its text', () => {
    const assigner = rowBucketAssigner<number>({ getBucketId: (record) => record });
    expect(bucketsOf(assigner, Batch.ofObjects([3, -1, 3]))).toEqual(['3', '-1', '3']);
    const big = rowBucketAssigner<bigint>({ getBucketId: (record) => record });
    expect(bucketsOf(big, Batch.ofObjects([2n ** 60n]))).toEqual(['1152921504606846976']);
  });

  test('records are objects of the row’s values', () => {
    const assigner = rowBucketAssigner<{ a: string }>({ getBucketId: ({ a }) => a, partitionColumns: ['a'] });
    expect(assigner.partitionColumns).toEqual(['a']);
    expect(bucketsOf(assigner, batchOf({ a: 'string' }, [{ a: 'x' }, { a: 'y' }]))).toEqual(['x', 'y']);
  });

  test.each([
    ['an id that leads out', () => '../up', 'PATH_ESCAPE'],
    ['a hidden id', () => '_tmp', 'PATH_ESCAPE'],
    ['a promise', () => Promise.resolve('a') as unknown as string, 'JOB_INVALID'],
    ['nothing', () => undefined as unknown as string, 'JOB_INVALID'],
    [
      'an exception',
      () => {
        throw new TypeError('no country');
      },
      'BAD_RECORD',
    ],
  ])('%s is refused', (_name, getBucketId, code) => {
    expect(() => bucketsOf(rowBucketAssigner({ getBucketId }), Batch.ofObjects([1]))).toThrow(
      expect.objectContaining({ code }),
    );
  });
});

describe('custom modules', () => {
  test('createBucketAssigner(options) with getBucketId', async () => {
    const assigner = await custom('row-assigner.mjs', { prefix: 'c-' });
    expect(assigner.partitionColumns).toEqual(['country']);
    const batch = batchOf({ country: 'string' }, [{ country: 'DE' }]);
    expect(bucketsOf(assigner, batch, { timestampsMs: Float64Array.of(5) })).toEqual(['c-DE-5']);
  });

  test('an asynchronous default export with assign', async () => {
    const assigner = await custom('vector-assigner.mjs', { codes: [1, 0], ids: ['a', 'b'] });
    expect(bucketsOf(assigner, Batch.ofObjects([1, 2]))).toEqual(['b', 'a']);
  });

  test('an object as the default export', async () => {
    expect(bucketsOf(await custom('object-assigner.mjs'), Batch.ofObjects([1, 2]))).toEqual(['1', '0']);
  });

  test.each([
    [{ codes: [0], ids: ['a'] }, /one entry a row|did not answer/],
    [{ codes: [0, 2], ids: ['a', 'b'] }, /code 2 of 2/],
    [{ codes: [0, -1], ids: ['a', 'b'] }, /code -1/],
    [{ codes: [0, 1], ids: ['a', 'a'] }, /twice|same id/],
    [{ codes: [0, 1], ids: ['a', '/b'] }, /begins or ends/],
    [{ codes: [0, 1], ids: ['a', 5] }, /type number/],
  ])('a vector that cannot be is refused: %j', async (options, message) => {
    const assigner = await custom('vector-assigner.mjs', options);
    expect(() => assigner.assign(Batch.ofObjects([1, 2]), contextOf())).toThrow(message);
  });

  test.each([
    ['missing.mjs', /cannot load/],
    ['failing.mjs', /at load/],
    ['no-assigner.mjs', /neither 'createBucketAssigner' nor a default/],
    ['wrong-assigner.mjs', /no bucket assigner/],
    ['row-assigner.mjs', /createBucketAssigner of .* failed/],
  ])('%s is a mistake in the job', async (name, message) => {
    const made = custom(name, null);
    await expect(made).rejects.toThrow(expect.objectContaining({ code: 'JOB_INVALID' }));
    await expect(made).rejects.toThrow(message);
  });
});

test('every kind of spec makes its assigner', async () => {
  const schema = schemaOf({ a: 'string' });
  const batch = batchOf({ a: 'string' }, [{ a: 'x' }]);
  const at = { processingTimeMs: Date.parse('2026-11-22T13:00:00Z') };
  const base = await createBucketAssigner({ type: 'base_path' }, schema);
  expect(bucketsOf(base, batch, at)).toEqual(['']);
  const time = { type: 'datetime', time: 'processing', pattern: 'HH', zone: 'Europe/Berlin' } as const;
  expect(bucketsOf(await createBucketAssigner(time, schema), batch, at)).toEqual(['14']);
  const fields = [{ name: 'k', column: 'a', transform: 'value' }] as const;
  const byField = await createBucketAssigner({ type: 'fields', fields, keepFields: false }, schema);
  expect(bucketsOf(byField, batch, at)).toEqual(['k=x']);
});
