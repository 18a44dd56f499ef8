/**
 * Strings. A column starts as codes into a dictionary that lives as long as the decoder, and turns raw once for all when
 * the dictionary is over its limits, or when most values were new ones: then it costs more than it saves.
 */
import { BytesColumn, DictionaryColumn } from '../../lib/core/column.ts';
import type { DataType } from '../../lib/core/data-type.ts';
import { finishHash, mixWord, StringDictionary } from '../string-dictionary.ts';
import { firstMark, stringStops, unescaped, unescapeString } from './json-string.ts';
import { skipValue } from './skip-value.ts';
import { isUtf8Range } from './utf8.ts';
import { finishColumn, markValid, REFUSED, type ValueReader } from './value-reader.ts';

const QUOTE = 34;
const BRACKET_OPEN = 91;
const BRACE_OPEN = 123;
const LETTER_N = 0x6e;
const HIGH_BITS = -0x7f7f7f80;
/** Values after which the share of new ones is looked at. */
const TRIAL_VALUES = 4096;
/** Room that a value gets at once; more is asked for while it is copied. */
const ROOM_BYTES = 64;

export class StringReader implements ValueReader {
  #coded: DictionaryColumn | null = null;
  /** null once the column is raw. */
  #dictionary: StringDictionary | null = null;
  #raw: BytesColumn;
  /** Over `#raw.bytes`. */
  #rawView: DataView = new DataView(new ArrayBuffer(0));
  #values = 0;
  readonly #takesLiterals: boolean;

  /**
   * @param takesLiterals whether numbers and booleans are text as they are spelled: where columns are widened to text, they
   *   are what its values may still be, in lists and structs as well
   */
  constructor(type: DataType, capacity: number, dictionaries: boolean, takesLiterals = false) {
    this.#takesLiterals = takesLiterals;
    this.#raw = new BytesColumn(type, dictionaries ? 0 : capacity);
    if (!dictionaries) return;
    this.#dictionary = new StringDictionary();
    this.#coded = new DictionaryColumn(type, capacity, this.#dictionary.dictionary);
  }

  get column(): BytesColumn | DictionaryColumn {
    return this.#coded ?? this.#raw;
  }

  get dictionary(): StringDictionary | null {
    return this.#dictionary;
  }

  read(bytes: Uint8Array, view: DataView, at: number, row: number): number {
    if (bytes[at] !== QUOTE) return this.#takesLiterals ? this.#readLiteral(bytes, view, at, row) : REFUSED;
    const coded = this.#coded;
    const dictionary = this.#dictionary;
    if (coded === null || dictionary === null) return this.#readRaw(bytes, view, at + 1, row);
    const start = at + 1;
    let next = start;
    let hash = dictionary.seed;
    let word = view.getInt32(next, true);
    let marks = stringStops(word);
    while (marks === 0) {
      hash = mixWord(hash, word);
      next += 4;
      word = view.getInt32(next, true);
      marks = stringStops(word);
    }
    const rest = firstMark(marks);
    const tail = word & ~(-1 << (rest << 3));
    next += rest;
    if (bytes[next] !== QUOTE) return this.#readEscaped(bytes, view, start, row);
    hash = finishHash(hash, tail, next - start);
    let code = dictionary.find(view, start, next, hash, tail);
    if (code < 0) {
      // What is in was checked when it came in.
      if (!isUtf8Range(bytes, start, next)) return REFUSED;
      code = dictionary.add(bytes, start, next, hash, tail);
      if (code < 0) {
        this.#turnRaw(row);
        return this.#readRaw(bytes, view, start, row);
      }
    }
    coded.codes[row] = code;
    markValid(coded, row);
    return next + 1;
  }

  /** Copies word by word while it looks for the end; the bytes written too many are written over by the next value. */
  #readRaw(bytes: Uint8Array, view: DataView, start: number, row: number): number {
    const column = this.#raw;
    let out = column.offsets[row]!;
    let room = column.bytes.length - 4;
    let next = start;
    let high = 0;
    let rest = 0;
    for (;;) {
      if (out > room) room = this.#makeRoom(out) - 4;
      const word = view.getInt32(next, true);
      this.#rawView.setInt32(out, word, true);
      high |= word;
      const marks = stringStops(word);
      if (marks !== 0) {
        rest = firstMark(marks);
        break;
      }
      next += 4;
      out += 4;
    }
    next += rest;
    if (bytes[next] !== QUOTE) return this.#readEscaped(bytes, view, start, row);
    if ((high & HIGH_BITS) !== 0 && !isUtf8Range(bytes, start, next)) return REFUSED;
    column.offsets[row + 1] = out + rest;
    markValid(column, row);
    return next + 1;
  }

  /** @returns the bytes that there is room for */
  #makeRoom(used: number): number {
    this.#raw.reserveBytes(used + ROOM_BYTES, used);
    this.#viewRaw();
    return this.#raw.bytes.length;
  }

  #viewRaw(): void {
    const { bytes } = this.#raw;
    if (this.#rawView.buffer === bytes.buffer) return;
    this.#rawView = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Room for `size` bytes in a raw column, of which `used` are there. */
  reserveBytes(size: number, used: number): void {
    this.#raw.reserveBytes(size, used);
    // The view may be of what there was before.
    this.#viewRaw();
  }

  #readEscaped(bytes: Uint8Array, view: DataView, start: number, row: number): number {
    const end = unescapeString(bytes, view, start);
    if (end < 0) return REFUSED;
    this.#write(unescaped.bytes, 0, unescaped.length, row);
    return end;
  }

  #readLiteral(bytes: Uint8Array, view: DataView, at: number, row: number): number {
    const first = bytes[at]!;
    if (first === BRACE_OPEN || first === BRACKET_OPEN || first === LETTER_N) return REFUSED;
    const end = skipValue(bytes, view, at);
    if (end < 0) return REFUSED;
    this.#write(bytes, at, end, row);
    return end;
  }

  /** Text that is known to be UTF-8. */
  #write(bytes: Uint8Array, from: number, to: number, row: number): void {
    if (this.#coded !== null && this.#dictionary !== null) {
      const code = this.#dictionary.lookup(bytes, from, to);
      if (code >= 0) {
        this.#coded.codes[row] = code;
        markValid(this.#coded, row);
        return;
      }
      this.#turnRaw(row);
    }
    const column = this.#raw;
    const out = column.offsets[row]!;
    const end = out + to - from;
    if (end + 4 > column.bytes.length) this.#makeRoom(end);
    column.bytes.set(bytes.subarray(from, to), out);
    column.offsets[row + 1] = end;
    markValid(column, row);
  }

  /** Writes the values of the first `rows` slots out. */
  #turnRaw(rows: number): void {
    const coded = this.#coded;
    if (coded === null) return;
    coded.length = rows;
    this.#raw = coded.toBytes();
    this.#raw.reserve(coded.capacity);
    this.#makeRoom(this.#raw.offsets[rows]!);
    this.#coded = null;
    this.#dictionary = null;
  }

  readNull(row: number): void {
    if (this.#coded !== null) this.#coded.codes[row] = 0;
    else this.#raw.offsets[row + 1] = this.#raw.offsets[row]!;
    this.column.setNull(row);
  }

  grow(rows: number): void {
    const { column } = this;
    column.length = rows;
    column.reserve(rows + 1);
  }

  finish(rows: number, touched: number): void {
    finishColumn(this.column, rows, touched);
    this.#values += rows;
  }

  clear(): void {
    this.column.clear();
    const dictionary = this.#dictionary;
    if (dictionary === null || this.#values < TRIAL_VALUES) return;
    if (dictionary.dictionary.count * 2 > this.#values) this.#turnRaw(0);
  }
}
