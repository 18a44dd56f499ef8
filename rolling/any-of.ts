/** Rolls when any of several policies wants to. */
import { SluiceError } from '../lib/core/errors.ts';
import type { PartFileInfo, RollingPolicy } from '../lib/core/rolling-policy.ts';

/**
 * Asks the policies in order until one says yes. A policy without `rowsUntilRoll` does not look at rows or size as they
 * grow (it sets no bound here), as for a sink that has it alone.
 * @throws SluiceError JOB_INVALID without policies
 */
export function anyOf(...policies: readonly RollingPolicy[]): RollingPolicy {
  if (policies.length === 0) throw new SluiceError('JOB_INVALID', 'rolling: anyOf needs at least one policy');
  return {
    shouldRollOnEvent: (part) => policies.some((policy) => policy.shouldRollOnEvent(part)),
    shouldRollOnCheckpoint: (part) => policies.some((policy) => policy.shouldRollOnCheckpoint(part)),
    shouldRollOnProcessingTime: (part, nowMs) =>
      policies.some((policy) => policy.shouldRollOnProcessingTime(part, nowMs)),
    shouldRollOnWatermark: (part, watermarkMs) =>
      policies.some((policy) => policy.shouldRollOnWatermark?.(part, watermarkMs) ?? false),
    rowsUntilRoll: (part: PartFileInfo) => {
      let rows = Number.POSITIVE_INFINITY;
      for (const policy of policies) rows = Math.min(rows, policy.rowsUntilRoll?.(part) ?? rows);
      return rows;
    },
  };
}
