import type { Column } from './column.ts';
import type { RowBuffer } from './row-buffer.ts';

/**
 * What a column's object, its arrays and their buffers take besides the values. Measured: 10,000 empty row buffers of 9
 * columns, one a list.
 */
const COLUMN_OVERHEAD_BYTES = 700;

/** Memory that a buffer holds. */
export function heldBytes(buffer: RowBuffer): number {
  return buffer.memoryBytes + COLUMN_OVERHEAD_BYTES * buffer.columns.length;
}

/** What the rows of a buffer take themselves: not what is reserved for rows to come. */
export function bufferedBytes(buffer: RowBuffer): number {
  let sum = 0;
  for (const column of buffer.columns) sum += columnBytes(column);
  return sum;
}

function columnBytes(column: Column): number {
  const { length } = column;
  const base = column.validity === null ? 0 : length / 8;
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
