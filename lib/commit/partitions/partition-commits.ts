/** Partition commits of a job, as checkpoints drive them: what is promised goes into the checkpoint, then it is announced. */
import type { Clock } from '../../core/clock.ts';
import type { SluiceError } from '../../core/errors.ts';
import type { EventTimes } from '../../core/event-times.ts';
import type { CommittedPartition } from '../../core/partition-commit.ts';
import type { Committable, OpenPart } from '../../sink/sink-state.ts';
import { PartitionCommitter, type PartitionCommitterConfig } from './partition-committer.ts';
import { NO_PARTITIONS, type PartitionState, type PromisedPartition } from './partition-state.ts';
import { PartitionTracker } from './partition-tracker.ts';
import type { PartitionTrigger } from './trigger.ts';

export interface PartitionCommitsConfig extends Pick<PartitionCommitterConfig, 'policies' | 'retry'> {
  readonly trigger: PartitionTrigger;
  readonly clock: Clock;
  /** What policies are told of a promised partition. */
  readonly describe: (promised: PromisedPartition) => CommittedPartition;
  readonly restored: PartitionState | null;
  /** Whether the run reads quarantined records, not the source. */
  readonly replay: boolean;
  /** A partition was announced or failed: the next checkpoint has to say so. */
  readonly onChange: () => void;
  readonly onWarning: (message: string) => void;
  readonly onBroken: (error: unknown) => void;
}

export class PartitionCommits {
  readonly #config: PartitionCommitsConfig;
  readonly #tracker: PartitionTracker;
  readonly #committer: PartitionCommitter;
  #again: readonly string[] = [];

  constructor(config: PartitionCommitsConfig) {
    this.#config = config;
    this.#tracker = new PartitionTracker(config.trigger, config.restored ?? NO_PARTITIONS, config.replay);
    this.#committer = new PartitionCommitter({
      policies: config.policies,
      retry: config.retry,
      clock: config.clock,
      onAnnounced: ({ partition }) => {
        this.#tracker.announced(partition);
        config.onChange();
      },
      onFailed: (partition, attempts, error) => this.#failed(partition, attempts, error),
      onBroken: config.onBroken,
    });
  }

  get state(): PartitionState {
    return this.#tracker.state;
  }

  /** Buckets that were given up: they stay promised. */
  get failed(): readonly string[] {
    return this.#committer.failed;
  }

  /** What the checkpoint that a run began with has promised, once its parts are published. */
  resume(): void {
    this.#committer.announce(this.#tracker.promised.map(this.#config.describe));
  }

  /** Whether rows wait that the end of the input makes due. */
  hasRest(times: EventTimes): boolean {
    return this.#tracker.hasDue(times, true);
  }

  /** Whether a checkpoint has something to promise, or a part to close because its partition is due. */
  hasDue(times: EventTimes, openParts: readonly OpenPart[]): boolean {
    const { trigger } = this.#config;
    return (
      this.#tracker.hasDue(times, false) ||
      openParts.some(({ bucketId, creationTimeMs }) => trigger(bucketId, creationTimeMs, times))
    );
  }

  /**
   * For a checkpoint that publishes these parts.
   * @param ended whether it is the end of the input
   */
  promise(id: number, published: readonly Committable[], times: EventTimes, ended: boolean): PartitionState {
    this.#tracker.add(published, times.nowMs);
    this.#again = this.#tracker.promise(id, times, ended);
    return this.#tracker.state;
  }

  /** The checkpoint is durable and its parts are visible. */
  announce(): void {
    this.#committer.tryAgain(this.#again);
    this.resume();
  }

  /** Waits until everything promised is announced or given up. */
  async settle(): Promise<void> {
    await this.#committer.settle();
  }

  /** Ends waiting for retries. */
  stop(): void {
    this.#committer.stop();
  }

  async close(graceMs: number): Promise<void> {
    await this.#committer.close(graceMs);
  }

  #failed({ partition }: CommittedPartition, attempts: number, error: SluiceError): void {
    const { retry, onWarning, onChange } = this.#config;
    this.#tracker.failed(partition, attempts, error.message);
    const last = attempts >= retry.attempts;
    // The first and the last time: what lies between is in `status`.
    if (attempts === 1 || last)
      onWarning(`${error.message}; ${last ? `given up after ${attempts} attempts` : 'it is tried again'}`);
    onChange();
  }
}
