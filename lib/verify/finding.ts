/** What is wrong, and where. Snake case: this is what `--json` prints. */
import { SluiceError } from '../core/errors.ts';

export type FindingCode =
  /** The ledger knows the part, and its file is neither there nor about to be. */
  | 'part_missing'
  /** Shorter than it was made. */
  | 'part_truncated'
  /** Of another length, or with another number of rows, than it was made. */
  | 'part_changed'
  /** It cannot be read. */
  | 'part_damaged'
  /** A hidden file of a part that is open or promised is gone. */
  | 'hidden_missing'
  /** It is shorter than a checkpoint left it; of a promised part: of another length. */
  | 'hidden_changed'
  /** A segment of the newest checkpoint is gone: rows of open parts, or which files were taken. */
  | 'segment_missing'
  /** It is shorter than it was made. */
  | 'segment_changed'
  /** A part that was merged into another one is still there, or again: its rows are there twice. */
  | 'part_superseded'
  /** A visible file that no checkpoint knows, and that has the bytes of a part. */
  | 'part_doubled'
  /** A visible file that no checkpoint knows. */
  | 'stranger'
  /** A source file is not the one that was read. */
  | 'source_changed'
  /** A source file changed, or went, while it was read: what was left of it was not taken. */
  | 'source_torn'
  /** Ranges of a source file that were read leave something out, or overlap. */
  | 'source_gap'
  /** Rows read, and rows of parts, do not add up. */
  | 'rows_unaccounted'
  /** The same for refused records. */
  | 'quarantine_unaccounted'
  /** --deep: reading again, the number of rows is another one. */
  | 'rows_differ'
  /** --deep: as many rows, with other values. */
  | 'content_differs';

export interface Finding {
  readonly code: FindingCode;
  /** null where it is about the job as a whole. */
  readonly path: string | null;
  readonly message: string;
}

/** That a part cannot be read. @throws what is not its fault */
export function damagedPart(path: string, thrown: unknown): Finding {
  const error = SluiceError.from(thrown);
  if (error.code !== 'INPUT_CORRUPT' && error.code !== 'BAD_RECORD') throw error;
  return { code: 'part_damaged', path, message: `${path} cannot be read: ${error.message}` };
}
