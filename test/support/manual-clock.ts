import type { Clock } from '../../lib/core/clock.ts';

/** Time that stands still until a test moves it. Wall time and monotonic time move together unless `set` parts them. */
export class ManualClock implements Clock {
  #nowMs: number;
  #elapsedMs = 0;
  #timers: { atMs: number; callback: () => void }[] = [];

  constructor(nowMs = 0) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  elapsed(): number {
    return this.#elapsedMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#elapsedMs + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Sets the wall clock, as an operator would; durations are not affected. */
  set(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  /** Lets time pass, and runs what falls due, in order. */
  advance(ms: number): void {
    const end = this.#elapsedMs + ms;
    for (;;) {
      const due = this.#timers.filter((timer) => timer.atMs <= end).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      const step = Math.max(0, due.atMs - this.#elapsedMs);
      this.#elapsedMs += step;
      this.#nowMs += step;
      due.callback();
    }
    this.#nowMs += end - this.#elapsedMs;
    this.#elapsedMs = end;
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.length;
  }
}
