/** When a partition is announced. Flink: PartitionCommitTrigger, PartitionCommitPredicate. */

import type { EventTimes } from '../../core/event-times.ts';
import type { PartitionCommitSpec } from '../../core/specs.ts';

/**
 * Whether a bucket is due.
 * @param firstMs when its first part that is not announced was begun
 */
export type PartitionTrigger = (bucketId: string, firstMs: number, times: EventTimes) => boolean;

/**
 * process_time: `delay` after the bucket's first part was begun. partition_time: when the watermark is `delay` past the
 * start of the bucket's time; a bucket that tells no time (rows without event time) goes by process time. The sink's path
 * itself is no partition.
 * @param startOf start of a bucket's time, null where it tells none
 */
export function createPartitionTrigger(
  spec: PartitionCommitSpec,
  startOf: (bucketId: string) => number | null,
): PartitionTrigger {
  const { trigger, delayMs } = spec;
  return (bucketId, firstMs, { nowMs, watermarkMs }) => {
    if (bucketId === '') return false;
    const startMs = trigger === 'partition_time' ? startOf(bucketId) : null;
    return startMs === null ? nowMs >= firstMs + delayMs : watermarkMs >= startMs + delayMs;
  };
}
