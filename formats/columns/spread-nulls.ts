/** Puts nulls between values. In place, from the end: a value only ever moves up. */
import type { Column } from '../../lib/core/column.ts';

export function spreadNulls(
  column: Column,
  definition: Uint8Array,
  entries: number,
  slot: number,
  present: number,
): void {
  let rows = 0;
  for (let e = 0; e < entries; e++) if (definition[e]! >= slot) rows++;
  const values = column.length;
  if (rows === values) return;
  column.reserve(rows);
  column.length = rows;
  let value = values - 1;
  let row = rows - 1;
  for (let e = entries - 1; e >= 0; e--) {
    const level = definition[e]!;
    if (level < slot) continue;
    const isPresent = level >= present;
    move(column, value, row, isPresent);
    if (isPresent) value--;
    else column.setNull(row);
    row--;
  }
}

/** Row `row` becomes value `value`, or null behind it. */
function move(column: Column, value: number, row: number, isPresent: boolean): void {
  switch (column.layout) {
    case 'bits':
      column.set(row, isPresent && column.get(value));
      return;
    case 'fixed': {
      const { values, words } = column;
      for (let word = 0; word < words; word++)
        values[row * words + word] = isPresent ? values[value * words + word]! : 0;
      return;
    }
    case 'bytes':
      // A null is empty, so it ends where the value before it does.
      column.offsets[row + 1] = column.offsets[value + 1]!;
      return;
    case 'dictionary':
      column.codes[row] = isPresent ? column.codes[value]! : 0;
      return;
    default:
      throw new TypeError('a leaf is not nested');
  }
}
