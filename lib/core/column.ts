/**
 * Columns: growable vectors in Arrow's memory layout (little-endian values, LSB-first validity bitmaps, offsets +
 * contiguous bytes), so that an Arrow RecordBatch over them needs no copy. A decoder fills them, a bucket gathers rows
 * out of them, an encoder copies them into pages.
 *
 * Layouts, and the types that use them:
 *   bits        boolean
 *   fixed       int32 date float32 (1 word) · int64 timestamp float64 (2 words) · decimal (4 words)
 *   bytes       string binary json, values one after the other
 *   dictionary  string binary json, as codes into a Dictionary that a decoder keeps over many batches
 *   list        offsets into a child column
 *   struct      child columns of the same length
 *
 * Slots of null rows hold anything (0 where we write them). `length` rows are valid; arrays are longer than that.
 * Fields are public and mutable because hot loops write them; everything else goes through the methods.
 */
import type { DataType, Field } from './data-type.ts';
import { SluiceError } from './errors.ts';
import {
  copyBits,
  elementRows,
  entriesOf,
  gatherBits,
  gatherBytes,
  gatherOffsets,
  gatherPairs,
  gatherQuads,
  gatherWords,
  shiftOffsets,
} from './gather.ts';

export type Column = BitsColumn | FixedColumn | BytesColumn | DictionaryColumn | ListColumn | StructColumn;

const MIN_CAPACITY = 16;
/** Offsets are 32-bit, as in Arrow's Utf8 and List. */
export const MAX_OFFSET = 0x7fff_ffff;

abstract class ColumnBase {
  readonly type: DataType;
  /** Rows held. */
  length = 0;
  /** Bit i is 1 where row i has a value; null while no row is null. Spans the capacity. */
  validity: Uint8Array | null = null;
  nullCount = 0;
  /** Rows that fit without growing. */
  capacity: number;
  /** Kept over `clear`, so that a column with nulls does not allocate again for each batch. */
  #spareValidity: Uint8Array | null = null;

  constructor(type: DataType, capacity: number) {
    this.type = type;
    this.capacity = Math.max(capacity, MIN_CAPACITY);
  }

  isNull(row: number): boolean {
    return this.validity !== null && ((this.validity[row >> 3]! >> (row & 7)) & 1) === 0;
  }

  /** Marks a row null. The row's slot must be within the capacity; `length` is the caller's affair. */
  setNull(row: number): void {
    const validity = this.validity ?? this.#startValidity();
    const mask = 1 << (row & 7);
    const byte = validity[row >> 3]!;
    if ((byte & mask) !== 0) {
      validity[row >> 3] = byte & ~mask;
      this.nullCount++;
    }
  }

  /** Takes a null back: for a decoder that rewinds a refused row or sees a key again. */
  setValid(row: number): void {
    if (this.validity === null) return;
    const mask = 1 << (row & 7);
    const byte = this.validity[row >> 3]!;
    if ((byte & mask) === 0) {
      this.validity[row >> 3] = byte | mask;
      this.nullCount--;
    }
  }

  #startValidity(): Uint8Array {
    const bytes = (this.capacity + 7) >> 3;
    const spare = this.#spareValidity;
    const validity = spare !== null && spare.length >= bytes ? spare : new Uint8Array(bytes);
    validity.fill(0xff);
    this.validity = validity;
    return validity;
  }

  protected clearValidity(): void {
    if (this.validity !== null) this.#spareValidity = this.validity;
    this.validity = null;
    this.nullCount = 0;
  }

  protected growValidity(capacity: number): void {
    if (this.validity === null) return;
    const grown = new Uint8Array((capacity + 7) >> 3).fill(0xff);
    grown.set(this.validity.subarray(0, (this.length + 7) >> 3));
    // Bits past `length` in the last byte copied are 1 already: nothing writes beyond length but setNull.
    this.validity = grown;
  }

  /** The capacity to grow to for `rows` rows: doubles, so that appending stays linear. */
  protected nextCapacity(rows: number): number {
    return Math.max(rows, this.capacity * 2);
  }

  /** Appends the nulls of `source` for rows that were just appended at `start`. */
  protected appendNulls(source: ColumnBase, rows: Int32Array, from: number, to: number, start: number): void {
    if (source.validity === null) return;
    const validity = source.validity;
    for (let i = from, row = start; i < to; i++, row++) {
      const at = rows[i]!;
      if (((validity[at >> 3]! >> (at & 7)) & 1) === 0) this.setNull(row);
    }
  }

  protected appendNullRange(source: ColumnBase, from: number, to: number, start: number): void {
    if (source.validity === null) return;
    for (let at = from, row = start; at < to; at++, row++) if (source.isNull(at)) this.setNull(row);
  }

  protected get validityBytes(): number {
    return (this.validity?.length ?? 0) + (this.#spareValidity?.length ?? 0);
  }
}

export class BitsColumn extends ColumnBase {
  readonly layout = 'bits';
  /** One bit a row, LSB first. */
  values: Uint8Array;

  constructor(type: DataType, capacity: number) {
    super(type, capacity);
    this.values = new Uint8Array((this.capacity + 7) >> 3);
  }

  get(row: number): boolean {
    return ((this.values[row >> 3]! >> (row & 7)) & 1) === 1;
  }

  set(row: number, value: boolean): void {
    const mask = 1 << (row & 7);
    if (value) this.values[row >> 3]! |= mask;
    else this.values[row >> 3]! &= ~mask;
  }

  reserve(rows: number): void {
    if (rows <= this.capacity) return;
    const capacity = this.nextCapacity(rows);
    const values = new Uint8Array((capacity + 7) >> 3);
    values.set(this.values);
    this.values = values;
    this.growValidity(capacity);
    this.capacity = capacity;
  }

  appendRows(source: BitsColumn, rows: Int32Array, from: number, to: number): void {
    const start = this.length;
    this.reserve(start + to - from);
    gatherBits(this.values, start, source.values, rows, from, to);
    this.appendNulls(source, rows, from, to, start);
    this.length = start + to - from;
  }

  appendRange(source: BitsColumn, from: number, to: number): void {
    const start = this.length;
    this.reserve(start + to - from);
    copyBits(this.values, start, source.values, from, to);
    this.appendNullRange(source, from, to, start);
    this.length = start + to - from;
  }

  clear(): void {
    this.length = 0;
    this.clearValidity();
  }

  get memoryBytes(): number {
    return this.values.length + this.validityBytes;
  }
}

const NO_DOUBLES = new Float64Array(0);
const NO_FLOATS = new Float32Array(0);

/** 32-bit words a value takes. */
export type Words = 1 | 2 | 4;

export class FixedColumn extends ColumnBase {
  readonly layout = 'fixed';
  readonly words: Words;
  /**
   * Values as little-endian 32-bit words. All copying goes through these: reading int64 through a Float64Array could
   * change the bits of a NaN pattern.
   */
  values: Int32Array;
  /** The same memory as doubles; present for float64 only. */
  float64: Float64Array;
  /** The same memory as floats; present for float32 only. */
  float32: Float32Array;

  constructor(type: DataType, words: Words, capacity: number) {
    super(type, capacity);
    this.words = words;
    this.values = new Int32Array(this.capacity * words);
    this.float64 = NO_DOUBLES;
    this.float32 = NO_FLOATS;
    this.#view();
  }

  #view(): void {
    const { buffer, byteOffset, length } = this.values;
    if (this.type.kind === 'float64') this.float64 = new Float64Array(buffer, byteOffset, length >> 1);
    if (this.type.kind === 'float32') this.float32 = new Float32Array(buffer, byteOffset, length);
  }

  /** Takes over somebody's memory as its values: `values` must not be replaced in another way. Copies only to align. */
  adopt(values: Int32Array): void {
    this.values = this.type.kind === 'float64' && values.byteOffset % 8 !== 0 ? values.slice() : values;
    this.#view();
  }

  /** The 64-bit value of a row: int64 and timestamp columns. */
  getBigInt(row: number): bigint {
    return (BigInt(this.values[row * 2 + 1]!) << 32n) | BigInt(this.values[row * 2]! >>> 0);
  }

  setBigInt(row: number, value: bigint): void {
    this.values[row * 2] = Number(BigInt.asIntN(32, value));
    this.values[row * 2 + 1] = Number(BigInt.asIntN(32, value >> 32n));
  }

  /** The 64-bit value of a row as a double: exact up to 2^53. */
  getNumber64(row: number): number {
    return this.values[row * 2 + 1]! * 4294967296 + (this.values[row * 2]! >>> 0);
  }

  reserve(rows: number): void {
    if (rows <= this.capacity) return;
    const capacity = this.nextCapacity(rows);
    const values = new Int32Array(capacity * this.words);
    values.set(this.values.subarray(0, this.length * this.words));
    this.values = values;
    this.#view();
    this.growValidity(capacity);
    this.capacity = capacity;
  }

  appendRows(source: FixedColumn, rows: Int32Array, from: number, to: number): void {
    const start = this.length;
    this.reserve(start + to - from);
    if (this.words === 2) gatherPairs(this.values, start, source.values, rows, from, to);
    else if (this.words === 1) gatherWords(this.values, start, source.values, rows, from, to);
    else gatherQuads(this.values, start, source.values, rows, from, to);
    this.appendNulls(source, rows, from, to, start);
    this.length = start + to - from;
  }

  appendRange(source: FixedColumn, from: number, to: number): void {
    const start = this.length;
    this.reserve(start + to - from);
    this.values.set(source.values.subarray(from * this.words, to * this.words), start * this.words);
    this.appendNullRange(source, from, to, start);
    this.length = start + to - from;
  }

  clear(): void {
    this.length = 0;
    this.clearValidity();
  }

  get memoryBytes(): number {
    return this.values.byteLength + this.validityBytes;
  }
}

export class BytesColumn extends ColumnBase {
  readonly layout = 'bytes';
  /** Row i is bytes[offsets[i], offsets[i + 1]); offsets[0] is 0. */
  offsets: Int32Array;
  bytes: Uint8Array;

  constructor(type: DataType, capacity: number, byteCapacity = 0) {
    super(type, capacity);
    this.offsets = new Int32Array(this.capacity + 1);
    this.bytes = new Uint8Array(byteCapacity);
  }

  reserve(rows: number): void {
    if (rows <= this.capacity) return;
    const capacity = this.nextCapacity(rows);
    const offsets = new Int32Array(capacity + 1);
    offsets.set(this.offsets.subarray(0, this.length + 1));
    this.offsets = offsets;
    this.growValidity(capacity);
    this.capacity = capacity;
  }

  /** Makes room for `size` bytes in all. The bytes that are there, up to `used`, stay. */
  reserveBytes(size: number, used: number): void {
    if (size <= this.bytes.length) return;
    if (size > MAX_OFFSET) {
      throw new SluiceError('RECORD_TOO_LARGE', 'a batch holds more than 2 GiB of text in one column', {
        hint: 'lower max_record_size, or the memory budget',
      });
    }
    const grown = new Uint8Array(Math.min(MAX_OFFSET, Math.max(size, this.bytes.length * 2, 256)));
    grown.set(this.bytes.subarray(0, used));
    this.bytes = grown;
  }

  /** Appends one value. */
  push(value: Uint8Array): void {
    const row = this.length;
    this.reserve(row + 1);
    const at = this.offsets[row]!;
    this.reserveBytes(at + value.length, at);
    this.bytes.set(value, at);
    this.offsets[row + 1] = at + value.length;
    this.length = row + 1;
  }

  appendRows(source: BytesColumn | DictionaryColumn, rows: Int32Array, from: number, to: number): void {
    const start = this.length;
    this.reserve(start + to - from);
    const { bytes, offsets } = source.layout === 'bytes' ? source : source.dictionary;
    const codes = source.layout === 'bytes' ? null : source.codes;
    const entries = codes === null ? rows : entriesOf(codes, rows, from, to);
    const shift = codes === null ? 0 : from;
    const out = this.offsets[start]!;
    gatherOffsets(this.offsets, start, offsets, entries, from - shift, to - shift);
    this.reserveBytes(this.offsets[start + to - from]!, out);
    gatherBytes(this.bytes, out, bytes, offsets, entries, from - shift, to - shift);
    this.appendNulls(source, rows, from, to, start);
    this.length = start + to - from;
  }

  appendRange(source: BytesColumn | DictionaryColumn, from: number, to: number): void {
    if (source.layout === 'dictionary') {
      this.appendRows(source, identityRows(to), from, to);
      return;
    }
    const start = this.length;
    this.reserve(start + to - from);
    const out = this.offsets[start]!;
    const first = source.offsets[from]!;
    const size = source.offsets[to]! - first;
    this.reserveBytes(out + size, out);
    this.bytes.set(source.bytes.subarray(first, first + size), out);
    shiftOffsets(this.offsets, start, source.offsets, from, to, out - first);
    this.appendNullRange(source, from, to, start);
    this.length = start + to - from;
  }

  clear(): void {
    this.length = 0;
    this.clearValidity();
  }

  get memoryBytes(): number {
    return this.bytes.length + this.offsets.byteLength + this.validityBytes;
  }
}

let identity = new Int32Array(0);

/** 0, 1, 2 ... as row numbers, at least `length` of them. Shared: read it, never write it. */
export function identityRows(length: number): Int32Array {
  if (identity.length < length) {
    const rows = new Int32Array(Math.max(length, identity.length * 2, 8192));
    for (let i = 0; i < rows.length; i++) rows[i] = i;
    identity = rows;
  }
  return identity;
}

/**
 * The distinct values of a stream of batches, append-only: a code, once given, keeps its value for the life of the
 * object. A decoder that has to start over makes a new Dictionary; whoever holds codes holds their Dictionary too.
 */
export class Dictionary {
  count = 0;
  /** Value of code c is bytes[offsets[c], offsets[c + 1]). */
  offsets = new Int32Array(65);
  bytes = new Uint8Array(1024);

  /** Appends a value that is not in yet (the caller looked) and gives its code. */
  push(from: Uint8Array, start: number, end: number): number {
    const code = this.count;
    if (code + 2 > this.offsets.length) {
      const offsets = new Int32Array(this.offsets.length * 2);
      offsets.set(this.offsets);
      this.offsets = offsets;
    }
    const at = this.offsets[code]!;
    const size = end - start;
    if (at + size > this.bytes.length) {
      const bytes = new Uint8Array(Math.max(at + size, this.bytes.length * 2));
      bytes.set(this.bytes.subarray(0, at));
      this.bytes = bytes;
    }
    this.bytes.set(from.subarray(start, end), at);
    this.offsets[code + 1] = at + size;
    this.count = code + 1;
    return code;
  }
}

export class DictionaryColumn extends ColumnBase {
  readonly layout = 'dictionary';
  codes: Int32Array;
  dictionary: Dictionary;

  constructor(type: DataType, capacity: number, dictionary: Dictionary) {
    super(type, capacity);
    this.dictionary = dictionary;
    this.codes = new Int32Array(this.capacity);
  }

  reserve(rows: number): void {
    if (rows <= this.capacity) return;
    const capacity = this.nextCapacity(rows);
    const codes = new Int32Array(capacity);
    codes.set(this.codes.subarray(0, this.length));
    this.codes = codes;
    this.growValidity(capacity);
    this.capacity = capacity;
  }

  /** The source must use the same Dictionary. */
  appendRows(source: DictionaryColumn, rows: Int32Array, from: number, to: number): void {
    const start = this.length;
    this.reserve(start + to - from);
    gatherWords(this.codes, start, source.codes, rows, from, to);
    this.appendNulls(source, rows, from, to, start);
    this.length = start + to - from;
  }

  appendRange(source: DictionaryColumn, from: number, to: number): void {
    const start = this.length;
    this.reserve(start + to - from);
    this.codes.set(source.codes.subarray(from, to), start);
    this.appendNullRange(source, from, to, start);
    this.length = start + to - from;
  }

  /** The same rows with their values written out. */
  toBytes(): BytesColumn {
    const column = new BytesColumn(this.type, this.length);
    column.appendRange(this, 0, this.length);
    return column;
  }

  clear(): void {
    this.length = 0;
    this.clearValidity();
  }

  /** The Dictionary is the decoder's and shared, so it is not counted here. */
  get memoryBytes(): number {
    return this.codes.byteLength + this.validityBytes;
  }
}

/** Row numbers of elements that a column keeps room for: those of a batch, and not of all that a sink put together. */
const MAX_KEPT_ELEMENTS = 65_536;

export class ListColumn extends ColumnBase {
  readonly layout = 'list';
  /** Row i is child[offsets[i], offsets[i + 1]); null rows are empty. */
  offsets: Int32Array;
  child: Column;
  /** Rows of the child, while some of this column's rows are appended to another. */
  #elements = new Int32Array(0);

  constructor(type: DataType, capacity: number, child: Column) {
    super(type, capacity);
    this.offsets = new Int32Array(this.capacity + 1);
    this.child = child;
  }

  reserve(rows: number): void {
    if (rows <= this.capacity) return;
    const capacity = this.nextCapacity(rows);
    const offsets = new Int32Array(capacity + 1);
    offsets.set(this.offsets.subarray(0, this.length + 1));
    this.offsets = offsets;
    this.growValidity(capacity);
    this.capacity = capacity;
  }

  appendRows(source: ListColumn, rows: Int32Array, from: number, to: number): void {
    const start = this.length;
    this.reserve(start + to - from);
    const { offsets } = source;
    gatherOffsets(this.offsets, start, offsets, rows, from, to);
    const count = this.offsets[start + to - from]! - this.offsets[start]!;
    if (source.#elements.length < count) source.#elements = new Int32Array(count * 2);
    elementRows(source.#elements, offsets, rows, from, to);
    this.child = appendColumnRows(this.child, source.child, source.#elements, 0, count);
    if (source.#elements.length > MAX_KEPT_ELEMENTS) source.#elements = new Int32Array(0);
    this.appendNulls(source, rows, from, to, start);
    this.length = start + to - from;
  }

  appendRange(source: ListColumn, from: number, to: number): void {
    const start = this.length;
    this.reserve(start + to - from);
    const first = source.offsets[from]!;
    shiftOffsets(this.offsets, start, source.offsets, from, to, this.offsets[start]! - first);
    this.child = appendColumnRange(this.child, source.child, first, source.offsets[to]!);
    this.appendNullRange(source, from, to, start);
    this.length = start + to - from;
  }

  clear(): void {
    this.length = 0;
    this.child.clear();
    this.clearValidity();
  }

  get memoryBytes(): number {
    return this.offsets.byteLength + this.#elements.byteLength + this.child.memoryBytes + this.validityBytes;
  }
}

export class StructColumn extends ColumnBase {
  readonly layout = 'struct';
  readonly fields: readonly Field[];
  /** One a field, each with `length` rows; rows of a null struct are null in all of them. */
  children: Column[];

  constructor(type: DataType, fields: readonly Field[], capacity: number, children: Column[]) {
    super(type, capacity);
    this.fields = fields;
    this.children = children;
  }

  reserve(rows: number): void {
    for (const child of this.children) child.reserve(rows);
    if (rows <= this.capacity) return;
    const capacity = this.nextCapacity(rows);
    this.growValidity(capacity);
    this.capacity = capacity;
  }

  appendRows(source: StructColumn, rows: Int32Array, from: number, to: number): void {
    const start = this.length;
    this.reserve(start + to - from);
    for (let i = 0; i < this.children.length; i++) {
      this.children[i] = appendColumnRows(this.children[i]!, source.children[i]!, rows, from, to);
    }
    this.appendNulls(source, rows, from, to, start);
    this.length = start + to - from;
  }

  appendRange(source: StructColumn, from: number, to: number): void {
    const start = this.length;
    this.reserve(start + to - from);
    for (let i = 0; i < this.children.length; i++) {
      this.children[i] = appendColumnRange(this.children[i]!, source.children[i]!, from, to);
    }
    this.appendNullRange(source, from, to, start);
    this.length = start + to - from;
  }

  clear(): void {
    this.length = 0;
    for (const child of this.children) child.clear();
    this.clearValidity();
  }

  get memoryBytes(): number {
    return this.children.reduce((sum, child) => sum + child.memoryBytes, this.validityBytes);
  }
}

/** An empty column of a type; byte strings start in the `bytes` layout. */
export function emptyColumn(type: DataType, capacity = MIN_CAPACITY): Column {
  switch (type.kind) {
    case 'boolean':
      return new BitsColumn(type, capacity);
    case 'int32':
    case 'date':
    case 'float32':
      return new FixedColumn(type, 1, capacity);
    case 'int64':
    case 'timestamp':
    case 'float64':
      return new FixedColumn(type, 2, capacity);
    case 'decimal':
      return new FixedColumn(type, 4, capacity);
    case 'string':
    case 'binary':
    case 'json':
      return new BytesColumn(type, capacity);
    case 'list':
      return new ListColumn(type, capacity, emptyColumn(type.element, capacity));
    case 'struct':
      return new StructColumn(
        type,
        type.fields,
        capacity,
        type.fields.map((field) => emptyColumn(field.type, capacity)),
      );
  }
}

/**
 * Appends rows[from, to) of `source` and gives the column that now holds all rows: `target` itself, or its successor
 * where the layout had to change. An empty target takes over the source's dictionary; a target whose dictionary is
 * another one is written out to bytes first, once, since codes of two dictionaries cannot stand in one column.
 */
export function appendColumnRows(
  target: Column,
  source: Column,
  rows: Int32Array,
  from: number,
  to: number,
): Column {
  const into = fittingColumn(target, source);
  // The layouts agree: fittingColumn saw to strings, and every other type has one layout only.
  (into as BytesColumn).appendRows(source as BytesColumn, rows, from, to);
  return into;
}

/** {@link appendColumnRows} for the consecutive rows [from, to). */
export function appendColumnRange(target: Column, source: Column, from: number, to: number): Column {
  const into = fittingColumn(target, source);
  (into as BytesColumn).appendRange(source as BytesColumn, from, to);
  return into;
}

function fittingColumn(target: Column, source: Column): Column {
  if (source.layout === 'dictionary') {
    if (target.layout === 'dictionary') {
      if (target.dictionary === source.dictionary) return target;
      if (target.length === 0) {
        target.dictionary = source.dictionary;
        return target;
      }
      return target.toBytes();
    }
    return target.length === 0
      ? new DictionaryColumn(target.type, target.capacity, source.dictionary)
      : target;
  }
  return target.layout === 'dictionary' ? target.toBytes() : target;
}
