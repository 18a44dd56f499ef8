/** What every RollingPolicy has to do. For your own: import this, and call it with a way to make the policy. */
import { describe, expect, it } from 'vitest';
import type { PartFileInfo, RollingPolicy } from '../../../lib/core/rolling-policy.ts';

/** Parts as a sink shows them: young and old, small and large, idle and busy, and dated later than now. */
function parts(): PartFileInfo[] {
  const times = [0, 1, 1000, 60_000, 3_600_000, 86_400_000];
  return times.flatMap((creationTimeMs) =>
    [0, 5, 120_000].flatMap((age) =>
      [1, 1000, 1e6, 1e9].map((rows) =>
        Object.freeze({
          bucketId: 'dt=2026-11-22',
          creationTimeMs,
          lastUpdateTimeMs: creationTimeMs + age,
          sizeBytes: rows * 200,
          rows,
        }),
      ),
    ),
  );
}

export function rollingPolicySuite(name: string, make: () => Promise<RollingPolicy>): void {
  describe(`RollingPolicy contract: ${name}`, () => {
    it('answers true or false, never a promise', async () => {
      const policy = await make();
      for (const part of parts()) {
        expect(typeof policy.shouldRollOnEvent(part)).toBe('boolean');
        expect(typeof policy.shouldRollOnCheckpoint(part)).toBe('boolean');
        for (const nowMs of [0, 500, 70_000, 1e9]) {
          expect(typeof policy.shouldRollOnProcessingTime(part, nowMs)).toBe('boolean');
        }
      }
    });

    it('has no side effects: the same questions get the same answers', async () => {
      const policy = await make();
      const ask = () =>
        parts().map((part) => [
          policy.shouldRollOnEvent(part),
          policy.shouldRollOnCheckpoint(part),
          policy.shouldRollOnProcessingTime(part, 100_000),
          policy.rowsUntilRoll?.(part),
        ]);
      expect(ask()).toEqual(ask());
    });

    it('does not close a part for its first row: each would be a file of its own', async () => {
      const policy = await make();
      const first = { bucketId: '', creationTimeMs: 50, lastUpdateTimeMs: 50, sizeBytes: 1, rows: 1 };
      expect(policy.shouldRollOnProcessingTime(first, 50)).toBe(false);
    });

    it('lets at least one row in before it is asked again, and is full when it said so', async () => {
      const policy = await make();
      const { rowsUntilRoll } = policy;
      if (rowsUntilRoll === undefined) return;
      for (const part of parts()) {
        const rows = policy.rowsUntilRoll!(part);
        expect(rows).toBeGreaterThanOrEqual(1);
        expect(Number.isNaN(rows)).toBe(false);
      }
    });

    it('closes every part in the end: by rows and size, at a checkpoint or by time', async () => {
      const policy = await make();
      const part = { bucketId: '', creationTimeMs: 0, lastUpdateTimeMs: 0, sizeBytes: 1e15, rows: 1e12 };
      const ever =
        policy.shouldRollOnEvent(part) ||
        policy.shouldRollOnCheckpoint(part) ||
        policy.shouldRollOnProcessingTime(part, 1e15);
      expect(ever).toBe(true);
    });
  });
}
