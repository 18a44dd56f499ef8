/**
 * When the next scan runs: after the interval, or sooner when something woke it. Hints come in bursts, so a woken scan
 * waits a moment for more of them, and never runs more than a fifth of the time.
 */
import type { Clock } from '../core/clock.ts';

const DEBOUNCE_MS = 50;
/** Pause after a scan, in lengths of that scan. */
const PAUSE_FACTOR = 4;

export class ScanTimer {
  readonly #clock: Clock;
  #closed = false;
  #cancel: () => void = () => {};
  /** A hint that came while nobody waited: during a scan, which may have passed that folder already. */
  #hinted = false;
  #onHint: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @param intervalMs until the next scan, come what may
   * @param readyMs until there is known to be something to find
   * @param scanMs how long the last scan of the kind that comes next took; asked again as hints come
   */
  async wait(intervalMs: number, readyMs: number, scanMs: () => number): Promise<void> {
    const started = this.#clock.elapsed();
    const pauseMs = () => Math.min(intervalMs, Math.max(DEBOUNCE_MS, scanMs() * PAUSE_FACTOR));
    if (!this.#hinted) await this.#sleep(Math.min(intervalMs, Math.max(readyMs, pauseMs())), true);
    for (;;) {
      const leftMs = pauseMs() - (this.#clock.elapsed() - started);
      if (leftMs <= 0 || this.#closed) break;
      await this.#sleep(leftMs, false);
    }
    // Hints of the pause are answered by the scan that begins now.
    this.#hinted = false;
  }

  wake(): void {
    this.#hinted = true;
    this.#onHint?.();
  }

  close(): void {
    this.#closed = true;
    this.#onHint?.();
    this.#cancel();
  }

  async #sleep(delayMs: number, untilHint: boolean): Promise<void> {
    if (this.#closed || delayMs <= 0) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(delayMs, resolve);
      const end = () => {
        cancel();
        resolve();
      };
      this.#cancel = end;
      if (untilHint) this.#onHint = end;
    });
    this.#onHint = null;
    this.#cancel = () => {};
  }
}
