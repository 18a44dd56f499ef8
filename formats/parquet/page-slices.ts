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
  const { count, valueCount, definition } = entries;
  if (totalBytes <= pageBytes) return [{ from: 0, to: count, valueFrom: 0, valueTo: valueCount }];
  return definition === null
    ? sliceFlat(entries, size, pageBytes)
    : sliceNested(leaf, entries, definition, size, pageBytes);
}

/** Every entry is a row, and every value knows its row: no entry has to be looked at. */
function sliceFlat(entries: Entries, size: number | ByteValues, pageBytes: number): PageSlice[] {
  const { count, valueRows, valueCount } = entries;
  const slices: PageSlice[] = [];
  let from = 0;
  let valueFrom = 0;
  while (from < count) {
    const valueTo = nextCut(size, valueFrom, valueCount, pageBytes);
    const to = valueTo === valueCount ? count : valueRows === null ? valueTo : valueRows[valueTo]!;
    slices.push({ from, to, valueFrom, valueTo });
    from = to;
    valueFrom = valueTo;
  }
  return slices;
}

function sliceNested(
  leaf: Leaf,
  { count, repetition, valueCount }: Entries,
  definition: Uint8Array,
  size: number | ByteValues,
  pageBytes: number,
): PageSlice[] {
  const { maxDefinition } = leaf;
  const slices: PageSlice[] = [];
  let from = 0;
  let valueFrom = 0;
  let value = 0;
  let cut = nextCut(size, 0, valueCount, pageBytes);
  for (let e = 0; e < count; e++) {
    if (value >= cut && value < valueCount && (repetition === null || repetition[e] === 0)) {
      slices.push({ from, to: e, valueFrom, valueTo: value });
      from = e;
      valueFrom = value;
      cut = nextCut(size, value, valueCount, pageBytes);
    }
    if (definition[e] === maxDefinition) value++;
  }
  slices.push({ from, to: count, valueFrom, valueTo: value });
  return slices;
}

/** The first value behind `from` at which a page is full: the values up to there take `pageBytes` or a bit more. */
function nextCut(size: number | ByteValues, from: number, count: number, pageBytes: number): number {
  // Multiples of eight keep packed bits in step with the bytes.
  if (typeof size === 'number')
    return Math.min(count, from + Math.max(8, Math.ceil(pageBytes / size / 8) * 8));
  const { index, offsets } = size;
  let bytes = 0;
  let value = from;
  while (value < count && bytes < pageBytes) {
    const entry = index === null ? value : index[value]!;
    bytes += 4 + offsets[entry + 1]! - offsets[entry]!;
    value++;
  }
  return value;
}
