/** Reading the columns of a tail back; tail.ts has the format. */
import {
  BitsColumn,
  BytesColumn,
  type Column,
  Dictionary,
  DictionaryColumn,
  FixedColumn,
  ListColumn,
  StructColumn,
  type Words,
} from './column.ts';
import type { DataType } from './data-type.ts';
import { SluiceError } from './errors.ts';

/** The byte that begins a column. */
export const LAYOUT = { bits: 1, fixed: 2, bytes: 3, dictionary: 4, list: 5, struct: 6 } as const;
/** Set in it where rows are null. */
export const HAS_NULLS = 0x80;

/** Recursion goes no deeper than the schema's types, and nothing is allocated that the bytes do not fill. */
export class TailReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    // Whatever comes, a Buffer too, as what it is declared to be: `slice` of a Buffer would not copy.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  fail(why: string): never {
    throw new SluiceError('STATE_CORRUPT', `rows saved in a checkpoint cannot be read: ${why}`, {
      details: { byte: this.#at, bytes: this.#bytes.length },
    });
  }

  end(): void {
    if (this.#at !== this.#bytes.length) this.fail('bytes follow after the last column');
  }

  /** The next `size` bytes. */
  #take(size: number): Uint8Array {
    if (size > this.#bytes.length - this.#at) this.fail('they end too early');
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }

  uint8(): number {
    return this.#take(1)[0]!;
  }

  uint32(): number {
    const bytes = this.#take(4);
    return (bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24)) >>> 0;
  }

  column(type: DataType, rows: number): Column {
    const tag = this.uint8();
    const validity = (tag & HAS_NULLS) === 0 ? null : this.#take(Math.ceil(rows / 8));
    const column = this.#values(tag & ~HAS_NULLS, type, rows);
    column.length = rows;
    if (validity !== null) {
      for (let row = 0; row < rows; row++) {
        if (((validity[row >> 3]! >> (row & 7)) & 1) === 0) column.setNull(row);
      }
    }
    return column;
  }

  #values(layout: number, type: DataType, rows: number): Column {
    switch (type.kind) {
      case 'boolean': {
        this.#expect(layout, LAYOUT.bits);
        const bits = this.#take(Math.ceil(rows / 8));
        const column = new BitsColumn(type, rows);
        column.values.set(bits);
        return column;
      }
      case 'int32':
      case 'date':
      case 'float32':
        return this.#fixed(layout, type, 1, rows);
      case 'int64':
      case 'timestamp':
      case 'float64':
        return this.#fixed(layout, type, 2, rows);
      case 'decimal':
        return this.#fixed(layout, type, 4, rows);
      case 'string':
      case 'binary':
      case 'json':
        return layout === LAYOUT.dictionary
          ? this.#dictionary(type, rows)
          : this.#byteValues(layout, type, rows);
      case 'list': {
        this.#expect(layout, LAYOUT.list);
        const offsets = this.#offsets(rows);
        const column = new ListColumn(type, rows, this.column(type.element, offsets[rows]!));
        column.offsets.set(offsets);
        return column;
      }
      case 'struct': {
        this.#expect(layout, LAYOUT.struct);
        const children = type.fields.map((field) => this.column(field.type, rows));
        return new StructColumn(type, type.fields, rows, children);
      }
    }
  }

  #expect(layout: number, expected: number): void {
    if (layout !== expected) this.fail(`layout ${layout} stands where ${expected} belongs`);
  }

  #fixed(layout: number, type: DataType, words: Words, rows: number): FixedColumn {
    this.#expect(layout, LAYOUT.fixed);
    const bytes = this.#take(rows * words * 4);
    const column = new FixedColumn(type, words, rows);
    new Uint8Array(column.values.buffer).set(bytes);
    return column;
  }

  #byteValues(layout: number, type: DataType, rows: number): BytesColumn {
    this.#expect(layout, LAYOUT.bytes);
    const offsets = this.#offsets(rows);
    const bytes = this.#take(offsets[rows]!);
    const column = new BytesColumn(type, rows, bytes.length);
    column.offsets.set(offsets);
    column.bytes.set(bytes);
    return column;
  }

  #dictionary(type: DataType, rows: number): DictionaryColumn {
    const dictionary = new Dictionary();
    dictionary.count = this.uint32();
    dictionary.offsets = this.#offsets(dictionary.count);
    dictionary.bytes = this.#take(dictionary.offsets[dictionary.count]!).slice();
    const codes = this.#integers(rows);
    // Null rows have code 0 even where there is no entry: nobody reads what it stands for.
    const limit = Math.max(dictionary.count, 1);
    for (let row = 0; row < rows; row++) if (codes[row]! >= limit) this.fail('a code has no entry');
    if (dictionary.count === 0 && rows > 0) dictionary.push(new Uint8Array(0), 0, 0);
    const column = new DictionaryColumn(type, rows, dictionary);
    column.codes.set(codes);
    return column;
  }

  /** Lengths, summed up to `count` + 1 offsets. */
  #offsets(count: number): Int32Array<ArrayBuffer> {
    const lengths = this.#integers(count);
    const offsets = new Int32Array(count + 1);
    let sum = 0;
    for (let i = 0; i < count; i++) {
      sum += lengths[i]!;
      if (sum > 0x7fff_ffff) this.fail('lengths add up to more than 2 GiB');
      offsets[i + 1] = sum;
    }
    return offsets;
  }

  #integers(count: number): Int32Array {
    const width = this.uint8();
    if (width !== 1 && width !== 2 && width !== 4) this.fail(`integers cannot be ${width} bytes wide`);
    const bytes = this.#take(count * width);
    const values = new Int32Array(count);
    if (width === 4) new Uint8Array(values.buffer).set(bytes);
    else if (width === 1) values.set(bytes);
    else for (let i = 0; i < count; i++) values[i] = bytes[i * 2]! | (bytes[i * 2 + 1]! << 8);
    for (let i = 0; i < count; i++) if (values[i]! < 0) this.fail('an integer is negative');
    return values;
  }
}
