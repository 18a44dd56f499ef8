/** Coders for columns of numbers. */
import type { Column, FixedColumn } from '../lib/core/column.ts';
import { SluiceError } from '../lib/core/errors.ts';
import { floorDivide64, isSafe64 } from '../lib/core/int64.ts';
import type { PartitionField } from '../lib/core/specs.ts';
import { MAX_REMEMBERED } from './bucket-ids.ts';
import { datePart, MS_PER_DAY } from './partition-text.ts';
import type { PartitionValues } from './partition-values.ts';
import type { ValueCoder } from './value-coder.ts';

const MS_PER_HOUR = 3_600_000;

/** Remembers an index under a number. Bounded apart from PartitionValues: many days are one year. */
function remember(known: Map<number, number>, key: number, index: number): void {
  if (known.size >= MAX_REMEMBERED) known.clear();
  known.set(key, index);
}

/** Columns of one number a row. */
export class NumberCoder implements ValueCoder {
  readonly #values: PartitionValues;
  readonly #text: (value: number) => string;
  readonly #known = new Map<number, number>();

  constructor(values: PartitionValues, text: (value: number) => string) {
    this.#values = values;
    this.#text = text;
  }

  code(column: Column, rows: number, into: Int32Array): void {
    let last = Number.NaN;
    let index = -1;
    for (let row = 0; row < rows; row++) {
      if (column.isNull(row)) {
        into[row] = this.#values.index(null);
        continue;
      }
      const value = numberAt(column, row);
      if (value !== last) {
        last = value;
        index = this.#lookUp(value);
      }
      into[row] = index;
    }
  }

  #lookUp(value: number): number {
    let index = this.#known.get(value);
    if (index === undefined) {
      index = this.#values.index(this.#text(value));
      remember(this.#known, value, index);
    }
    return index;
  }

  forget(): void {
    this.#known.clear();
  }
}

function numberAt(column: Column, row: number): number {
  if (column.layout === 'bits') return column.get(row) ? 1 : 0;
  const fixed = asFixed(column);
  if (fixed.type.kind === 'float64') return fixed.float64[row]!;
  if (fixed.type.kind === 'float32') return fixed.float32[row]!;
  return fixed.values[row]!;
}

function asFixed(column: Column): FixedColumn {
  if (column.layout === 'fixed') return column;
  throw new SluiceError('INTERNAL', `a ${column.type.kind} column has the layout ${column.layout}`);
}

/** The UTC hour, day, month or year of timestamps: looked up by the hour or day that the instant falls into. */
export class PeriodCoder implements ValueCoder {
  readonly #values: PartitionValues;
  readonly #perMs: number;
  readonly #periodMs: number;
  readonly #field: PartitionField;
  readonly #known = new Map<number, number>();

  constructor(values: PartitionValues, perMs: number, field: PartitionField) {
    this.#values = values;
    this.#perMs = perMs;
    this.#periodMs = field.transform === 'hour' ? MS_PER_HOUR : MS_PER_DAY;
    this.#field = field;
  }

  code(column: Column, rows: number, into: Int32Array): void {
    const { values: words } = asFixed(column);
    let last = Number.NaN;
    let index = -1;
    for (let row = 0; row < rows; row++) {
      if (column.isNull(row)) {
        into[row] = this.#values.index(null);
        continue;
      }
      const high = words[row * 2 + 1]!;
      const low = words[row * 2]! >>> 0;
      const ms = this.#perMs === 1 ? high * 4294967296 + low : floorDivide64(high, low, this.#perMs);
      const period = Math.floor(ms / this.#periodMs);
      if (period !== last) {
        last = period;
        index = this.#lookUp(period);
      }
      into[row] = index;
    }
  }

  #lookUp(period: number): number {
    let index = this.#known.get(period);
    if (index === undefined) {
      index = this.#values.index(datePart(period * this.#periodMs, this.#field));
      remember(this.#known, period, index);
    }
    return index;
  }

  forget(): void {
    this.#known.clear();
  }
}

/** Columns of 64 or 128 bits. Values below 2^53 are looked up as numbers, wider ones by their text. */
export class WordsCoder implements ValueCoder {
  readonly #values: PartitionValues;
  readonly #text: (column: FixedColumn, row: number) => string;
  readonly #known = new Map<number, number>();

  constructor(values: PartitionValues, text: (column: FixedColumn, row: number) => string) {
    this.#values = values;
    this.#text = text;
  }

  code(column: Column, rows: number, into: Int32Array): void {
    const fixed = asFixed(column);
    let before = -1;
    for (let row = 0; row < rows; row++) {
      if (fixed.isNull(row)) {
        into[row] = this.#values.index(null);
        continue;
      }
      into[row] = before !== -1 && sameWords(fixed, before, row) ? into[before]! : this.#lookUp(fixed, row);
      before = row;
    }
  }

  #lookUp(column: FixedColumn, row: number): number {
    const high = column.values[row * column.words + 1]!;
    if (column.words === 4 || !isSafe64(high)) return this.#values.index(this.#text(column, row));
    const value = column.getNumber64(row);
    let index = this.#known.get(value);
    if (index === undefined) {
      index = this.#values.index(this.#text(column, row));
      remember(this.#known, value, index);
    }
    return index;
  }

  forget(): void {
    this.#known.clear();
  }
}

function sameWords(column: FixedColumn, a: number, b: number): boolean {
  const { values, words } = column;
  for (let i = 0; i < words; i++) if (values[a * words + i] !== values[b * words + i]) return false;
  return true;
}
