/**
 * Which partitions have rows that are not announced, and which are promised. Decides; PartitionCommitter does.
 *
 *     rows visible -> pending --due at checkpoint n--> promised(n) --announced--> forgotten
 *                        ^------------- late rows --------------------------------'
 *
 * A partition is promised once at a time: rows that come meanwhile wait as pending, so that its announcements have growing
 * checkpoints, and nothing is counted twice when one is repeated.
 */

import type { EventTimes } from '../../pipeline/messages.ts';
import type { Committable } from '../../sink/sink-state.ts';
import type { PartitionState, PendingPartition, PromisedPartition } from './partition-state.ts';
import type { PartitionTrigger } from './trigger.ts';

export class PartitionTracker {
  readonly #trigger: PartitionTrigger;
  readonly #pending = new Map<string, PendingPartition>();
  readonly #promised = new Map<string, PromisedPartition>();

  constructor(trigger: PartitionTrigger, restored: PartitionState) {
    this.#trigger = trigger;
    for (const each of restored.pending) this.#pending.set(each.bucketId, each);
    // A new run tries again from the start.
    for (const each of restored.promised) this.#promised.set(each.bucketId, { ...each, attempts: 0 });
  }

  get state(): PartitionState {
    return { pending: [...this.#pending.values()], promised: [...this.#promised.values()] };
  }

  get promised(): readonly PromisedPartition[] {
    return [...this.#promised.values()];
  }

  /** Parts that a checkpoint publishes. */
  add(committables: readonly Committable[], nowMs: number): void {
    for (const { bucketId, rows, creationTimeMs } of committables) {
      if (bucketId === '') continue;
      const before = this.#pending.get(bucketId);
      const firstMs = creationTimeMs ?? nowMs;
      this.#pending.set(bucketId, {
        bucketId,
        firstMs: Math.min(before?.firstMs ?? firstMs, firstMs),
        rows: (before?.rows ?? 0) + rows,
        parts: (before?.parts ?? 0) + 1,
      });
    }
  }

  /** Whether one that is pending is not promised as well: those that are have to wait for their announcement. */
  get hasWaiting(): boolean {
    return [...this.#pending.keys()].some((bucketId) => !this.#promised.has(bucketId));
  }

  /** Whether a checkpoint now would promise something. */
  hasDue(times: EventTimes): boolean {
    for (const { bucketId, firstMs } of this.#pending.values()) {
      if (!this.#promised.has(bucketId) && this.#trigger(bucketId, firstMs, times)) return true;
    }
    return false;
  }

  /**
   * Promises what is due with a checkpoint.
   * @param all whatever its time: the end of the input
   * @returns buckets that are due and still promised from before: those that failed have to be tried again
   */
  promise(checkpoint: number, times: EventTimes, all: boolean): string[] {
    const still: string[] = [];
    for (const { bucketId, firstMs, rows, parts } of [...this.#pending.values()]) {
      if (!all && !this.#trigger(bucketId, firstMs, times)) continue;
      if (this.#promised.has(bucketId)) still.push(bucketId);
      else {
        this.#pending.delete(bucketId);
        this.#promised.set(bucketId, { bucketId, rows, parts, checkpoint, attempts: 0, error: null });
      }
    }
    return still;
  }

  announced(bucketId: string): void {
    this.#promised.delete(bucketId);
  }

  failed(bucketId: string, attempts: number, error: string): void {
    const promised = this.#promised.get(bucketId);
    if (promised !== undefined) this.#promised.set(bucketId, { ...promised, attempts, error });
  }
}
