/**
 * Columns over the memory of an Arrow record batch. Values are not copied where Arrow and we agree on the layout (which
 * is nearly always); what is: 8 and 16-bit integers, offsets of 64 bits, times of another unit, dictionary codes.
 */
import * as arrow from 'apache-arrow';
import {
  appendColumnRange,
  appendColumnRows,
  BytesColumn,
  type Column,
  emptyColumn,
  FixedColumn,
  ListColumn,
  StructColumn,
} from '../../lib/core/column.ts';
import { type DataType, formatDataType } from '../../lib/core/data-type.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import { appendNull } from '../../lib/core/values.ts';
import { LeafColumn, type PageDictionary } from '../columns/leaf-column.ts';
import { corrupt } from '../corrupt.ts';
import { converterOf } from '../parquet/reader/convert.ts';
import type { StoredValues } from '../parquet/reader/stored-values.ts';
import { badUtf8 } from '../utf8-values.ts';
import { isBinary, isList, storedOfArrow, typeOfArrow } from './arrow-type.ts';

export interface ReadColumn {
  readonly column: Column;
  /** Why values do not fit, by row; null where all do. */
  readonly bad: ReadonlyMap<number, string> | null;
}

/** Where a column stands: its name, what leads to it before. Never joined for a key, as a name may hold any character. */
type Place = readonly string[];

/** Strings coded by a dictionary of the file, by place in the schema: their own dictionary lasts over batches. */
interface Coded {
  readonly leaf: LeafColumn;
  vector: arrow.Vector | null;
  page: PageDictionary | null;
}

export class ArrowColumns {
  readonly #coded = new Map<string, Coded>();

  /**
   * @param mask rows that are null whatever the data says, since what they are part of is
   * @throws SluiceError BAD_RECORD for a type that does not become the wanted one
   */
  read(data: arrow.Data, type: DataType, place: Place, mask: Uint8Array | null): ReadColumn {
    const validity = combined(data, mask);
    const { column, bad } = this.#values(data, type, place, validity);
    if (validity !== null && column.validity === null) {
      let nulls = 0;
      for (let row = 0; row < data.length; row++) if (!isSet(validity, row)) nulls++;
      if (nulls > 0) {
        column.validity = validity;
        column.nullCount = nulls;
      }
    }
    if (bad === null || validity === null) return { column, bad };
    // What stands under a null means nothing.
    const left = new Map([...bad].filter(([row]) => isSet(validity, row)));
    return { column, bad: left.size === 0 ? null : left };
  }

  #values(data: arrow.Data, type: DataType, place: Place, validity: Uint8Array | null): ReadColumn {
    if (data.offset !== 0) corrupt('a batch begins within its buffers');
    const from = data.type as arrow.DataType;
    if (arrow.DataType.isNull(from)) return { column: nulls(type, data.length), bad: null };
    if (arrow.DataType.isDictionary(from)) return this.#dictionary(data, type, place, validity);
    if (arrow.DataType.isBool(from) && type.kind === 'boolean') {
      const column = emptyColumn(type, 0);
      if (column.layout === 'bits') column.values = data.values;
      return { column: sized(column, data.length), bad: null };
    }
    if (arrow.DataType.isDecimal(from) && type.kind === 'decimal') return decimals(data, from, type, place);
    if (isList(from) && type.kind === 'list') return this.#list(data, type, place, validity);
    if (arrow.DataType.isStruct(from) && type.kind === 'struct')
      return this.#struct(data, type, place, validity);
    const isText = arrow.DataType.isUtf8(from) || arrow.DataType.isLargeUtf8(from);
    if ((isText || isBinary(from)) && ['string', 'json', 'binary'].includes(type.kind)) {
      const column = byteStrings(data, from, type);
      return { column, bad: type.kind === 'binary' ? null : badUtf8(column) };
    }
    const stored = storedOfArrow(from);
    const convert = stored === null ? null : converterOf(stored, type);
    if (convert === null) return refuse(from, type, place);
    if (arrow.DataType.isDate(from) && from.unit === arrow.DateUnit.MILLISECOND) return dates(data, type);
    return convert(storedValues(data, from));
  }

  #dictionary(data: arrow.Data, type: DataType, place: Place, validity: Uint8Array | null): ReadColumn {
    const vector = data.dictionary;
    if (vector === undefined) return corrupt(`the dictionary of the column '${nameOf(place)}' is missing`);
    const key = JSON.stringify([place, formatDataType(type)]);
    let coded = this.#coded.get(key);
    if (coded === undefined) {
      coded = { leaf: new LeafColumn(type, data.length), vector: null, page: null };
      this.#coded.set(key, coded);
    }
    if (coded.vector !== vector || coded.page === null) {
      coded.page = coded.leaf.pageDictionary(this.#entries(vector, type, place));
      coded.vector = vector;
    }
    const { leaf, page } = coded;
    const { length } = data;
    const codes = indexesOf(data);
    if (codes.length < length) corrupt('the indexes of a batch are cut');
    const entries = page.column.length;
    const bad = new Map<number, string>();
    for (let row = 0; row < length; row++) {
      // Any number may stand under a null.
      if (validity !== null && !isSet(validity, row)) codes[row] = 0;
      else if (codes[row]! >>> 0 >= entries)
        corrupt(`an index of the column '${nameOf(place)}' leads out of its dictionary`);
      else {
        const why = page.bad?.get(codes[row]!);
        if (why !== undefined) bad.set(row, why);
      }
    }
    leaf.clear();
    if (entries === 0) return { column: nulls(type, length), bad: null };
    leaf.appendIndexes(page, codes, 0, length);
    const column = leaf.finish(null, length, 0, 0);
    // The batch's bitmap is not taken over: the leaf lasts, and would write to it, and other columns may have it, too.
    if (validity !== null || page.column.nullCount > 0) {
      for (let row = 0; row < length; row++)
        if ((validity !== null && !isSet(validity, row)) || page.column.isNull(codes[row]!))
          column.setNull(row);
    }
    return { column, bad: bad.size === 0 ? null : bad };
  }

  /** A dictionary that grew is several pieces. */
  #entries(vector: arrow.Vector, type: DataType, place: Place): ReadColumn {
    let all: Column = emptyColumn(type, vector.length);
    const bad = new Map<number, string>();
    for (const piece of vector.data) {
      const read = this.read(piece, type, [...place, ' dictionary'], null);
      for (const [entry, why] of read.bad ?? []) bad.set(all.length + entry, why);
      all = appendColumnRange(all, read.column, 0, piece.length);
    }
    return { column: all, bad: bad.size === 0 ? null : bad };
  }

  #list(
    data: arrow.Data,
    type: DataType & { kind: 'list' },
    place: Place,
    validity: Uint8Array | null,
  ): ReadColumn {
    const { length } = data;
    const offsets = offsetsOf(data, data.type as arrow.DataType);
    const child = data.children[0];
    // A batch of no rows may leave out what is below it.
    if (child === undefined && length === 0) return { column: emptyColumn(type, 0), bad: null };
    if (child === undefined) return corrupt(`the list '${nameOf(place)}' has no elements`);
    const read = this.read(child, type.element, [...place, '[]'], null);
    const column = new ListColumn(type, 0, read.column);
    column.offsets = offsets;
    const bad = new Map<number, string>();
    for (const [element, why] of read.bad ?? []) {
      for (let row = 0; row < length; row++)
        if (element >= offsets[row]! && element < offsets[row + 1]!) bad.set(row, why);
    }
    if (offsets[0] !== 0 || hasHiddenElements(offsets, length, validity))
      compact(column, offsets, length, validity);
    return { column: sized(column, length), bad: bad.size === 0 ? null : bad };
  }

  #struct(
    data: arrow.Data,
    type: DataType & { kind: 'struct' },
    place: Place,
    validity: Uint8Array | null,
  ): ReadColumn {
    const from = data.type as arrow.Struct;
    const bad = new Map<number, string>();
    const children = type.fields.map((field) => {
      const at = from.children.findIndex((child) => child.name === field.name);
      const child = data.children[at];
      if (child === undefined) return nulls(field.type, data.length);
      const read = this.read(child, field.type, [...place, field.name], validity);
      for (const [row, why] of read.bad ?? []) bad.set(row, why);
      return read.column;
    });
    const column = new StructColumn(type, type.fields, 0, children);
    return { column: sized(column, data.length), bad: bad.size === 0 ? null : bad };
  }
}

/** The indexes of a batch; -1 for those that no dictionary is as long as. */
function indexesOf(data: arrow.Data): Int32Array {
  const indexes: Iterable<number> | BigInt64Array | BigUint64Array = data.values;
  if (!(indexes instanceof BigInt64Array || indexes instanceof BigUint64Array))
    return Int32Array.from(indexes);
  return Int32Array.from(indexes as Iterable<bigint>, (index) =>
    index >= 0n && index < 0x7fff_ffffn ? Number(index) : -1,
  );
}

function isSet(bits: Uint8Array, row: number): boolean {
  return ((bits[row >> 3]! >> (row & 7)) & 1) === 1;
}

/** Which rows have a value; null where all have. */
function combined(data: arrow.Data, mask: Uint8Array | null): Uint8Array | null {
  const own =
    data.nullCount > 0 && !arrow.DataType.isNull(data.type) ? (data.nullBitmap as Uint8Array) : null;
  if (own === null || mask === null) return own ?? mask;
  const both = new Uint8Array((data.length + 7) >> 3);
  for (let i = 0; i < both.length; i++) both[i] = own[i]! & mask[i]!;
  return both;
}

function sized(column: Column, length: number): Column {
  column.length = length;
  column.capacity = length;
  return column;
}

function nulls(type: DataType, length: number): Column {
  const column = emptyColumn(type, length);
  for (let row = 0; row < length; row++) appendNull(column);
  return column;
}

function decimals(
  data: arrow.Data,
  from: arrow.Decimal,
  type: DataType & { kind: 'decimal' },
  place: Place,
): ReadColumn {
  if (from.bitWidth !== 128 || from.scale !== type.scale || from.precision > type.precision)
    return refuse(from, type, place);
  const column = new FixedColumn(type, 4, 0);
  column.adopt(wordsOf(data.values as ArrayBufferView, data.length * 4));
  return { column: sized(column, data.length), bad: null };
}

function wordsOf(view: ArrayBufferView, count: number): Int32Array {
  if (view.byteLength < count * 4) corrupt('a buffer of a batch is cut');
  if (view.byteOffset % 4 === 0) return new Int32Array(view.buffer, view.byteOffset, count);
  const bytes = new Uint8Array(count * 4);
  bytes.set(new Uint8Array(view.buffer, view.byteOffset, count * 4));
  return new Int32Array(bytes.buffer);
}

function storedValues(data: arrow.Data, type: arrow.DataType): StoredValues {
  const { length: count } = data;
  const values = data.values as ArrayBufferView & Iterable<number>;
  if (arrow.DataType.isInt(type) && type.bitWidth < 32)
    return { kind: 'words', count, words: 1, values: Int32Array.from(values) };
  if (arrow.DataType.isFloat(type) && type.precision === arrow.Precision.HALF) {
    const starts = Int32Array.from({ length: count }, (_, i) => i * 2);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return { kind: 'bytes', count, bytes, starts, ends: starts };
  }
  const words = values.byteLength >= count * 8 && isWide(type) ? 2 : 1;
  return { kind: 'words', count, words, values: wordsOf(values, count * words) };
}

function isWide(type: arrow.DataType): boolean {
  if (arrow.DataType.isInt(type) || arrow.DataType.isTime(type)) return type.bitWidth === 64;
  if (arrow.DataType.isFloat(type)) return type.precision === arrow.Precision.DOUBLE;
  return arrow.DataType.isTimestamp(type) || arrow.DataType.isDuration(type);
}

const MS_PER_DAY = 86_400_000n;

/** Dates as milliseconds. */
function dates(data: arrow.Data, type: DataType): ReadColumn {
  const column = emptyColumn(type, data.length);
  const bad = new Map<number, string>();
  const words = wordsOf(data.values as ArrayBufferView, data.length * 2);
  for (let row = 0; row < data.length; row++) {
    const ms = (BigInt(words[row * 2 + 1]!) << 32n) | BigInt(words[row * 2]! >>> 0);
    if (ms % MS_PER_DAY !== 0n) bad.set(row, `${ms} ms is no whole day`);
    if (column.layout === 'fixed') column.values[row] = Number(BigInt.asIntN(32, ms / MS_PER_DAY));
  }
  return { column: sized(column, data.length), bad: bad.size === 0 ? null : bad };
}

function byteStrings(data: arrow.Data, from: arrow.DataType, type: DataType): BytesColumn {
  const column = new BytesColumn(type, 0);
  const offsets = offsetsOf(data, from);
  const bytes = data.values as Uint8Array;
  const first = offsets[0]!;
  if (offsets[data.length]! > bytes.length) corrupt('the text of a batch is cut');
  column.bytes = first === 0 ? bytes : bytes.subarray(first);
  column.offsets = first === 0 ? offsets : offsets.map((offset) => offset - first);
  sized(column, data.length);
  return column;
}

/** Where values and lists begin and end, as 32-bit offsets that ascend. */
function offsetsOf(data: arrow.Data, type: arrow.DataType): Int32Array {
  const { length } = data;
  if (arrow.DataType.isFixedSizeBinary(type)) return steps(length, type.byteWidth);
  if (arrow.DataType.isFixedSizeList(type)) return steps(length, type.listSize);
  const given = data.valueOffsets as Int32Array | BigInt64Array;
  if (length === 0) return new Int32Array(1);
  if (given.length < length + 1) corrupt('the offsets of a batch are cut');
  const offsets =
    given instanceof Int32Array ? given.subarray(0, length + 1) : Int32Array.from(given, narrow);
  for (let i = 0; i < length; i++)
    if (offsets[i]! > offsets[i + 1]!) corrupt('the offsets of a batch do not ascend');
  if (offsets[0]! < 0) corrupt('the offsets of a batch are negative');
  return offsets;
}

function narrow(offset: bigint): number {
  return offset >= 0n && offset < 0x8000_0000n
    ? Number(offset)
    : corrupt('a batch has more than 2 GiB in one column');
}

function steps(length: number, size: number): Int32Array {
  return Int32Array.from({ length: length + 1 }, (_, i) => i * size);
}

/** Arrow lets anything stand under a null; with us null lists are empty. */
function hasHiddenElements(offsets: Int32Array, length: number, validity: Uint8Array | null): boolean {
  if (validity === null) return false;
  for (let row = 0; row < length; row++)
    if (!isSet(validity, row) && offsets[row + 1]! > offsets[row]!) return true;
  return false;
}

function compact(column: ListColumn, offsets: Int32Array, length: number, validity: Uint8Array | null): void {
  const rows: number[] = [];
  const packed = new Int32Array(length + 1);
  for (let row = 0; row < length; row++) {
    if (validity === null || isSet(validity, row))
      for (let at = offsets[row]!; at < offsets[row + 1]!; at++) rows.push(at);
    packed[row + 1] = rows.length;
  }
  const { child } = column;
  column.child = appendColumnRows(
    emptyColumn(child.type, rows.length),
    child,
    Int32Array.from(rows),
    0,
    rows.length,
  );
  column.offsets = packed;
}

/** For messages: `a.b`, `tags[]`. */
function nameOf(place: Place): string {
  return place.join('.').replaceAll('.[]', '[]').replaceAll('. dictionary', ' dictionary');
}

function refuse(from: arrow.DataType, type: DataType, place: Place): never {
  const name = nameOf(place);
  const own = typeOfArrow(from);
  throw new SluiceError(
    'BAD_RECORD',
    `the column '${name}' is ${own === null ? String(from) : formatDataType(own)} in the file and ${formatDataType(type)} in the schema`,
    { hint: 'declare the type that the file has, or exclude the file', details: { column: name } },
  );
}
