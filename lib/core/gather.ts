/**
 * The loops that columns are copied with: rows[from, to) of a source, or its rows [from, to), to a target from row
 * `start` on. Each is a function of arrays and numbers that ends with its loop. A loop is compiled while it runs for the
 * first time, and thrown away when it comes to code that has not run yet; as parts of methods these were compiled 30
 * times in a job of a second.
 */

/** Values of one word. */
export function gatherWords(
  target: Int32Array,
  start: number,
  source: Int32Array,
  rows: Int32Array,
  from: number,
  to: number,
): void {
  for (let i = from, out = start; i < to; i++, out++) target[out] = source[rows[i]!]!;
}

/** Values of two words. */
export function gatherPairs(
  target: Int32Array,
  start: number,
  source: Int32Array,
  rows: Int32Array,
  from: number,
  to: number,
): void {
  for (let i = from, out = start * 2; i < to; i++, out += 2) {
    const at = rows[i]! * 2;
    target[out] = source[at]!;
    target[out + 1] = source[at + 1]!;
  }
}

/** Values of four words. */
export function gatherQuads(
  target: Int32Array,
  start: number,
  source: Int32Array,
  rows: Int32Array,
  from: number,
  to: number,
): void {
  for (let i = from, out = start * 4; i < to; i++, out += 4) {
    const at = rows[i]! * 4;
    target[out] = source[at]!;
    target[out + 1] = source[at + 1]!;
    target[out + 2] = source[at + 2]!;
    target[out + 3] = source[at + 3]!;
  }
}

export function gatherBits(
  target: Uint8Array,
  start: number,
  source: Uint8Array,
  rows: Int32Array,
  from: number,
  to: number,
): void {
  for (let i = from, out = start; i < to; i++, out++) {
    const at = rows[i]!;
    putBit(target, out, (source[at >> 3]! >> (at & 7)) & 1);
  }
}

/** Rows [from, to). */
export function copyBits(
  target: Uint8Array,
  start: number,
  source: Uint8Array,
  from: number,
  to: number,
): void {
  for (let at = from, out = start; at < to; at++, out++) {
    putBit(target, out, (source[at >> 3]! >> (at & 7)) & 1);
  }
}

function putBit(target: Uint8Array, at: number, bit: number): void {
  const shift = at & 7;
  target[at >> 3] = (target[at >> 3]! & ~(1 << shift)) | (bit << shift);
}

/** Offsets behind rows `start` ... of the target, where each row is as long as its source. */
export function gatherOffsets(
  target: Int32Array,
  start: number,
  source: Int32Array,
  rows: Int32Array,
  from: number,
  to: number,
): void {
  let end = target[start]!;
  for (let i = from, out = start + 1; i < to; i++, out++) {
    const at = rows[i]!;
    end += source[at + 1]! - source[at]!;
    target[out] = end;
  }
}

/** The same for rows [from, to): they lie one behind the other, so that all offsets differ by `shift`. */
export function shiftOffsets(
  target: Int32Array,
  start: number,
  source: Int32Array,
  from: number,
  to: number,
  shift: number,
): void {
  for (let at = from + 1, out = start + 1; at <= to; at++, out++) target[out] = source[at]! + shift;
}

/** The bytes of rows[from, to), from index `out` of the target on, where there is room for them. */
export function gatherBytes(
  target: Uint8Array,
  out: number,
  source: Uint8Array,
  offsets: Int32Array,
  rows: Int32Array,
  from: number,
  to: number,
): void {
  let at = out;
  for (let i = from; i < to; i++) {
    const row = rows[i]!;
    const start = offsets[row]!;
    const end = offsets[row + 1]!;
    // Short values are copied by a loop: `set` with a view costs more than 30 bytes of it.
    if (end - start > 48) target.set(source.subarray(start, end), at);
    else copyShort(target, at, source, start, end);
    at += end - start;
  }
}

function copyShort(target: Uint8Array, out: number, source: Uint8Array, start: number, end: number): void {
  for (let i = start, o = out; i < end; i++, o++) target[o] = source[i]!;
}

/** Elements of the lists rows[from, to), as rows of their column. */
export function elementRows(
  target: Int32Array,
  offsets: Int32Array,
  rows: Int32Array,
  from: number,
  to: number,
): void {
  let out = 0;
  for (let i = from; i < to; i++) {
    const row = rows[i]!;
    const end = offsets[row + 1]!;
    for (let element = offsets[row]!; element < end; element++) target[out++] = element;
  }
}

let entries = new Int32Array(0);

/** Codes of rows[from, to), from index 0 on. Valid until the next call. */
export function entriesOf(codes: Int32Array, rows: Int32Array, from: number, to: number): Int32Array {
  if (entries.length < to - from) entries = new Int32Array((to - from) * 2);
  gatherWords(entries, 0, codes, rows, from, to);
  return entries;
}
