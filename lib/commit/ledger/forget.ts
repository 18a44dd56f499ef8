/**
 * What keeps the ledger bounded: of files that were read and that the source has forgotten since (deleted, moved away,
 * replaced), nothing is left to look at. Their entries become one that holds their sums, so rows read and rows written still
 * add up, and the ledger is as large as source and lake are, not as all that ever was.
 */
import { type ForgottenEntry, type InputEntry, type LedgerEntry, sumForgotten } from './entry.ts';

export interface Forgetting {
  /** Whether the source does not know the path any more. A disk that is not mounted is known still. */
  readonly isForgotten: (path: string) => boolean;
  /** Whether files are followed as they grow, and may go on under other names: then ranges need not begin at 0. */
  readonly followed: boolean;
}

/** @param folded sorted, as `foldEntries` leaves it @returns the order of parts and swaps is kept */
export function forgetFiles(folded: readonly LedgerEntry[], forgetting: Forgetting): LedgerEntry[] {
  const forgotten: ForgottenEntry[] = [];
  const kept: LedgerEntry[] = [];
  for (const [i, entry] of folded.entries()) {
    if (entry.type === 'forgotten') forgotten.push(entry);
    else if (entry.type === 'input' && isDone(entry, folded[i + 1], forgetting)) {
      const { followed } = forgetting;
      forgotten.push({ type: 'forgotten', files: 1, tally: entry.tally, ...(followed ? { followed } : {}) });
    } else kept.push(entry);
  }
  return forgotten.length === 0 ? kept : [forgotten.reduce(sumForgotten), ...kept];
}

/** Whether nothing will ask for the entry again: it is of all of a file, and that is gone, or another one has its name. */
function isDone(
  entry: InputEntry,
  next: LedgerEntry | undefined,
  { isForgotten, followed }: Forgetting,
): boolean {
  if (entry.lane !== 'source' || entry.end !== 'read') return false;
  const isWhole = entry.fromByte === 0 && (entry.toByte === null || entry.toByte >= entry.sizeBytes);
  // Ranges of a file that is still being read come together in a later piece.
  if (!isWhole && !followed) return false;
  const isReplaced =
    next?.type === 'input' &&
    next.lane === 'source' &&
    next.path === entry.path &&
    next.fileId !== entry.fileId &&
    next.fromByte === 0;
  return isReplaced || isForgotten(entry.path);
}
