/**
 * Splits of followed files whose file is not where it was: renamed, or copied and truncated, before they were read to
 * their ends. They wait until a scan has found where it is now, and are given up once two complete scans have not.
 */
import { remainingBytes, type Split, type SplitOutcome } from './split.ts';

/** Complete scans, with all that they found looked into, that may pass without finding the file. The first may have been under way. */
const MAX_SCANS = 2;

/** Whether what is left of a split may be found elsewhere. */
export function isHomeless({ kind, split }: SplitOutcome): boolean {
  return kind !== 'read' && split.prefix !== undefined && remainingBytes(split) > 0;
}

/** Bounded by the splits that were being read, and those of the same files that waited. */
export class HomelessSplits {
  #waiting: { readonly split: Split; scans: number }[] = [];

  add(split: Split): void {
    this.#waiting.push({ split, scans: 0 });
  }

  get size(): number {
    return this.#waiting.length;
  }

  get splits(): readonly Split[] {
    return this.#waiting.map(({ split }) => split);
  }

  /** Whether one waits whose file had this name. */
  has(path: string): boolean {
    return this.#waiting.some(({ split }) => split.path === path);
  }

  /** The splits of the file of which this was taken, which is found: they do not wait any more. */
  takeOf(consumedBytes: number, fingerprint: bigint): Split[] {
    const isOf = ({ prefix }: Split) =>
      prefix?.bytes === consumedBytes && prefix.fingerprint === String(fingerprint);
    const found = this.splits.filter(isOf);
    if (found.length > 0) this.#waiting = this.#waiting.filter(({ split }) => !isOf(split));
    return found;
  }

  /**
   * A complete scan is over, and what it found was looked into.
   * @param isOpen whether another split of the file is still being read: until then nobody looks at the file, wherever it is
   * @returns splits that are given up
   */
  scanEnded(isOpen: (split: Split) => boolean): Split[] {
    if (this.#waiting.length === 0) return [];
    for (const waiting of this.#waiting) if (!isOpen(waiting.split)) waiting.scans++;
    const given = this.#waiting.filter(({ scans }) => scans > MAX_SCANS);
    this.#waiting = this.#waiting.filter(({ scans }) => scans <= MAX_SCANS);
    return given.map(({ split }) => split);
  }
}
