import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planBucket, type SmallPart, type Unit } from '../../../lib/compaction/plan.ts';
import { seededRandom } from '../../support/generate.ts';

const parts = (...sizes: number[]): SmallPart[] =>
  sizes.map((sizeBytes, i) => ({ path: `p${String(i).padStart(4, '0')}`, sizeBytes }));
const sizes = (units: readonly Unit[]) => units.map((unit) => unit.map(({ sizeBytes }) => sizeBytes));
const plan = (found: SmallPart[], targetBytes: number, quiet = false, maxSmallParts = 1000) =>
  sizes(planBucket(found, { targetBytes, maxSmallParts }, quiet));

describe('plan of a bucket', () => {
  test('E49: parts are merged once there is enough for a whole part and the beginning of another', () => {
    expect(plan(parts(5, 6, 4), 12)).toEqual([]);
    expect(plan(parts(5, 5, 5, 5, 5), 12)).toEqual([]);
    expect(plan(parts(5, 5, 5, 5, 5, 2), 12)).toEqual([[5, 5, 2]]);
    expect(plan(parts(5), 12)).toEqual([]);
  });

  test('E50: a bucket with more small parts than allowed is thinned out, its smallest first', () => {
    expect(plan(parts(1, 2, 1, 1), 100, false, 4)).toEqual([]);
    expect(plan(parts(1, 9, 2, 1, 1), 80, false, 4)).toEqual([[1, 1, 1, 2]]);
    // Tiny ones into coins, and some of more than a quarter of all that may be there into a lump.
    expect(plan(parts(1, 9, 2, 1, 1, 5, 4), 80, false, 6)).toEqual([[4, 5]]);
    expect(plan(parts(6, 6, 6, 6, 6), 40, false, 4)).toEqual([]);
  });

  test('E51: at the end what is left is merged, however little', () => {
    expect(plan(parts(1, 1), 1000, true)).toEqual([[1, 1]]);
    expect(plan(parts(1), 1000, true)).toEqual([]);
    expect(plan(parts(), 1000, true)).toEqual([]);
  });

  test('the end of a bucket: halves as even as its parts can be, and thirds where halves are too large', () => {
    // Largest first, each to the least, would make 59 and 43.
    const halves = plan(parts(26, 25, 17, 17, 17), 100, true);
    expect(halves.sort((a, b) => a.length - b.length)).toEqual([
      [26, 25],
      [17, 17, 17],
    ]);
    const thirds = plan(parts(42, 42, 42, 42, 21, 21), 100, true);
    expect(thirds.map((unit) => unit.reduce((sum, size) => sum + size, 0))).toEqual([84, 63, 63]);
    expect(plan(parts(49, 49, 49, 49), 100, true)).toEqual([
      [49, 49],
      [49, 49],
    ]);
    // Nothing can be done about these: one has less than half.
    expect(plan(parts(45, 45, 45), 100, true)).toEqual([[45, 45]]);
    expect(plan(parts(40, 40, 40, 40, 40), 100, true).flat()).toHaveLength(4);
  });

  test('E52: parts of half the target or more pass through', () => {
    expect(plan(parts(50, 100, 1000, 49), 100, true)).toEqual([]);
    expect(plan(parts(50, 49, 48, 100), 100, true)).toEqual([[49, 48]]);
  });

  test('E53: a smaller target makes units of what waited for more', () => {
    const waiting = parts(4, 4, 4, 4, 4, 4);
    expect(plan(waiting, 100)).toEqual([]);
    expect(plan(waiting, 10)).toEqual([[4, 4]]);
  });

  test('E56: bins in the order of their paths; the same from any order of finding them', () => {
    const found = parts(3, 2, 5, 1, 4, 4, 3, 4);
    expect(plan(found, 11)).toEqual([[3, 2, 5, 1]]);
    expect(plan([...found].reverse(), 11)).toEqual([[3, 2, 5, 1]]);
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
        // A bucket that has little more than one target in all has lumps of 12 to make two halves of.
        const least = total > 100 && total < 120 ? 44 : Math.min(50, total);
        const outside = lake.filter(({ sizeBytes }) => sizeBytes < least || sizeBytes > 100);
        expect(outside.map(({ sizeBytes }) => sizeBytes)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test('a bucket of a little more than the target ends in two parts of half of it and more', () => {
    const targetBytes = 1_310_720;
    fc.assert(
      fc.property(
        fc.double({ min: 1.005, max: 1.3, noNaN: true }),
        fc.integer({ min: 1, max: 1e6 }),
        (share, seed) => {
          const random = seededRandom(seed);
          let lake: SmallPart[] = [];
          let counter = 0;
          let total = 0;
          const merge = (quiet: boolean) => {
            for (const unit of planBucket(lake, { targetBytes, maxSmallParts: 32 }, quiet)) {
              lake = lake.filter((part) => !unit.includes(part));
              const sizeBytes = unit.reduce((sum, part) => sum + part.sizeBytes, 0);
              lake.push({ path: `c${String(counter++).padStart(6, '0')}`, sizeBytes });
            }
          };
          while (total < share * targetBytes) {
            const sizeBytes = 201 * (1 + Math.floor(random() * 6));
            total += sizeBytes;
            lake.push({ path: `p${String(counter++).padStart(6, '0')}`, sizeBytes });
            merge(false);
          }
          merge(true);
          expect(lake).toHaveLength(2);
          for (const { sizeBytes } of lake) expect(sizeBytes).toBeGreaterThanOrEqual(targetBytes / 2);
        },
      ),
      { numRuns: 50 },
    );
  });
});
