/** Rows of a row group in the order of some of its columns, so that readers find ranges of them in few pages. */
import { appendColumnRows, type Column, emptyColumn, type FixedColumn } from '../../lib/core/column.ts';
import { RowBuffer } from '../../lib/core/row-buffer.ts';

/** Ascending, nulls last; equal rows stay in the order they came in. @returns the buffer itself where it is sorted already */
export function sortRows(buffer: RowBuffer, columns: readonly number[]): RowBuffer {
  const compare = columns.map((index) => comparator(buffer.columns[index]!));
  const order = (a: number, b: number): number => {
    for (const each of compare) {
      const difference = each(a, b);
      if (difference !== 0) return difference;
    }
    return a - b;
  };
  let row = 1;
  while (row < buffer.length && order(row - 1, row) < 0) row++;
  if (row >= buffer.length) return buffer;
  const rows = Int32Array.from({ length: buffer.length }, (_, i) => i).sort(order);
  const sorted = new RowBuffer(buffer.schema);
  sorted.columns = buffer.columns.map((column) =>
    appendColumnRows(emptyColumn(column.type, rows.length), column, rows, 0, rows.length),
  );
  sorted.length = rows.length;
  return sorted;
}

type Compare = (a: number, b: number) => number;

/** By the order of the type, as statistics have it: text by bytes, numbers and times by value. */
function comparator(column: Column): Compare {
  const values = valueComparator(column);
  if (column.nullCount === 0) return values;
  return (a, b) => {
    const [isNullA, isNullB] = [column.isNull(a), column.isNull(b)];
    if (isNullA || isNullB) return Number(isNullA) - Number(isNullB);
    return values(a, b);
  };
}

function valueComparator(column: Column): Compare {
  switch (column.layout) {
    case 'bits':
      return (a, b) => Number(column.get(a)) - Number(column.get(b));
    case 'fixed':
      return fixedComparator(column);
    case 'bytes':
      return (a, b) => compareBytes(column.bytes, column.offsets, a, b);
    case 'dictionary': {
      const { bytes, offsets } = column.dictionary;
      return (a, b) =>
        column.codes[a] === column.codes[b]
          ? 0
          : compareBytes(bytes, offsets, column.codes[a]!, column.codes[b]!);
    }
    default:
      throw new TypeError('rows are not sorted by nested columns');
  }
}

function fixedComparator({ type, values, words, float32, float64 }: FixedColumn): Compare {
  // NaN is greater than all others, as DuckDB, Spark and Trino have it.
  const floats = type.kind === 'float32' ? float32 : type.kind === 'float64' ? float64 : null;
  if (floats !== null) return (a, b) => compareFloats(floats[a]!, floats[b]!);
  return (a, b) => {
    const highest = words - 1;
    const high = values[a * words + highest]! - values[b * words + highest]!;
    if (high !== 0) return high;
    for (let word = highest - 1; word >= 0; word--) {
      const low = (values[a * words + word]! >>> 0) - (values[b * words + word]! >>> 0);
      if (low !== 0) return low;
    }
    return 0;
  };
}

function compareFloats(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareBytes(bytes: Uint8Array, offsets: Int32Array, a: number, b: number): number {
  let i = offsets[a]!;
  let k = offsets[b]!;
  const [endA, endB] = [offsets[a + 1]!, offsets[b + 1]!];
  for (; i < endA && k < endB; i++, k++) if (bytes[i] !== bytes[k]) return bytes[i]! - bytes[k]!;
  return endA - i - (endB - k);
}
