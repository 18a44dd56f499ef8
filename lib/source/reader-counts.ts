/** What was counted since the last call of `takeCounts`. */
export interface ReaderCounts {
  /** Refused, and left out (skip). */
  readonly rejected: number;
  /** Refused, and kept (quarantine). */
  readonly quarantined: number;
  /** Bytes of the files as they are stored. */
  readonly bytesIn: number;
}
