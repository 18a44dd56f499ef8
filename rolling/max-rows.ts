/** Rolls by number of rows. */
import { SluiceError } from '../lib/core/errors.ts';
import type { RollingPolicy } from '../lib/core/rolling-policy.ts';

/**
 * Closes a part with its `maxRows`th row: as soon as the next row, a checkpoint or the timer asks.
 * @throws SluiceError JOB_INVALID unless maxRows is a whole number from 1 on
 */
export function maxRowsRollingPolicy(maxRows: number): RollingPolicy {
  if (!Number.isSafeInteger(maxRows) || maxRows < 1) {
    throw new SluiceError(
      'JOB_INVALID',
      `rolling: maxRows is ${maxRows}, and has to be a whole number from 1 on`,
    );
  }
  return {
    shouldRollOnEvent: (part) => part.rows >= maxRows,
    shouldRollOnCheckpoint: (part) => part.rows >= maxRows,
    shouldRollOnProcessingTime: (part) => part.rows >= maxRows,
    rowsUntilRoll: (part) => Math.max(1, maxRows - part.rows),
  };
}
