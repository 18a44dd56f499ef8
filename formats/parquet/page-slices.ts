/** Where the pages of a column chunk begin and end. */
import type { ByteValues } from './chunk-values.ts';
import type { Entries } from './levels.ts';
import type { Leaf } from './schema.ts';

/** Entries [from, to) and the values among them. A slice begins with a row and ends with one. */
export interface PageSlice {
  readonly from: number;
  readonly to: number;
  readonly valueFrom: number;
  readonly valueTo: number;
}

/**
 * Cuts a chunk into pages of about `pageBytes`. A row is never cut, as readers that skip pages by row expect, so a page
 * may be larger by what its last row takes.
 * @param size bytes of a value, or where the values differ, the values
 * @param totalBytes of all values
 */
export function slicePages(
  leaf: Leaf,
  entries: Entries,
  size: number | ByteValues,
  totalBytes: number,
  pageBytes: number,
): PageSlice[] {
  const { count, repetition, valueRows, valueCount } = entries;
  if (totalBytes <= pageBytes) return [{ from: 0, to: count, valueFrom: 0, valueTo: valueCount }];
  if (typeof size === 'number' && repetition === null && valueRows === null) {
    // Multiples of eight rows keep the packed bits of booleans and indexes in step with the bytes.
    const rows = Math.max(8, Math.floor(pageBytes / size) & ~7);
    const slices: PageSlice[] = [];
    for (let from = 0; from < count; from += rows) {
      const to = Math.min(from + rows, count);
      slices.push({ from, to, valueFrom: from, valueTo: to });
    }
    return slices;
  }
  return sliceByEntry(leaf, entries, size, pageBytes);
}

function sliceByEntry(
  leaf: Leaf,
  entries: Entries,
  size: number | ByteValues,
  pageBytes: number,
): PageSlice[] {
  const { count, definition, bitmap, repetition } = entries;
  const slices: PageSlice[] = [];
  let from = 0;
  let valueFrom = 0;
  let value = 0;
  let bytes = 0;
  for (let e = 0; e < count; e++) {
    if (bytes >= pageBytes && (repetition === null || repetition[e] === 0)) {
      slices.push({ from, to: e, valueFrom, valueTo: value });
      from = e;
      valueFrom = value;
      bytes = 0;
    }
    if (definition !== null && definition[e] !== leaf.maxDefinition) continue;
    if (bitmap !== null && ((bitmap[e >> 3]! >> (e & 7)) & 1) === 0) continue;
    bytes += typeof size === 'number' ? size : byteLength(size, value);
    value++;
  }
  slices.push({ from, to: count, valueFrom, valueTo: value });
  return slices;
}

function byteLength({ index, offsets }: ByteValues, value: number): number {
  const entry = index === null ? value : index[value]!;
  return 4 + offsets[entry + 1]! - offsets[entry]!;
}
