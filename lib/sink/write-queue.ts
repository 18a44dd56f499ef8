/**
 * File writes of a subtask, off the decoding path and bounded: so many are under way at once, and whoever adds them waits
 * (`settle`) while too many, or too many of their bytes, wait. The first failure is kept and thrown at the next `settle`,
 * since nobody awaits the single write.
 */
import pLimit from 'p-limit';
import { MEMORY_SHARES } from '../core/memory-shares.ts';

/** node's thread pool has 4 threads; more tasks keep it busy between their steps. */
const CONCURRENT_WRITES = 8;
/**
 * Enough for the disk, or whoever whole files are handed to, never to wait; they hear of more when a turn of the event loop
 * comes, which is when somebody waits here. A task takes up to 4 KB besides its bytes: a part's promises, an open file.
 */
const MAX_UNFINISHED = 128;

/**
 * Enough bytes for the disk not to wait, however much memory there is. A file is written once a turn of the event loop, as
 * a batch is decoded, so a backlog stays as long as it may: with 32 MiB, each of 4,000,000 lines that are handed on went
 * to memory that had not been touched before, 4.1 instead of 3.0 s of CPU, 213 instead of 115 MB.
 */
const ENOUGH_BYTES = 8 * 1024 * 1024;
const MAX_BYTES = 64 * 1024 * 1024;

/** @param flushBytes memory at which a part is flushed: where that is a row group, the next is filled while one is written */
export function maxWaitingBytes(memoryBytes: number, flushBytes: number): number {
  const wanted = Math.min(Math.max(ENOUGH_BYTES, flushBytes), MAX_BYTES);
  return Math.min(wanted, memoryBytes * MEMORY_SHARES.written);
}

export class WriteQueue {
  readonly #limit = pLimit(CONCURRENT_WRITES);
  readonly #maxBytes: number;
  readonly #running = new Set<Promise<void>>();
  #waitingBytes = 0;
  /** The next task that ends; null while nobody waits for it. */
  #changed: Signal | null = null;
  #failure: { error: unknown } | null = null;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Held by tasks that are not done. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Queues a task that holds so many bytes. The promise never rejects; failures come out of `settle` and `all`. */
  add(bytes: number, task: () => Promise<void>): Promise<void> {
    return this.#run(bytes, () => this.#limit(() => this.#unlessFailed(task)));
  }

  /** {@link add} of a whole file, of which the storage bounds how many it works on. */
  addWhole(bytes: number, task: () => Promise<void>): Promise<void> {
    return this.#run(bytes, () => this.#unlessFailed(task));
  }

  /** After a failure nothing more is written: the state on disk stays what the last checkpoint can continue. */
  async #unlessFailed(task: () => Promise<void>): Promise<void> {
    if (this.#failure === null) await task();
  }

  #run(bytes: number, task: () => Promise<void>): Promise<void> {
    this.#waitingBytes += bytes;
    const done = task()
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#waitingBytes -= bytes;
        this.#running.delete(done);
        this.#changed?.resolve();
        this.#changed = null;
      });
    this.#running.add(done);
    return done;
  }

  /** Waits while too many tasks, or too many of their bytes, wait. @throws the first failure */
  async settle(): Promise<void> {
    while (this.isFull && this.#failure === null) {
      // Not a race of all that run: each would be subscribed to once more at each step, and there may be hundreds.
      this.#changed ??= signal();
      await this.#changed.done;
    }
    this.#throwFailure();
  }

  /** Whether `settle` would wait. */
  get isFull(): boolean {
    return this.#waitingBytes > this.#maxBytes || this.#running.size > MAX_UNFINISHED;
  }

  /** Waits for everything queued. @throws the first failure */
  async all(): Promise<void> {
    await this.idle();
    this.#throwFailure();
  }

  /** Waits until nothing is under way, failed or not. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }
}

interface Signal {
  readonly done: Promise<void>;
  readonly resolve: () => void;
}

function signal(): Signal {
  let resolve = () => {};
  const done = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { done, resolve };
}
