/** Rolls at each checkpoint and only then. Flink: OnCheckpointRollingPolicy. */
import type { RollingPolicy } from '../lib/core/rolling-policy.ts';

/** One part a bucket and checkpoint, whatever its size or age. */
export function onCheckpointRollingPolicy(): RollingPolicy {
  return {
    shouldRollOnEvent: () => false,
    shouldRollOnCheckpoint: () => true,
    shouldRollOnProcessingTime: () => false,
    rowsUntilRoll: () => Number.POSITIVE_INFINITY,
  };
}
