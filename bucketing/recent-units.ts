/** Windows of time whose rows share a bucket, a few thousand of them, each in the one slot that it can have. */

/** 170 days in hours; 80 KB. */
const SLOTS = 4096;

export class RecentUnits {
  /** Slot i is for the instants [fromMs[i], toMs[i]). */
  readonly fromMs = new Float64Array(SLOTS).fill(Number.NaN);
  readonly toMs = new Float64Array(SLOTS);
  readonly indexes = new Int32Array(SLOTS);

  slot(unit: number): number {
    return unit & (SLOTS - 1);
  }

  holds(slot: number, instantMs: number): boolean {
    return instantMs >= this.fromMs[slot]! && instantMs < this.toMs[slot]!;
  }

  set(slot: number, fromMs: number, toMs: number, index: number): void {
    this.fromMs[slot] = fromMs;
    this.toMs[slot] = toMs;
    this.indexes[slot] = index;
  }

  clear(): void {
    this.fromMs.fill(Number.NaN);
  }
}
