/** Holds reading to a rate: what was read has to be waited for before more is. `source.limits.bytes_per_second`. */
import type { Clock } from '../core/clock.ts';

const MS_PER_SECOND = 1000;

export class Pace {
  readonly #clock: Clock;
  readonly #msPerByte: number;
  #freeAt = 0;

  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock;
    this.#msPerByte = MS_PER_SECOND / bytesPerSecond;
  }

  /** Bytes that were read just now. */
  spend(bytes: number): void {
    this.#freeAt = Math.max(this.#freeAt, this.#clock.elapsed()) + bytes * this.#msPerByte;
  }

  /** Milliseconds until more may be read. */
  get waitMs(): number {
    return Math.max(0, this.#freeAt - this.#clock.elapsed());
  }
}
