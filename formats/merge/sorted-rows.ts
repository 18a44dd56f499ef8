/** The order of a batch's rows by some columns. For compaction, which has time: keys are taken out as values. */
import type { Batch } from '../../lib/core/batch.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import { readValue } from '../../lib/core/values.ts';

type Key = string | number | bigint | boolean | Date;

/** Ascending, nulls first, rows of one key in their order. @throws SluiceError JOB_INVALID for a column without order */
export function sortedRows(batch: Batch, columns: readonly string[]): Int32Array {
  const keys = columns.map((name) => keysOf(batch, name));
  const rows = Array.from({ length: batch.length }, (_, row) => row);
  rows.sort((a, b) => {
    for (const values of keys) {
      const order = compare(values[a]!, values[b]!);
      if (order !== 0) return order;
    }
    return a - b;
  });
  return Int32Array.from(rows);
}

function keysOf(batch: Batch, name: string): readonly (Key | null)[] {
  const column = batch.column(name);
  return Array.from({ length: batch.length }, (_, row) => {
    const value = readValue(column, row);
    switch (typeof value) {
      case 'string':
      case 'number':
      case 'bigint':
      case 'boolean':
        return column.type.kind === 'decimal' ? Number(value) : value;
      default:
        if (value === null || value instanceof Date) return value;
        throw new SluiceError('JOB_INVALID', `rows cannot be ordered by the column '${name}'`, {
          hint: 'name columns of text, numbers, dates or timestamps in sink.compaction.sort_by',
        });
    }
  });
}

function compare(a: Key | null, b: Key | null): number {
  if (a === null || b === null) return (a === null ? 0 : 1) - (b === null ? 0 : 1);
  return a < b ? -1 : a > b ? 1 : 0;
}
