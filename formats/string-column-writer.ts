/** Fills a string column from byte ranges: as dictionary codes while that pays, as bytes from then on. */
import { isUtf8 } from 'node:buffer';
import { BytesColumn, type Column, DictionaryColumn } from '../lib/core/column.ts';
import type { DataType } from '../lib/core/data-type.ts';
import { StringDictionary } from './string-dictionary.ts';

/** Values after which the share of new ones is looked at. */
const TRIAL_VALUES = 4096;

/**
 * Lives as long as its decoder: the dictionary lasts over batches. A row's slot is all the state there is, so a row that
 * is refused later leaves no trace: the next one is written over it.
 */
export class StringColumnWriter {
  column: DictionaryColumn | BytesColumn;
  /** null once the column holds bytes. */
  #dictionary: StringDictionary | null;
  #values = 0;

  constructor(type: DataType, capacity: number) {
    this.#dictionary = new StringDictionary();
    this.column = new DictionaryColumn(type, capacity, this.#dictionary.dictionary);
  }

  get dictionary(): StringDictionary | null {
    return this.#dictionary;
  }

  /** Room for `size` bytes in a column of bytes, of which `used` are there. */
  reserveBytes(size: number, used: number): void {
    if (this.column.layout === 'bytes') this.column.reserveBytes(size, used);
  }

  /**
   * Begins the next batch, after one of `rows` rows. Where most values so far were new ones, a dictionary costs more than
   * it saves.
   */
  clear(rows: number): void {
    this.column.clear();
    this.#values += rows;
    const dictionary = this.#dictionary;
    if (dictionary === null || this.#values < TRIAL_VALUES) return;
    if (dictionary.dictionary.count * 2 > this.#values) this.#turnRaw(0);
  }

  /**
   * Writes bytes[start, end) to a row.
   * @param ascii whether the caller knows that no byte is over 0x7f
   * @returns false where the bytes are not UTF-8
   */
  write(bytes: Uint8Array, start: number, end: number, ascii: boolean, row: number): boolean {
    if (!ascii && !isUtf8(bytes.subarray(start, end))) return false;
    const dictionary = this.#dictionary;
    if (dictionary !== null) {
      const code = dictionary.lookup(bytes, start, end);
      if (code !== -1) {
        (this.column as DictionaryColumn).codes[row] = code;
        return true;
      }
      this.#turnRaw(row);
    }
    const column = this.column as BytesColumn;
    const at = column.offsets[row]!;
    column.reserveBytes(at + (end - start), at);
    if (end - start > 48) column.bytes.set(bytes.subarray(start, end), at);
    else for (let i = start, out = at; i < end; i++, out++) column.bytes[out] = bytes[i]!;
    column.offsets[row + 1] = at + (end - start);
    return true;
  }

  /** Makes a row null. */
  writeNull(row: number): void {
    const { column } = this;
    if (column.layout === 'bytes') column.offsets[row + 1] = column.offsets[row]!;
    else column.codes[row] = 0;
    column.setNull(row);
  }

  #turnRaw(rows: number): void {
    const old: Column = this.column;
    old.length = rows;
    const raw = new BytesColumn(old.type, old.capacity);
    raw.appendRange(old as DictionaryColumn, 0, rows);
    this.column = raw;
    this.#dictionary = null;
  }
}
