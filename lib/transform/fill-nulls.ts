/** `default`: a value in place of null. Rows in between are copied by the run. */
import {
  appendColumnRange,
  appendColumnRows,
  type Column,
  Dictionary,
  DictionaryColumn,
  emptyColumn,
} from '../core/column.ts';

export class NullFiller {
  readonly #value: Column;
  /** The default, then the values of the column's dictionary: so a code is one more than it was. */
  #dictionary: Dictionary | null = null;
  #source: Dictionary | null = null;

  /** @param value one row of the column's type */
  constructor(value: Column) {
    this.#value = value;
  }

  /** The column itself where it has no nulls. */
  fill(column: Column, rows: number): Column {
    if (column.nullCount === 0) return column;
    if (column.layout === 'dictionary') return this.#fillCodes(column, rows);
    let filled = emptyColumn(column.type, rows);
    const zeros = new Int32Array(rows);
    for (let row = 0; row < rows; ) {
      const start = row;
      const isNull = column.isNull(row);
      while (row < rows && column.isNull(row) === isNull) row++;
      filled = isNull
        ? appendColumnRows(filled, this.#value, zeros, 0, row - start)
        : appendColumnRange(filled, column, start, row);
    }
    return filled;
  }

  #fillCodes(column: DictionaryColumn, rows: number): Column {
    const dictionary = this.#follow(column.dictionary);
    const filled = new DictionaryColumn(column.type, rows, dictionary);
    for (let row = 0; row < rows; row++) filled.codes[row] = column.isNull(row) ? 0 : column.codes[row]! + 1;
    filled.length = rows;
    return filled;
  }

  #follow(source: Dictionary): Dictionary {
    let dictionary = this.#dictionary;
    if (dictionary === null || this.#source !== source) {
      dictionary = new Dictionary();
      const value = this.#value;
      if (value.layout === 'bytes') dictionary.push(value.bytes, 0, value.offsets[1]!);
      this.#dictionary = dictionary;
      this.#source = source;
    }
    for (let code = dictionary.count - 1; code < source.count; code++)
      dictionary.push(source.bytes, source.offsets[code]!, source.offsets[code + 1]!);
    return dictionary;
  }
}
