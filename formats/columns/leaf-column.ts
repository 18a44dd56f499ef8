/**
 * The values of one leaf, collected page by page for a batch: without the nulls at first, which are put between them at
 * the end. Strings become codes of a dictionary that lasts over pages, row groups and files, as those of other decoders
 * do; the entries of a page dictionary are looked up once each, so no string is hashed twice.
 */
import { BytesColumn, type Column, DictionaryColumn, emptyColumn } from '../../lib/core/column.ts';
import type { DataType } from '../../lib/core/data-type.ts';
import { StringDictionary } from '../string-dictionary.ts';
import { spreadNulls } from './spread-nulls.ts';

/** Values as a column, and why some do not fit, by their index; null where all do. */
export interface Converted {
  readonly column: Column;
  readonly bad: ReadonlyMap<number, string> | null;
}

/** A dictionary page: the values, and for strings their codes in the lasting dictionary, -1 where not looked up yet. */
export interface PageDictionary extends Converted {
  readonly codes: Int32Array | null;
}

export class LeafColumn {
  readonly #type: DataType;
  #column: Column;
  /** null where the type has none, or once there were too many distinct values. */
  #dictionary: StringDictionary | null;

  constructor(type: DataType, capacity: number) {
    this.#type = type;
    const isText = type.kind === 'string' || type.kind === 'json';
    this.#dictionary = isText ? new StringDictionary() : null;
    this.#column =
      this.#dictionary === null
        ? emptyColumn(type, capacity)
        : new DictionaryColumn(type, capacity, this.#dictionary.dictionary);
  }

  /** Values collected so far. */
  get length(): number {
    return this.#column.length;
  }

  clear(): void {
    this.#column.clear();
  }

  /** Makes a dictionary of a page's values. */
  pageDictionary(converted: Converted): PageDictionary {
    const codes = this.#dictionary === null ? null : new Int32Array(converted.column.length).fill(-1);
    return { ...converted, codes };
  }

  /** Appends the values [from, to) of a page. */
  appendValues(page: Column, from: number, to: number): void {
    const dictionary = this.#dictionary;
    const column = this.#column;
    if (dictionary === null || column.layout !== 'dictionary' || page.layout !== 'bytes') {
      // Layouts agree: both were made for the type of the leaf.
      (column as BytesColumn).appendRange(page as BytesColumn, from, to);
      return;
    }
    const { bytes, offsets } = page;
    const start = column.length;
    column.reserve(start + to - from);
    for (let i = from, row = start; i < to; i++, row++) {
      const code = dictionary.lookup(bytes, offsets[i]!, offsets[i + 1]!);
      if (code < 0) {
        column.length = row;
        this.#turnRaw(column).appendRange(page, i, to);
        return;
      }
      column.codes[row] = code;
    }
    column.length = start + to - from;
  }

  /** Appends the values that indexes[from, to) stand for. */
  appendIndexes(page: PageDictionary, indexes: Int32Array, from: number, to: number): void {
    const dictionary = this.#dictionary;
    const column = this.#column;
    const { codes } = page;
    if (
      dictionary === null ||
      column.layout !== 'dictionary' ||
      codes === null ||
      page.column.layout !== 'bytes'
    ) {
      (column as BytesColumn).appendRows(page.column as BytesColumn, indexes, from, to);
      return;
    }
    const { bytes, offsets } = page.column;
    const start = column.length;
    column.reserve(start + to - from);
    const target = column.codes;
    for (let i = from, row = start; i < to; i++, row++) {
      const index = indexes[i]!;
      let code = codes[index]!;
      if (code < 0) {
        code = dictionary.lookup(bytes, offsets[index]!, offsets[index + 1]!);
        if (code < 0) {
          column.length = row;
          this.#turnRaw(column).appendRows(page.column, indexes, i, to);
          return;
        }
        codes[index] = code;
      }
      target[row] = code;
    }
    column.length = start + to - from;
  }

  /**
   * The column with its nulls: a row for each of the `entries` whose definition level is `slot` or more, a value where it
   * is `present`.
   */
  finish(definition: Uint8Array | null, entries: number, slot: number, present: number): Column {
    if (definition !== null) spreadNulls(this.#column, definition, entries, slot, present);
    return this.#column;
  }

  #turnRaw(column: DictionaryColumn): BytesColumn {
    const raw = new BytesColumn(this.#type, column.capacity);
    raw.appendRange(column, 0, column.length);
    this.#column = raw;
    this.#dictionary = null;
    return raw;
  }
}
