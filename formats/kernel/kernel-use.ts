/** Lines that the kernel left, from which on it is looked at whether it is worth a call. */
const MAX_STOPS = 16;

/**
 * Whether the kernel is worth a call. One costs as much as a decoder takes for some rows: if more than an eighth of a
 * batch's rows were not for it, the decoder reads the rest of the batch.
 */
export class KernelUse {
  #stops = 0;
  #rows = 0;

  get pays(): boolean {
    return this.#stops < MAX_STOPS || this.#stops * 8 < this.#rows;
  }

  /** After a run. @param stopped at a line that it left */
  note(rows: number, stopped: boolean): void {
    this.#rows += rows;
    if (stopped) this.#stops++;
  }

  /** The next batch is given a chance. */
  reset(): void {
    this.#stops = 0;
    this.#rows = 0;
  }
}
