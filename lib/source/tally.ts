/** What became of the records of a split: kept with its position, so that both are of the same moment. Plain JSON. */

export interface SplitTally {
  /** Handed to the sink. */
  readonly rows: number;
  /** Refused, and left out. */
  readonly rejected: number;
  /** Refused, and kept. */
  readonly quarantined: number;
  /** Left out by a filter of the job; absent in tallies of before there were any. */
  readonly filtered?: number;
  /** Of the file as it is stored. */
  readonly bytes: number;
  /** The split was begun before anybody counted: what was read of it until then is not in here. */
  readonly partial?: true;
}

export const NO_TALLY: SplitTally = { rows: 0, rejected: 0, quarantined: 0, bytes: 0 };

export function addTallies(a: SplitTally, b: SplitTally): SplitTally {
  return {
    rows: a.rows + b.rows,
    rejected: a.rejected + b.rejected,
    quarantined: a.quarantined + b.quarantined,
    bytes: a.bytes + b.bytes,
    ...(a.filtered || b.filtered ? { filtered: (a.filtered ?? 0) + (b.filtered ?? 0) } : {}),
    ...(a.partial || b.partial ? { partial: true } : {}),
  };
}
