/** Rolls when event time has passed. */
import type { RollingPolicy } from '../lib/core/rolling-policy.ts';

/**
 * Closes a part once the watermark is `delayMs` behind the end of its bucket's time: no more rows are expected for it.
 * Buckets whose folder tells no event time are not touched.
 */
export function watermarkRollingPolicy(delayMs: number): RollingPolicy {
  return {
    shouldRollOnEvent: () => false,
    shouldRollOnCheckpoint: () => false,
    shouldRollOnProcessingTime: () => false,
    shouldRollOnWatermark: ({ bucketEndMs }, watermarkMs) =>
      bucketEndMs !== undefined && bucketEndMs !== null && watermarkMs >= bucketEndMs + delayMs,
    rowsUntilRoll: () => Number.POSITIVE_INFINITY,
  };
}
