/** What a subtask did since its last snapshot. */

import type { SubtaskCounts } from '../commit/snapshot.ts';
import type { ReaderCounts } from '../source/reader-counts.ts';
import type { SplitTally } from '../source/tally.ts';

export const NO_COUNTS: SubtaskCounts = {
  rows: 0,
  rejected: 0,
  quarantined: 0,
  bytesIn: 0,
  late: 0,
  lateDropped: 0,
  filtered: 0,
  duplicates: 0,
};

export function addCounts(a: SubtaskCounts, b: Partial<SubtaskCounts>): SubtaskCounts {
  return {
    rows: a.rows + (b.rows ?? 0),
    rejected: a.rejected + (b.rejected ?? 0),
    quarantined: a.quarantined + (b.quarantined ?? 0),
    bytesIn: a.bytesIn + (b.bytesIn ?? 0),
    late: a.late + (b.late ?? 0),
    lateDropped: a.lateDropped + (b.lateDropped ?? 0),
    filtered: a.filtered + (b.filtered ?? 0),
    duplicates: a.duplicates + (b.duplicates ?? 0),
  };
}

/** The reader's counts as a tally's. */
export function counted({ rejected, quarantined, bytesIn }: ReaderCounts): Partial<SplitTally> {
  return { rejected, quarantined, bytes: bytesIn };
}

/** The newest of the times, NaN being none: some 8 us for 8,192 rows. */
export function newestOf(timestampsMs: Float64Array, length: number, newestMs: number): number {
  let newest = newestMs;
  for (let row = 0; row < length; row++) {
    const time = timestampsMs[row]!;
    if (time > newest) newest = time;
  }
  return newest;
}
