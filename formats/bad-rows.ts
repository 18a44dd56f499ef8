/** Rows of a columnar batch that were refused are left out of it. */
import { Batch } from '../lib/core/batch.ts';
import { appendColumnRows, emptyColumn } from '../lib/core/column.ts';

/** A batch of the other rows, in memory of its own. */
export function withoutRows(batch: Batch, refused: { has(row: number): boolean }): Batch {
  const rows = new Int32Array(batch.length);
  let count = 0;
  for (let row = 0; row < batch.length; row++) if (!refused.has(row)) rows[count++] = row;
  const columns = batch.columns.map((column) =>
    appendColumnRows(emptyColumn(column.type, count), column, rows, 0, count),
  );
  return new Batch(batch.schema, columns, count);
}
