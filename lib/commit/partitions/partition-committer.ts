/**
 * Announces promised partitions beside the checkpoints: each goes through the policies in their order. What fails is tried
 * again, later and later, a bounded number of times; then it stays promised (and `status` shows it) until rows come late for
 * it or the job starts again. A slow metastore holds no checkpoint back.
 */
import type { Clock } from '../../core/clock.ts';
import { SluiceError } from '../../core/errors.ts';
import { failpoint } from '../../core/failpoint.ts';
import type { CommittedPartition, PartitionCommitPolicy } from '../../core/partition-commit.ts';
import type { PartitionRetrySpec } from '../../core/specs.ts';

/** Partitions that a policy is given at once. */
const MAX_BATCH = 100;

export interface PartitionCommitterConfig {
  /** With the name that errors call it. */
  readonly policies: readonly { readonly name: string; readonly policy: PartitionCommitPolicy }[];
  readonly retry: PartitionRetrySpec;
  readonly clock: Clock;
  readonly onAnnounced: (partition: CommittedPartition) => void;
  readonly onFailed: (partition: CommittedPartition, attempts: number, error: SluiceError) => void;
  /** Something that no retry can help: the job has to end. */
  readonly onBroken: (error: unknown) => void;
}

interface Waiting {
  readonly partition: CommittedPartition;
  readonly attempts: number;
  /** On the monotonic clock. */
  readonly dueMs: number;
}

export class PartitionCommitter {
  readonly #config: PartitionCommitterConfig;
  readonly #abort = new AbortController();
  /** By bucket. */
  readonly #waiting = new Map<string, Waiting>();
  /** Tried as often as they may be. */
  readonly #given = new Map<string, CommittedPartition>();
  #working: Promise<void> | null = null;
  #cancelTimer = () => {};
  #stopped = false;
  /** Those who wait for the end of work. */
  #onSettled: (() => void)[] = [];

  constructor(config: PartitionCommitterConfig) {
    this.#config = config;
  }

  /** Announces these, once what they hold is visible. A partition that is under way or waits already is left as it is. */
  announce(partitions: readonly CommittedPartition[]): void {
    for (const partition of partitions) {
      if (this.#waiting.has(partition.partition) || this.#given.has(partition.partition)) continue;
      this.#waiting.set(partition.partition, { partition, attempts: 0, dueMs: 0 });
    }
    this.#pump();
  }

  /** Tries partitions again that were given up. */
  tryAgain(bucketIds: readonly string[]): void {
    for (const bucketId of bucketIds) {
      const partition = this.#given.get(bucketId);
      if (partition === undefined) continue;
      this.#given.delete(bucketId);
      this.#waiting.set(bucketId, { partition, attempts: 0, dueMs: 0 });
    }
    this.#pump();
  }

  /** Partitions that were given up. */
  get failed(): readonly string[] {
    return [...this.#given.keys()];
  }

  /** Waits until everything is announced or given up, or `stop` is called. */
  async settle(): Promise<void> {
    while (!this.#stopped && (this.#waiting.size > 0 || this.#working !== null)) {
      await new Promise<void>((resolve) => this.#onSettled.push(resolve));
    }
  }

  /** Begins nothing more, retries included. What is under way ends by itself. */
  stop(): void {
    this.#stopped = true;
    this.#cancelTimer();
    this.#wake();
  }

  /** Stops, and breaks off what takes longer than a moment. */
  async close(graceMs: number): Promise<void> {
    this.stop();
    if (this.#abort.signal.aborted) return;
    let cancel = () => {};
    // Not waited for any longer then: a policy of the user's may not listen.
    const brokenOff = new Promise<void>((resolve) => {
      cancel = this.#config.clock.after(graceMs, () => {
        this.#abort.abort();
        resolve();
      });
    });
    await Promise.race([this.#working, brokenOff]);
    cancel();
  }

  #pump(): void {
    if (this.#working !== null || this.#stopped) return;
    this.#cancelTimer();
    this.#working = this.#work()
      .catch((error: unknown) => {
        this.#stopped = true;
        this.#config.onBroken(error);
      })
      .finally(() => {
        this.#working = null;
        this.#wake();
        this.#schedule();
      });
  }

  #wake(): void {
    for (const resolve of this.#onSettled.splice(0)) resolve();
  }

  /** Goes on when the first of those that wait is due. */
  #schedule(): void {
    if (this.#stopped || this.#waiting.size === 0) return;
    let first = Number.POSITIVE_INFINITY;
    for (const { dueMs } of this.#waiting.values()) first = Math.min(first, dueMs);
    const delayMs = Math.max(0, first - this.#config.clock.elapsed());
    this.#cancelTimer = this.#config.clock.after(delayMs, () => this.#pump());
  }

  async #work(): Promise<void> {
    while (!this.#stopped) {
      const nowMs = this.#config.clock.elapsed();
      const ready = [...this.#waiting.values()].filter(({ dueMs }) => dueMs <= nowMs).slice(0, MAX_BATCH);
      if (ready.length === 0) return;
      failpoint('partition.commit.before');
      await this.#commit(ready);
      failpoint('partition.commit.after');
    }
  }

  async #commit(ready: readonly Waiting[]): Promise<void> {
    let left = ready;
    for (const { name, policy } of this.#config.policies) {
      if (left.length === 0) return;
      left = await this.#apply(name, policy, left);
      failpoint('partition.policy.after');
    }
    for (const { partition } of left) {
      this.#waiting.delete(partition.partition);
      this.#config.onAnnounced(partition);
    }
  }

  /** @returns those that went well */
  async #apply(
    name: string,
    policy: PartitionCommitPolicy,
    partitions: readonly Waiting[],
  ): Promise<readonly Waiting[]> {
    try {
      await policy.commit(
        partitions.map(({ partition }) => partition),
        this.#abort.signal,
      );
      return partitions;
    } catch (thrown) {
      if (partitions.length === 1) {
        this.#fail(partitions[0]!, policyError(name, partitions[0]!.partition, thrown));
        return [];
      }
    }
    // One by one, so that a bad one does not hold the others back.
    const well: Waiting[] = [];
    for (const each of partitions) {
      if (this.#abort.signal.aborted) break;
      well.push(...(await this.#apply(name, policy, [each])));
    }
    return well;
  }

  #fail({ partition, attempts: before }: Waiting, error: SluiceError): void {
    const { retry, clock, onFailed } = this.#config;
    const attempts = before + 1;
    if (attempts >= retry.attempts) {
      this.#waiting.delete(partition.partition);
      this.#given.set(partition.partition, partition);
    } else {
      const backoffMs = Math.min(retry.maxBackoffMs, retry.minBackoffMs * 2 ** before);
      const dueMs = clock.elapsed() + backoffMs;
      this.#waiting.set(partition.partition, { partition, attempts, dueMs });
    }
    onFailed(partition, attempts, error);
  }
}

function policyError(name: string, { partition }: CommittedPartition, thrown: unknown): SluiceError {
  return new SluiceError(
    'PARTITION_COMMIT_FAILED',
    `${name} did not take the partition ${partition}: ${reasonOf(thrown)}`,
    {
      cause: thrown,
      details: { policy: name, partition },
      hint: 'its rows are visible, and nothing is lost: the announcement is tried again, at the latest by the next start',
      retryable: true,
    },
  );
}

/** `fetch` says no more than that it failed; why, says its cause. */
function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const { message, cause } = thrown;
  if (!(cause instanceof Error) || cause instanceof SluiceError) return message;
  const why = cause.message === '' && 'code' in cause ? String(cause.code) : cause.message;
  return why === '' ? message : `${message}: ${why}`;
}
