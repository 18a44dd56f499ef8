/**
 * The swap: a merged part becomes visible, those that it was made from go. A checkpoint promises it before it begins,
 * and it can be done again from any point (see publication.ts).
 *
 * The merged part comes first. A file system has no step that exchanges several names at once, so whoever lists a
 * folder in between sees rows twice, or, the other way about, not at all. This way a reader that listed in between and
 * opens files a moment later finds them gone and fails; it would have counted too little in silence otherwise. A table
 * (lib/tables) does have such a step; there the parts that went stay for a while for those who still read them.
 */
import type { Committable } from '../sink/sink-state.ts';
import type { PendingFile } from '../storage/recoverable-writer.ts';

/** Plain JSON: it stands in checkpoints. */
export interface Swap {
  readonly bucketId: string;
  readonly file: PendingFile;
  /** Paths of the parts that `file` holds the rows of. */
  readonly sources: readonly string[];
}

/** What a checkpoint holds of compaction. */
export interface CompactionState {
  /** Names of merged parts use counters from here on. */
  readonly nextCounter: number;
  /** Promised, and not known to be done. */
  readonly swaps: readonly Swap[];
}

/** Where checkpoints get their swaps from. */
export interface SwapSource {
  /** Whether a checkpoint should be taken to bring something forward. */
  readonly hasReady: boolean;
  /** For the checkpoint that is about to be written. */
  capture(): CompactionState;
  /**
   * The checkpoint that was captured for is durable, its parts are published and its swaps done.
   * @param refused swaps that the lake's table did not take: their sources stay
   */
  settle(published: readonly Committable[], refused: readonly Swap[]): void;
}

export const NO_COMPACTION: CompactionState = { nextCounter: 0, swaps: [] };
