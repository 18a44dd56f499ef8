/** Loops that compare a column's values with one constant, or with another column's. Nulls are seen to afterwards. */
import type { BytesColumn, DictionaryColumn, FixedColumn } from '../../core/column.ts';
import type { Comparison } from '../../core/expression.ts';
import type { Truth } from './truth.ts';

/** What a comparison says of smaller, equal, greater, and of a NaN on either side. */
export interface Outcome {
  readonly less: number;
  readonly equal: number;
  readonly greater: number;
  readonly unordered: number;
}

export function outcomeOf(operator: Comparison): Outcome {
  const has = (text: string) => (operator.includes(text) ? 1 : 0);
  if (operator === '!=') return { less: 1, equal: 0, greater: 1, unordered: 1 };
  return { less: has('<'), equal: has('='), greater: has('>'), unordered: 0 };
}

/** Values of a column of numbers as doubles. */
export type Doubles = (row: number) => number;

export function compareDoubles(
  out: Truth,
  values: ArrayLike<number>,
  constant: number,
  rows: number,
  { less, equal, greater, unordered }: Outcome,
): void {
  for (let row = 0; row < rows; row++) {
    const value = values[row]!;
    out[row] = value < constant ? less : value > constant ? greater : value === constant ? equal : unordered;
  }
}

export function compareValues(
  out: Truth,
  left: Doubles,
  right: Doubles,
  rows: number,
  { less, equal, greater, unordered }: Outcome,
): void {
  for (let row = 0; row < rows; row++) {
    const a = left(row);
    const b = right(row);
    out[row] = a < b ? less : a > b ? greater : a === b ? equal : unordered;
  }
}

/** 64-bit integers, exactly: the high words first, then the low ones without sign. */
export function compareWords(
  out: Truth,
  words: Int32Array,
  constant: bigint,
  rows: number,
  { less, equal, greater }: Outcome,
): void {
  const high = Number(BigInt.asIntN(32, constant >> 32n));
  const low = Number(BigInt.asUintN(32, constant));
  for (let row = 0; row < rows; row++) {
    const a = words[row * 2 + 1]!;
    if (a !== high) out[row] = a < high ? less : greater;
    else {
      const b = words[row * 2]! >>> 0;
      out[row] = b < low ? less : b > low ? greater : equal;
    }
  }
}

/** Two columns of whole numbers of 32 or 64 bits, exactly. */
export function compareIntegers(
  out: Truth,
  left: FixedColumn,
  right: FixedColumn,
  rows: number,
  { less, equal, greater }: Outcome,
): void {
  const [a, b] = [left.values, right.values];
  const [wordsA, wordsB] = [left.words, right.words];
  for (let row = 0; row < rows; row++) {
    const lowA = a[row * wordsA]!;
    const lowB = b[row * wordsB]!;
    const highA = wordsA === 2 ? a[row * 2 + 1]! : lowA >> 31;
    const highB = wordsB === 2 ? b[row * 2 + 1]! : lowB >> 31;
    if (highA !== highB) out[row] = highA < highB ? less : greater;
    else out[row] = lowA === lowB ? equal : lowA >>> 0 < lowB >>> 0 ? less : greater;
  }
}

/** By their UTF-8 bytes, which is by code points. */
export function compareBytes(
  a: Uint8Array,
  startA: number,
  endA: number,
  b: Uint8Array,
  startB: number,
  endB: number,
): number {
  const lengthA = endA - startA;
  const lengthB = endB - startB;
  const shared = Math.min(lengthA, lengthB);
  for (let i = 0; i < shared; i++) {
    const difference = a[startA + i]! - b[startB + i]!;
    if (difference !== 0) return difference;
  }
  return lengthA - lengthB;
}

export function compareTexts(
  out: Truth,
  left: BytesColumn | DictionaryColumn,
  right: BytesColumn | DictionaryColumn,
  rows: number,
  { less, equal, greater }: Outcome,
): void {
  const a = left.layout === 'bytes' ? left : left.dictionary;
  const b = right.layout === 'bytes' ? right : right.dictionary;
  for (let row = 0; row < rows; row++) {
    const i = left.layout === 'bytes' ? row : left.codes[row]!;
    const j = right.layout === 'bytes' ? row : right.codes[row]!;
    const order = compareBytes(
      a.bytes,
      a.offsets[i]!,
      a.offsets[i + 1]!,
      b.bytes,
      b.offsets[j]!,
      b.offsets[j + 1]!,
    );
    out[row] = order < 0 ? less : order > 0 ? greater : equal;
  }
}
