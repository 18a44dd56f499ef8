import type { LatePolicy, LateRows } from './sink-config.ts';

/** Rows of buckets whose time is over: tells which are late and may not be written, and counts them. */
export class LateRowCounter {
  readonly #policy: LatePolicy | undefined;
  readonly #endOf: (bucketId: string) => number | null;
  #rows = 0;
  #dropped = 0;

  /** @param endOf when a bucket's time is over, milliseconds since 1970; null where it tells none */
  constructor(policy: LatePolicy | undefined, endOf: (bucketId: string) => number | null) {
    this.#policy = policy;
    this.#endOf = endOf;
  }

  /** Whether rows of a bucket are late that came under this watermark. */
  isLate(bucketId: string, watermarkMs: number): boolean {
    if (watermarkMs === Number.NEGATIVE_INFINITY || this.#policy === undefined) return false;
    const endMs = this.#endOf(bucketId);
    return endMs !== null && watermarkMs >= endMs + this.#policy.allowedLatenessMs;
  }

  /** Whether rows of a bucket are written; counts those that are late. */
  takes(bucketId: string, rows: number, watermarkMs: number): boolean {
    if (!this.isLate(bucketId, watermarkMs)) return true;
    const keep = this.#policy?.keep ?? true;
    this.#rows += rows;
    if (!keep) this.#dropped += rows;
    return keep;
  }

  /** Since this was asked last. */
  take(): LateRows {
    const late = { rows: this.#rows, dropped: this.#dropped };
    this.#rows = 0;
    this.#dropped = 0;
    return late;
  }
}
