/**
 * When the source is looked at: a listing at the start and every `monitor_interval`, sooner where a hint asks for it.
 * Between two listings, files that hints name are looked at one by one. One look at a time, so that what a listing saw
 * is never older than what a look found before it.
 */
import type { Clock } from '../core/clock.ts';
import { SluiceError } from '../core/errors.ts';
import type { FileScanner, NamedResult, ScanResult } from './file-scanner.ts';
import { Hints } from './hints.ts';
import { ScanTimer } from './scan-timer.ts';

export interface ScanLoopOptions {
  readonly clock: Clock;
  readonly scanner: FileScanner;
  readonly monitorIntervalMs: number;
  /** A listing begins. */
  readonly onScan: () => void;
  /** @returns whether to go on scanning */
  readonly onScanned: (result: ScanResult) => boolean;
  readonly onLookedAt: (result: NamedResult) => void;
  readonly fail: (error: SluiceError) => void;
}

export class ScanLoop {
  readonly #options: ScanLoopOptions;
  readonly #timer: ScanTimer;
  readonly #hints = new Hints();
  #closed = false;
  #running: Promise<void> | null = null;
  #isRunning = false;

  constructor(options: ScanLoopOptions) {
    this.#options = options;
    this.#timer = new ScanTimer(options.clock);
  }

  /** Begins scanning; where that is done already, scans soon. */
  start(): void {
    if (this.#isRunning) {
      void this.hint(null);
      return;
    }
    if (this.#closed) return;
    this.#isRunning = true;
    this.#running = this.#run().catch((error: unknown) => {
      if (!this.#closed) this.#options.fail(SluiceError.from(error));
    });
  }

  /**
   * Looks soon.
   * @param names of files, to look at those alone; null for a listing
   * @returns once that is done; false where the loop ends before
   */
  hint(names: readonly string[] | null): Promise<boolean> {
    const seen = this.#hints.add(names);
    this.#timer.wake();
    return seen;
  }

  /** Returns once nothing runs any more. Calls may repeat. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#options.scanner.close();
    this.#timer.close();
    await this.#running;
    this.#hints.close();
  }

  async #run(): Promise<void> {
    const { clock, scanner, onScan, onScanned } = this.#options;
    while (!this.#closed) {
      const startedMs = clock.elapsed();
      onScan();
      const batch = this.#hints.take();
      const result = await scanner.scan().catch((error: unknown) => {
        batch.settle(false);
        throw error;
      });
      batch.settle(result !== null);
      if (result === null || this.#closed) return;
      if (!onScanned(result)) break;
      await this.#rest(result.nextReadyMs, clock.elapsed() - startedMs);
    }
    this.#isRunning = false;
  }

  /** Until the next listing. @param scanMs how long the last one took */
  async #rest(readyMs: number, scanMs: number): Promise<void> {
    const { clock, monitorIntervalMs } = this.#options;
    const dueMs = clock.elapsed() + Math.min(monitorIntervalMs, readyMs);
    let waitMs = monitorIntervalMs;
    let nextMs = readyMs;
    let lookMs = 0;
    for (;;) {
      await this.#timer.wait(waitMs, nextMs, () => (this.#hints.areNamed ? lookMs : scanMs));
      const startedMs = clock.elapsed();
      if (this.#closed || !this.#hints.areNamed || startedMs >= dueMs) return;
      const youngMs = await this.#lookAtNamed();
      if (youngMs === null) return;
      lookMs = clock.elapsed() - startedMs;
      waitMs = Math.max(0, dueMs - clock.elapsed());
      nextMs = Math.min(waitMs, youngMs);
    }
  }

  /** @returns milliseconds until the first file that is too young is not; null where a listing has to look instead */
  async #lookAtNamed(): Promise<number | null> {
    const { scanner, onLookedAt } = this.#options;
    const batch = this.#hints.take();
    try {
      const result = await scanner.lookAt(batch.names ?? []);
      if (this.#closed) {
        batch.settle(false);
        return null;
      }
      onLookedAt(result);
      if (result.young.length > 0) void this.#hints.add(result.young);
      batch.settle(true);
      return result.nextReadyMs;
    } catch (thrown) {
      const error = SluiceError.from(thrown);
      if (error.code === 'INTERNAL' || error.code === 'FILE_MODIFIED') {
        batch.settle(false);
        throw error;
      }
      // A listing tries again, and says what is wrong.
      this.#hints.giveBack(batch);
      return null;
    }
  }
}
