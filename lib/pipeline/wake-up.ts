/** A loop that sleeps until something happened or some time has passed; what happened before it slept counts too. */
import type { Clock } from '../core/clock.ts';

export class WakeUp {
  readonly #clock: Clock;
  #happened = false;
  #resolve: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something happened. Any number of calls wake the loop once. */
  signal(): void {
    this.#happened = true;
    this.#resolve?.();
  }

  /** Waits for a signal, at most `delayMs`; Infinity waits without end. */
  async wait(delayMs: number): Promise<void> {
    if (!this.#happened && delayMs > 0) {
      await new Promise<void>((resolve) => {
        const cancel = Number.isFinite(delayMs) ? this.#clock.after(delayMs, resolve) : () => {};
        this.#resolve = () => {
          cancel();
          resolve();
        };
      });
    }
    this.#resolve = null;
    this.#happened = false;
  }
}
