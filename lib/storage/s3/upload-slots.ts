/**
 * Bounds uploads of pieces under way, and with them the memory they take: each slot has one buffer of a piece's size, of
 * which body-hash.ts makes a copy for a moment.
 */
export interface UploadSlot {
  readonly buffer: Uint8Array;
  /** Gives it back, to be called once. */
  readonly release: () => void;
}

export class UploadSlots {
  readonly #slotBytes: number;
  #left: number;
  readonly #buffers: Uint8Array[] = [];
  readonly #waiting: ((slot: UploadSlot) => void)[] = [];

  constructor(slots: number, slotBytes: number) {
    this.#left = slots;
    this.#slotBytes = slotBytes;
  }

  take(): Promise<UploadSlot> {
    if (this.#left > 0) {
      this.#left--;
      return Promise.resolve(this.#slot());
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #slot(): UploadSlot {
    const buffer = this.#buffers.pop() ?? Buffer.allocUnsafeSlow(this.#slotBytes);
    return {
      buffer,
      release: () => {
        this.#buffers.push(buffer);
        const next = this.#waiting.shift();
        if (next === undefined) this.#left++;
        else next(this.#slot());
      },
    };
  }
}
