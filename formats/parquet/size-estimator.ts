/** Bytes on storage for a byte of buffered rows, before anything was learned: text and codes compress this far. */
const FIRST_RATIO = { none: 0.8, snappy: 0.45, gzip: 0.3, zstd: 0.3 } as const;

/** What the first guess weighs, in bytes of row groups seen. */
const FIRST_WEIGHT_BYTES = 16 << 10;
/** Older row groups count less from here on, so that data that changes is followed. */
const MAX_WEIGHT_BYTES = 1 << 30;

/** Learns from row groups what buffered rows will take on storage. */
export class SizeEstimator {
  #buffered = FIRST_WEIGHT_BYTES;
  #encoded: number;

  constructor(compression: keyof typeof FIRST_RATIO) {
    this.#encoded = FIRST_WEIGHT_BYTES * FIRST_RATIO[compression];
  }

  learn(bufferedBytes: number, encodedBytes: number): void {
    if (this.#buffered > MAX_WEIGHT_BYTES) {
      this.#buffered /= 2;
      this.#encoded /= 2;
    }
    this.#buffered += bufferedBytes;
    this.#encoded += encodedBytes;
  }

  estimate(bufferedBytes: number): number {
    return Math.ceil((bufferedBytes * this.#encoded) / this.#buffered);
  }
}
