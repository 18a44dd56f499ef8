/** Leaves out rows whose key is in a window of keys. */
import type { Batch } from '../core/batch.ts';
import type { Column } from '../core/column.ts';
import type { DataType } from '../core/data-type.ts';
import { readValue } from '../core/values.ts';
import { TRUE } from './expression/truth.ts';
import type { KeyWindow } from './key-window.ts';

const MS_PER_DAY = 86_400_000;

/** Whether values of a type can be a key: those that have one text each. */
export function canBeKey({ kind }: DataType): boolean {
  return kind !== 'list' && kind !== 'struct' && kind !== 'json';
}

export class Deduplication {
  readonly #indexes: readonly number[];
  readonly #window: KeyWindow;
  #truth = new Uint8Array(0);
  #duplicates = 0;

  /** @param indexes columns of the key */
  constructor(indexes: readonly number[], window: KeyWindow) {
    this.#indexes = indexes;
    this.#window = window;
  }

  /** TRUE for rows to keep: those whose key is new, or has a null, which equals nothing. Valid until the next call. */
  fresh({ columns, length }: Batch): Uint8Array {
    if (this.#truth.length < length) this.#truth = new Uint8Array(length);
    const truth = this.#truth;
    for (let row = 0; row < length; row++) {
      const key = this.#keyOf(columns, row);
      const isNew = key === null || this.#window.add(key);
      truth[row] = isNew ? TRUE : TRUE ^ 1;
      if (!isNew) this.#duplicates++;
    }
    return truth;
  }

  /** Rows that were left out since this was asked last. */
  take(): number {
    const duplicates = this.#duplicates;
    this.#duplicates = 0;
    return duplicates;
  }

  /** Each value with its length before it, so that ("a", "bc") is not ("ab", "c"). */
  #keyOf(columns: readonly Column[], row: number): string | null {
    let key = '';
    for (const index of this.#indexes) {
      const column = columns[index]!;
      if (column.isNull(row)) return null;
      const text = textOf(column, row);
      key += `${text.length}:${text}`;
    }
    return key;
  }
}

/**
 * A number's text is the same in each type that holds it, so that a column which widens keeps its keys; -0 is 0, and NaN
 * is NaN. Texts are in the windows of checkpoints: a date is its milliseconds.
 */
function textOf(column: Column, row: number): string {
  if (column.layout === 'bytes') return latin1(column.bytes, column.offsets[row]!, column.offsets[row + 1]!);
  if (column.layout === 'dictionary') {
    const { bytes, offsets } = column.dictionary;
    const code = column.codes[row]!;
    return latin1(bytes, offsets[code]!, offsets[code + 1]!);
  }
  if (column.layout === 'fixed') {
    // Not through a Date: it has 270,000 years to each side, and what is beyond them would be one key.
    if (column.type.kind === 'timestamp') return String(column.getBigInt(row));
    if (column.type.kind === 'date') return String(column.values[row]! * MS_PER_DAY);
  }
  return String(readValue(column, row));
}

/** The bytes as they are: text that is not UTF-8 must not become the same. */
function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}
