/** Rolls by size, age and inactivity. Flink: DefaultRollingPolicy. */
import { SluiceError } from '../lib/core/errors.ts';
import type { PartFileInfo, RollingPolicy } from '../lib/core/rolling-policy.ts';

export interface DefaultRollingOptions {
  /** Bytes on storage beyond which a part is closed, 128 MiB by default. Strictly more: a part may be one row over. */
  readonly partSizeBytes?: number;
  /** Age at which a part is closed, 60 s by default; Infinity for never. */
  readonly rolloverIntervalMs?: number;
  /** Time since the last row at which a part is closed, 60 s by default; Infinity for never. */
  readonly inactivityIntervalMs?: number;
  /** Rows after which a part is closed, null (default) for any number. */
  readonly maxRows?: number | null;
  /** Whether every checkpoint closes the part. Default: no. */
  readonly onCheckpoint?: boolean;
}

/**
 * A part is closed when it is larger than partSizeBytes or holds maxRows (asked before rows are written, at checkpoints
 * and by the timer), and by the timer when its age reaches rolloverIntervalMs or its idleness inactivityIntervalMs.
 *
 * A clock that is set back: times are compared by their distance, whichever way it points. A step back delays a roll by
 * that step, unless it leads an interval or more before the part's beginning: then the open parts are closed at once,
 * and the next ones are dated by the new time. So one step keeps no part open for three times its interval.
 * @throws SluiceError JOB_INVALID for numbers that are not positive
 */
export function defaultRollingPolicy(options: DefaultRollingOptions = {}): RollingPolicy {
  return new DefaultRollingPolicy(options);
}

class DefaultRollingPolicy implements RollingPolicy {
  readonly #partSizeBytes: number;
  readonly #rolloverIntervalMs: number;
  readonly #inactivityIntervalMs: number;
  readonly #maxRows: number;
  readonly #onCheckpoint: boolean;

  constructor(options: DefaultRollingOptions) {
    this.#partSizeBytes = positive('partSizeBytes', options.partSizeBytes ?? 128 * 1024 * 1024);
    this.#rolloverIntervalMs = positive('rolloverIntervalMs', options.rolloverIntervalMs ?? 60_000);
    this.#inactivityIntervalMs = positive('inactivityIntervalMs', options.inactivityIntervalMs ?? 60_000);
    this.#maxRows = positive('maxRows', options.maxRows ?? Number.POSITIVE_INFINITY);
    this.#onCheckpoint = options.onCheckpoint ?? false;
  }

  #isFull(part: PartFileInfo): boolean {
    return part.sizeBytes > this.#partSizeBytes || part.rows >= this.#maxRows;
  }

  shouldRollOnEvent(part: PartFileInfo): boolean {
    return this.#isFull(part);
  }

  shouldRollOnCheckpoint(part: PartFileInfo): boolean {
    return this.#onCheckpoint || this.#isFull(part);
  }

  shouldRollOnProcessingTime(part: PartFileInfo, nowMs: number): boolean {
    return (
      Math.abs(nowMs - part.creationTimeMs) >= this.#rolloverIntervalMs ||
      Math.abs(nowMs - part.lastUpdateTimeMs) >= this.#inactivityIntervalMs ||
      this.#isFull(part)
    );
  }

  /** Until the size is reached as far as the rows so far tell, so that slices of a batch do not overshoot it. */
  rowsUntilRoll(part: PartFileInfo): number {
    const byCount = this.#maxRows - part.rows;
    if (part.rows === 0 || part.sizeBytes === 0) return byCount;
    const bytesPerRow = part.sizeBytes / part.rows;
    const bySize = Math.floor((this.#partSizeBytes - part.sizeBytes) / bytesPerRow) + 1;
    return Math.max(1, Math.min(byCount, bySize));
  }
}

function positive(name: string, value: number): number {
  if (value > 0) return value;
  throw new SluiceError('JOB_INVALID', `rolling: ${name} is ${value}, and has to be more than 0`);
}
