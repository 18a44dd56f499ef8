/**
 * Which partitions have rows that are not announced, and which are promised. Decides; PartitionCommitter does.
 *
 *     rows visible -> pending --due at checkpoint n--> promised(n) --announced--> forgotten
 *                        ^------------- late rows --------------------------------'
 *
 * A partition is promised once at a time: rows that come meanwhile wait as pending, so that its announcements have growing
 * checkpoints, and nothing is counted twice when one is repeated.
 *
 * The end of the input makes every partition due. The end of a replay does so only where the source was at its end before:
 * otherwise its rows are as late rows are, and a partition that the source still fills is not announced too early.
 */

import type { EventTimes } from '../../core/event-times.ts';
import type { Committable } from '../../sink/sink-state.ts';
import type { PartitionState, PendingPartition, PromisedPartition } from './partition-state.ts';
import type { PartitionTrigger } from './trigger.ts';

export class PartitionTracker {
  readonly #trigger: PartitionTrigger;
  readonly #pending = new Map<string, PendingPartition>();
  readonly #promised = new Map<string, PromisedPartition>();
  readonly #replay: boolean;
  /** Of the source. */
  #atEnd: boolean;

  /** @param replay whether this run reads quarantined records, not the source */
  constructor(trigger: PartitionTrigger, restored: PartitionState, replay = false) {
    this.#trigger = trigger;
    this.#replay = replay;
    this.#atEnd = restored.atEnd ?? false;
    for (const each of restored.pending) this.#pending.set(each.bucketId, each);
    // A new run tries again from the start.
    for (const each of restored.promised) this.#promised.set(each.bucketId, { ...each, attempts: 0 });
  }

  get state(): PartitionState {
    const state = { pending: [...this.#pending.values()], promised: [...this.#promised.values()] };
    return this.#atEnd ? { ...state, atEnd: true } : state;
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

  /**
   * Whether a checkpoint now would promise something. What is promised already has to wait for its announcement.
   * @param ended whether this run's input is at its end
   */
  hasDue(times: EventTimes, ended: boolean): boolean {
    const all = ended && (this.#atEnd || !this.#replay);
    for (const { bucketId, firstMs } of this.#pending.values()) {
      if (!this.#promised.has(bucketId) && (all || this.#trigger(bucketId, firstMs, times))) return true;
    }
    return false;
  }

  /**
   * Promises what is due with a checkpoint.
   * @param ended whether this run's input is at its end
   * @returns buckets that are due and still promised from before: those that failed have to be tried again
   */
  promise(checkpoint: number, times: EventTimes, ended: boolean): string[] {
    if (!this.#replay) this.#atEnd = ended;
    const all = ended && this.#atEnd;
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
