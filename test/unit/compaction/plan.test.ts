import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planBucket, type SmallPart, type Unit } from '../../../lib/compaction/plan.ts';

const parts = (...sizes: number[]): SmallPart[] =>
  sizes.map((sizeBytes, i) => ({ path: `p${String(i).padStart(4, '0')}`, sizeBytes }));
const sizes = (units: readonly Unit[]) => units.map((unit) => unit.map(({ sizeBytes }) => sizeBytes));
const plan = (found: SmallPart[], targetBytes: number, quiet = false, maxSmallParts = 1000) =>
  sizes(planBucket(found, { targetBytes, maxSmallParts }, quiet));

describe('plan of a bucket', () => {
  test('E49: parts are merged once there is enough for a whole part and the beginning of another', () => {
    expect(plan(parts(5, 6, 4), 12)).toEqual([]);
    expect(plan(parts(5, 5, 5, 3), 12)).toEqual([[5, 5]]);
    expect(plan(parts(5), 12)).toEqual([]);
  });

  test('E50: a bucket with more small parts than allowed is thinned out, its smallest first', () => {
    expect(plan(parts(1, 2, 1, 1), 100, false, 4)).toEqual([]);
    expect(plan(parts(1, 9, 2, 1, 1), 40, false, 4)).toEqual([[1, 1, 1, 2]]);
    expect(plan(parts(6, 6, 6, 6, 6), 40, false, 4)).toEqual([]);
  });

  test('E51: at the end what is left is merged, however little', () => {
    expect(plan(parts(1, 1), 1000, true)).toEqual([[1, 1]]);
    expect(plan(parts(1), 1000, true)).toEqual([]);
    expect(plan(parts(), 1000, true)).toEqual([]);
  });

  test('E52: parts of half the target or more pass through', () => {
    expect(plan(parts(50, 100, 1000, 49), 100, true)).toEqual([]);
    expect(plan(parts(50, 49, 48, 100), 100, true)).toEqual([[49, 48]]);
  });

  test('E53: a smaller target makes units of what waited for more', () => {
    const waiting = parts(4, 4, 4, 4, 4, 4);
    expect(plan(waiting, 100)).toEqual([]);
    expect(plan(waiting, 12)).toEqual([[4, 4, 4]]);
  });

  test('E56: bins in the order of their paths; the same from any order of finding them', () => {
    const found = parts(3, 2, 5, 1, 4, 4, 3);
    expect(plan(found, 12)).toEqual([[3, 2, 5, 1]]);
    expect(plan([...found].reverse(), 12)).toEqual([[3, 2, 5, 1]]);
  });

  const arbitrary = fc.record({
    found: fc
      .array(fc.integer({ min: 1, max: 120 }), { maxLength: 60, size: 'max' })
      .map((list) => parts(...list)),
    quiet: fc.boolean(),
    maxSmallParts: fc.integer({ min: 2, max: 40 }),
  });

  test('units share no part, have two at least, and never exceed the target', () => {
    fc.assert(
      fc.property(arbitrary, ({ found, quiet, maxSmallParts }) => {
        const units = planBucket(found, { targetBytes: 100, maxSmallParts }, quiet);
        const all = units.flat();
        expect(new Set(all).size).toBe(all.length);
        for (const unit of units) {
          expect(unit.length).toBeGreaterThanOrEqual(2);
          const sum = unit.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
          expect(sum).toBeLessThanOrEqual(100);
          for (const { sizeBytes } of unit) expect(sizeBytes).toBeLessThan(50);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('a stream of small parts ends in parts of half to all of the target, whatever comes', () => {
    const stream = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 30, maxLength: 400, size: 'max' });
    fc.assert(
      fc.property(stream, fc.integer({ min: 4, max: 60 }), (arriving, maxSmallParts) => {
        const targetBytes = 100;
        let lake: SmallPart[] = [];
        let counter = 0;
        let rounds = 0;
        const merge = (quiet: boolean): boolean => {
          const units = planBucket(lake, { targetBytes, maxSmallParts }, quiet);
          for (const unit of units) {
            lake = lake.filter((part) => !unit.includes(part));
            const sizeBytes = unit.reduce((total, part) => total + part.sizeBytes, 0);
            lake.push({ path: `c${String(counter++).padStart(4, '0')}`, sizeBytes });
          }
          return units.length > 0;
        };
        for (const [i, sizeBytes] of arriving.entries()) {
          lake.push({ path: `p${String(i).padStart(4, '0')}`, sizeBytes });
          merge(false);
        }
        while (merge(true)) expect(++rounds, 'it comes to an end').toBeLessThan(50);
        const total = arriving.reduce((sum, sizeBytes) => sum + sizeBytes, 0);
        expect(lake.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)).toBe(total);
        // Halves of parts of 12 at the most cannot always be told apart more finely.
        const outside = lake.filter(({ sizeBytes }) => sizeBytes < 47 || sizeBytes > 100);
        if (total >= 50) expect(outside.map(({ sizeBytes }) => sizeBytes)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
