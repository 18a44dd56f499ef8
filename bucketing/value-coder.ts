/** From columns to PartitionValues indexes. */
import type { Column } from '../lib/core/column.ts';

/**
 * Codes a column, a whole batch at a time. Coders look a value up by its number, words or bytes and make text of it only
 * when it is new; equal neighbours, the common case, are not even looked up.
 */
export interface ValueCoder {
  /** Fills into[0, rows) with indexes; null rows get that of null. */
  code(column: Column, rows: number, into: Int32Array): void;
  /** The indexes given so far mean nothing any more. */
  forget(): void;
}
