/** Holds reading or merging to a rate: what was spent has to be waited for before more is. */
import type { Clock } from './clock.ts';

const MS_PER_SECOND = 1000;

export class Pace {
  readonly #clock: Clock;
  readonly #msPerByte: number;
  #freeAt = 0;

  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock;
    this.#msPerByte = MS_PER_SECOND / bytesPerSecond;
  }

  /** Bytes that went by just now. */
  spend(bytes: number): void {
    this.#freeAt = Math.max(this.#freeAt, this.#clock.elapsed()) + bytes * this.#msPerByte;
  }

  /** Milliseconds until more may go by. */
  get waitMs(): number {
    return Math.max(0, this.#freeAt - this.#clock.elapsed());
  }
}
