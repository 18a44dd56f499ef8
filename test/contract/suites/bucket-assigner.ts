/**
 * What every BucketAssigner has to do. For your own: import this, and call it with a way to make the assigner and a batch
 * that it understands.
 */
import { describe, expect, it } from 'vitest';
import { confine } from '../../../bucketing/index.ts';
import { Batch } from '../../../lib/core/batch.ts';
import type { BucketAssigner, BucketContext } from '../../../lib/core/bucket-assigner.ts';

export interface BucketAssignerFixture {
  readonly assigner: BucketAssigner;
  /** Batches of at least two rows each, the first with rows of several buckets where the assigner tells rows apart. */
  readonly batches: readonly Batch[];
  readonly context: BucketContext;
  /** A batch of one row: that of another batch. */
  readonly single: (batch: Batch, row: number) => Batch;
  /** The context for it. */
  readonly singleContext?: (context: BucketContext, row: number) => BucketContext;
}

/** The buckets of all rows, and a check of the vector's form. */
function assigned(assigner: BucketAssigner, batch: Batch, context: BucketContext): string[] {
  const { codes, ids } = assigner.assign(batch, context);
  expect(codes).toBeInstanceOf(Int32Array);
  expect(codes.length).toBeGreaterThanOrEqual(batch.length);
  expect(new Set(ids).size).toBe(ids.length);
  return [...codes.subarray(0, batch.length)].map((code) => {
    expect(code).toBeGreaterThanOrEqual(0);
    expect(code).toBeLessThan(ids.length);
    return ids[code]!;
  });
}

export function bucketAssignerSuite(name: string, make: () => Promise<BucketAssignerFixture>): void {
  describe(`BucketAssigner contract: ${name}`, () => {
    it('gives each row a code within its ids, and no id twice', async () => {
      const { assigner, batches, context } = await make();
      for (const batch of batches) expect(assigned(assigner, batch, context)).toHaveLength(batch.length);
    });

    it('gives ids that are folders below the base path, which readers list', async () => {
      const { assigner, batches, context } = await make();
      for (const batch of batches)
        for (const id of assigned(assigner, batch, context)) expect(confine(id)).toBe(id);
    });

    it('says the same again, after other batches too: rows read again after a crash land where they were', async () => {
      const { assigner, batches, context } = await make();
      const first = batches.map((batch) => assigned(assigner, batch, context));
      const again = [...batches].reverse().map((batch) => assigned(assigner, batch, context));
      expect(again.reverse()).toEqual(first);
      const fresh = await make();
      expect(fresh.batches.map((batch) => assigned(fresh.assigner, batch, fresh.context))).toEqual(first);
    });

    it('goes by each row alone, not by its neighbours in the batch', async () => {
      const { assigner, batches, context, single, singleContext } = await make();
      for (const batch of batches) {
        const together = assigned(assigner, batch, context);
        for (let row = 0; row < batch.length; row++) {
          const alone = singleContext?.(context, row) ?? context;
          expect(assigned(assigner, single(batch, row), alone)).toEqual([together[row]]);
        }
      }
    });

    it('names as partition columns only columns that there are', async () => {
      const { assigner, batches } = await make();
      const names = batches[0]!.schema.fields.map((field) => field.name);
      for (const column of assigner.partitionColumns) expect(names).toContain(column);
    });

    it('takes a batch without rows', async () => {
      const { assigner, batches, context, single } = await make();
      const { schema, columns } = single(batches[0]!, 0);
      const none = new Batch(schema, columns, 0);
      expect(assigned(assigner, none, context)).toEqual([]);
    });
  });
}
