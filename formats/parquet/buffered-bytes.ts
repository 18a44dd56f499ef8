import type { Column } from '../../lib/core/column.ts';
import type { RowBuffer } from '../../lib/core/row-buffer.ts';

/** What a column object and its arrays take before they hold a row, about. */
const COLUMN_OVERHEAD_BYTES = 512;

/** Memory that the rows of a buffer take: what is used, not what is reserved for rows to come. */
export function bufferedBytes(buffer: RowBuffer): number {
  let sum = 0;
  for (const column of buffer.columns) sum += columnBytes(column);
  return sum;
}

function columnBytes(column: Column): number {
  const { length } = column;
  const base = COLUMN_OVERHEAD_BYTES + (column.validity === null ? 0 : length / 8);
  switch (column.layout) {
    case 'bits':
      return base + length / 8;
    case 'fixed':
      return base + length * column.words * 4;
    case 'bytes':
      return base + length * 4 + column.offsets[length]!;
    case 'dictionary':
      return base + length * 4;
    case 'list':
      return base + length * 4 + columnBytes(column.child);
    case 'struct': {
      let sum = base;
      for (const child of column.children) sum += columnBytes(child);
      return sum;
    }
  }
}
