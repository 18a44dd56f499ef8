import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PartFileInfo, RollingPolicy } from '../../../lib/core/rolling-policy.ts';
import {
  anyOf,
  createRollingPolicy,
  defaultRollingPolicy,
  maxRowsRollingPolicy,
  onCheckpointRollingPolicy,
} from '../../../rolling/index.ts';

function part(info: Partial<PartFileInfo> = {}): PartFileInfo {
  return { bucketId: 'b', creationTimeMs: 0, lastUpdateTimeMs: 0, sizeBytes: 1, rows: 1, ...info };
}

/** Writes records of the given sizes one by one; gives the records of each closed part, then those still open. */
function write(policy: RollingPolicy, sizes: readonly number[]): number[][] {
  const parts: number[][] = [];
  let open: number[] = [];
  for (const size of sizes) {
    const sizeBytes = open.reduce((sum, one) => sum + one, 0);
    if (open.length > 0 && policy.shouldRollOnEvent(part({ sizeBytes, rows: open.length }))) {
      parts.push(open);
      open = [];
    }
    open.push(size);
  }
  return [...parts, open];
}

const NEVER = {
  rolloverIntervalMs: Number.POSITIVE_INFINITY,
  inactivityIntervalMs: Number.POSITIVE_INFINITY,
};

describe('default rolling policy', () => {
  test('A3: limit 10 B, records of 8 B: the third record closes a part of two', () => {
    expect(write(defaultRollingPolicy({ partSizeBytes: 10 }), [8, 8, 8])).toEqual([[8, 8], [8]]);
  });

  test('A4: a part of exactly the limit is not closed', () => {
    const policy = defaultRollingPolicy({ partSizeBytes: 10 });
    expect(policy.shouldRollOnEvent(part({ sizeBytes: 10 }))).toBe(false);
    expect(policy.shouldRollOnEvent(part({ sizeBytes: 11 }))).toBe(true);
    expect(write(policy, [5, 5, 5, 5])).toEqual([[5, 5, 5], [5]]);
  });

  test('A5: inactive for the interval', () => {
    const policy = defaultRollingPolicy({ ...NEVER, inactivityIntervalMs: 100 });
    expect(policy.shouldRollOnProcessingTime(part(), 99)).toBe(false);
    expect(policy.shouldRollOnProcessingTime(part(), 101)).toBe(true);
  });

  test('A6: rollover 11, inactivity 4', () => {
    const policy = defaultRollingPolicy({ rolloverIntervalMs: 11, inactivityIntervalMs: 4 });
    const first = part({ creationTimeMs: 3, lastUpdateTimeMs: 3 });
    expect(policy.shouldRollOnProcessingTime(first, 5)).toBe(false);
    expect(policy.shouldRollOnProcessingTime(first, 7)).toBe(true);
    expect(policy.shouldRollOnProcessingTime(part({ creationTimeMs: 3, lastUpdateTimeMs: 19 }), 20)).toBe(
      true,
    );
    expect(policy.shouldRollOnProcessingTime(part({ creationTimeMs: 10, lastUpdateTimeMs: 19 }), 20)).toBe(
      false,
    );
  });

  test('A7: a small part outlives a checkpoint; one over the size does not', () => {
    const policy = defaultRollingPolicy({ partSizeBytes: 10 });
    expect(policy.shouldRollOnCheckpoint(part({ sizeBytes: 10 }))).toBe(false);
    expect(policy.shouldRollOnCheckpoint(part({ sizeBytes: 11 }))).toBe(true);
  });

  test('B39: created 11, interval 10: not at 20, rolled at 21; inactivity counts from the last write', () => {
    const byAge = defaultRollingPolicy({ ...NEVER, rolloverIntervalMs: 10 });
    const busy = { creationTimeMs: 11, lastUpdateTimeMs: 20 };
    expect(byAge.shouldRollOnProcessingTime(part(busy), 20)).toBe(false);
    expect(byAge.shouldRollOnProcessingTime(part(busy), 21)).toBe(true);
    const byIdleness = defaultRollingPolicy({ ...NEVER, inactivityIntervalMs: 10 });
    expect(byIdleness.shouldRollOnProcessingTime(part(busy), 29)).toBe(false);
    expect(byIdleness.shouldRollOnProcessingTime(part(busy), 30)).toBe(true);
  });

  test('Flink’s defaults: 128 MiB, a minute of age, a minute of idleness', () => {
    const policy = defaultRollingPolicy();
    expect(policy.shouldRollOnEvent(part({ sizeBytes: 128 * 1024 * 1024 }))).toBe(false);
    expect(policy.shouldRollOnEvent(part({ sizeBytes: 128 * 1024 * 1024 + 1 }))).toBe(true);
    expect(policy.shouldRollOnProcessingTime(part(), 59_999)).toBe(false);
    expect(policy.shouldRollOnProcessingTime(part(), 60_000)).toBe(true);
  });

  test('a full part is closed by the timer too, so that an idle one does not wait', () => {
    const policy = defaultRollingPolicy({ ...NEVER, partSizeBytes: 10, maxRows: 5 });
    expect(policy.shouldRollOnProcessingTime(part({ sizeBytes: 11 }), 0)).toBe(true);
    expect(policy.shouldRollOnProcessingTime(part({ rows: 5 }), 0)).toBe(true);
    expect(policy.shouldRollOnProcessingTime(part({ rows: 4 }), 0)).toBe(false);
  });

  test('rows until a roll: by count, and by size as far as the rows so far tell', () => {
    const policy = defaultRollingPolicy({ partSizeBytes: 1000, maxRows: 50 });
    expect(policy.rowsUntilRoll?.(part({ rows: 0, sizeBytes: 0 }))).toBe(50);
    expect(policy.rowsUntilRoll?.(part({ rows: 10, sizeBytes: 10 }))).toBe(40);
    expect(policy.rowsUntilRoll?.(part({ rows: 10, sizeBytes: 500 }))).toBe(11);
    expect(policy.rowsUntilRoll?.(part({ rows: 10, sizeBytes: 2000 }))).toBe(1);
    expect(defaultRollingPolicy().rowsUntilRoll?.(part({ rows: 0, sizeBytes: 0 }))).toBe(
      Number.POSITIVE_INFINITY,
    );
  });

  test('rows taken in slices of rowsUntilRoll: a part is over by less than one row of its size (property)', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.integer({ min: 1, max: 300 }),
        (partSizeBytes, rowBytes) => {
          const policy = defaultRollingPolicy({ partSizeBytes });
          let rows = 1;
          while (!policy.shouldRollOnEvent(part({ rows, sizeBytes: rows * rowBytes }))) {
            const more = policy.rowsUntilRoll!(part({ rows, sizeBytes: rows * rowBytes }));
            expect(more).toBeGreaterThanOrEqual(1);
            rows += more;
          }
          expect((rows - 1) * rowBytes).toBeLessThanOrEqual(partSizeBytes);
        },
      ),
    );
  });

  describe('a clock that goes backwards', () => {
    const policy = defaultRollingPolicy({ rolloverIntervalMs: 100, inactivityIntervalMs: 50 });

    test('a small step rolls nothing, and delays a roll by that step only', () => {
      const open = part({ creationTimeMs: 1000, lastUpdateTimeMs: 1000 });
      expect(policy.shouldRollOnProcessingTime(open, 960)).toBe(false);
      expect(policy.shouldRollOnProcessingTime(open, 1049)).toBe(false);
      expect(policy.shouldRollOnProcessingTime(open, 1050)).toBe(true);
    });

    test('a large step closes what is open, once: parts of the new time live on', () => {
      const hourBack = 10_000_000 - 3_600_000;
      expect(
        policy.shouldRollOnProcessingTime(part({ creationTimeMs: 1e7, lastUpdateTimeMs: 1e7 }), hourBack),
      ).toBe(true);
      const next = part({ creationTimeMs: hourBack, lastUpdateTimeMs: hourBack });
      expect(policy.shouldRollOnProcessingTime(next, hourBack + 49)).toBe(false);
    });

    test('a step back of any length at any age delays a roll by that step at most, and never to three intervals', () => {
      const intervalMs = 100;
      const byAge = defaultRollingPolicy({ ...NEVER, rolloverIntervalMs: intervalMs });
      const creationTimeMs = 1_000_000;
      const openFor = (stepMs: number, ageAtStep: number) => {
        for (let elapsed = 0; ; elapsed++) {
          const nowMs = creationTimeMs + elapsed - (elapsed > ageAtStep ? stepMs : 0);
          if (byAge.shouldRollOnProcessingTime(part({ creationTimeMs, lastUpdateTimeMs: nowMs }), nowMs)) {
            return elapsed;
          }
        }
      };
      let longest = 0;
      for (let stepMs = 0; stepMs <= 4 * intervalMs; stepMs++) {
        const openForMs = Array.from({ length: intervalMs }, (_, age) => openFor(stepMs, age));
        expect(Math.max(...openForMs)).toBeLessThanOrEqual(intervalMs + stepMs);
        longest = Math.max(longest, ...openForMs);
      }
      expect(longest).toBe(3 * intervalMs - 1);
    });
  });

  test.each([
    { partSizeBytes: 0 },
    { partSizeBytes: Number.NaN },
    { rolloverIntervalMs: -1 },
    { inactivityIntervalMs: 0 },
    { maxRows: 0 },
  ])('refuses %j', (options) => {
    expect(() => defaultRollingPolicy(options)).toThrow(expect.objectContaining({ code: 'JOB_INVALID' }));
  });
});

describe('other policies', () => {
  test('A8: on checkpoint: at each one, and never between, whatever the size or time', () => {
    const policy = onCheckpointRollingPolicy();
    const old = part({ sizeBytes: 1e15, rows: 1e9 });
    expect(policy.shouldRollOnCheckpoint(part())).toBe(true);
    expect(policy.shouldRollOnEvent(old)).toBe(false);
    expect(policy.shouldRollOnProcessingTime(old, 1e15)).toBe(false);
    expect(policy.rowsUntilRoll?.(old)).toBe(Number.POSITIVE_INFINITY);
  });

  test('A9: two elements, checkpoint, inactivity: each question rolls on its own', () => {
    const idle: RollingPolicy = {
      shouldRollOnEvent: () => false,
      shouldRollOnCheckpoint: () => false,
      shouldRollOnProcessingTime: (info, nowMs) => nowMs - info.lastUpdateTimeMs >= 10,
    };
    const policy = anyOf(maxRowsRollingPolicy(2), onCheckpointRollingPolicy(), idle);
    expect(write(policy, [1, 1, 1, 1, 1])).toEqual([[1, 1], [1, 1], [1]]);
    expect(policy.shouldRollOnCheckpoint(part())).toBe(true);
    expect(policy.shouldRollOnProcessingTime(part({ lastUpdateTimeMs: 5 }), 14)).toBe(false);
    expect(policy.shouldRollOnProcessingTime(part({ lastUpdateTimeMs: 5 }), 15)).toBe(true);
    expect(policy.rowsUntilRoll?.(part({ rows: 0 }))).toBe(2);
    expect(anyOf(idle).rowsUntilRoll?.(part())).toBe(Number.POSITIVE_INFINITY);
  });

  test('max rows closes a part with exactly that many', () => {
    const policy = maxRowsRollingPolicy(3);
    expect(write(policy, [1, 1, 1, 1, 1, 1, 1])).toEqual([[1, 1, 1], [1, 1, 1], [1]]);
    expect(policy.rowsUntilRoll?.(part({ rows: 1 }))).toBe(2);
    expect(policy.shouldRollOnCheckpoint(part({ rows: 2 }))).toBe(false);
  });

  test.each([0, -1, 1.5, Number.NaN])('max rows refuses %d', (rows) => {
    expect(() => maxRowsRollingPolicy(rows)).toThrow(/maxRows/);
  });

  test('any of nothing is refused', () => {
    expect(() => anyOf()).toThrow(/at least one/);
  });
});

describe('createRollingPolicy', () => {
  const moduleAt = (name: string) => path.join(import.meta.dirname, 'modules', name);

  test('default', async () => {
    const policy = await createRollingPolicy({
      type: 'default',
      partSizeBytes: 10,
      rolloverIntervalMs: 100,
      inactivityIntervalMs: 50,
      maxRows: null,
      onCheckpoint: true,
      watermarkDelayMs: null,
    });
    expect(policy.shouldRollOnCheckpoint(part())).toBe(true);
    expect(policy.shouldRollOnEvent(part({ sizeBytes: 11 }))).toBe(true);
    expect(policy.rowsUntilRoll?.(part({ rows: 0, sizeBytes: 0 }))).toBe(Number.POSITIVE_INFINITY);
  });

  test('a module with Flink’s three questions is asked before each row', async () => {
    const module = moduleAt('every-two.mjs');
    const policy = await createRollingPolicy({ type: 'custom', module, options: { rows: 2 } });
    expect(write(policy, [1, 1, 1])).toEqual([[1, 1], [1]]);
    expect(policy.rowsUntilRoll?.(part())).toBe(1);
    expect(policy.shouldRollOnCheckpoint(part())).toBe(true);
    expect(policy.shouldRollOnProcessingTime(part({ lastUpdateTimeMs: 0 }), 9)).toBe(false);
  });

  test('answers that are none are refused: a promise would roll at each row', async () => {
    const policy = await createRollingPolicy({
      type: 'custom',
      module: moduleAt('promising.mjs'),
      options: null,
    });
    expect(() => policy.shouldRollOnEvent(part())).toThrow(
      /not a promise|answered shouldRollOnEvent with a object/,
    );
    expect(() => policy.shouldRollOnCheckpoint(part())).toThrow(/no idea/);
    expect(() => policy.shouldRollOnProcessingTime(part(), 0)).toThrow(/number/);
    expect(() => policy.rowsUntilRoll?.(part())).toThrow(/answered rowsUntilRoll with 0/);
  });

  test.each(['incomplete.mjs', 'missing.mjs'])('%s is a mistake in the job', async (name) => {
    await expect(
      createRollingPolicy({ type: 'custom', module: moduleAt(name), options: null }),
    ).rejects.toThrow(expect.objectContaining({ code: 'JOB_INVALID' }));
  });
});
