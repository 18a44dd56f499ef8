import type { FixedColumn } from '../../lib/core/column.ts';

/**
 * Reads the ASCII text bytes[start, end) and writes it to slot `row`, which has to be within the column's capacity.
 * Length and validity are the caller's affair.
 * @returns false where the text is no value of the type; the slot then holds anything
 */
export type FixedParser = (
  bytes: Uint8Array,
  start: number,
  end: number,
  column: FixedColumn,
  row: number,
) => boolean;
