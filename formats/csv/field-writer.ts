/** CSV fields into columns: one writer a column, chosen by type once, so that a field costs one call. */
import { isUtf8 } from 'node:buffer';
import {
  BitsColumn,
  BytesColumn,
  type Column,
  type DictionaryColumn,
  FixedColumn,
} from '../../lib/core/column.ts';
import { type DataType, type Field, formatDataType } from '../../lib/core/data-type.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import { replaceLoneSurrogates } from '../lone-surrogates.ts';
import type { FixedParser } from '../scalars/fixed-parser.ts';
import { fixedParser } from '../scalars/scalar-parser.ts';
import { StringColumnWriter } from '../string-column-writer.ts';
import type { StringDictionary } from '../string-dictionary.ts';

export interface FieldWriter {
  readonly field: Field;
  /** The column that is filled; may become another one when strings leave their dictionary. */
  readonly column: Column;
  /** @param ascii whether no byte is over 0x7f. @returns false where the text is no value of the type */
  write(bytes: Uint8Array, start: number, end: number, ascii: boolean, row: number): boolean;
  writeNull(row: number): void;
  /** Begins the next batch, after one of `rows` rows. */
  clear(rows: number): void;
}

/** @throws SluiceError JOB_INVALID for types that a CSV field cannot hold */
export function fieldWriter(field: Field, capacity: number): FieldWriter {
  const { type } = field;
  switch (type.kind) {
    case 'string':
      return new StringFieldWriter(field, capacity);
    case 'boolean':
      return new BooleanFieldWriter(field, capacity);
    case 'json':
    case 'binary':
      return new BytesFieldWriter(field, capacity);
    case 'list':
    case 'struct':
      throw new SluiceError(
        'JOB_INVALID',
        `column '${field.name}': CSV cannot hold ${formatDataType(type)}`,
        {
          hint: 'declare it as json: the field is then kept as JSON text',
        },
      );
    default:
      return new FixedFieldWriter(field, capacity);
  }
}

export class StringFieldWriter implements FieldWriter {
  readonly field: Field;
  readonly #writer: StringColumnWriter;

  constructor(field: Field, capacity: number) {
    this.field = field;
    this.#writer = new StringColumnWriter(field.type, capacity);
  }

  get column(): DictionaryColumn | BytesColumn {
    return this.#writer.column;
  }

  get dictionary(): StringDictionary | null {
    return this.#writer.dictionary;
  }

  reserveBytes(size: number, used: number): void {
    this.#writer.reserveBytes(size, used);
  }

  write(bytes: Uint8Array, start: number, end: number, ascii: boolean, row: number): boolean {
    this.#writer.column.setValid(row);
    return this.#writer.write(bytes, start, end, ascii, row);
  }

  writeNull(row: number): void {
    this.#writer.writeNull(row);
  }

  clear(rows: number): void {
    this.#writer.clear(rows);
  }
}

export class FixedFieldWriter implements FieldWriter {
  readonly field: Field;
  readonly column: FixedColumn;
  readonly #parse: FixedParser;

  constructor(field: Field, capacity: number) {
    const parse = fixedParser(field.type);
    if (parse === null) throw new SluiceError('INTERNAL', `no parser for ${formatDataType(field.type)}`);
    this.field = field;
    this.column = new FixedColumn(field.type, wordsOf(field.type), capacity);
    this.#parse = parse;
  }

  write(bytes: Uint8Array, start: number, end: number, _ascii: boolean, row: number): boolean {
    this.column.setValid(row);
    return this.#parse(bytes, start, end, this.column, row);
  }

  writeNull(row: number): void {
    this.column.values.fill(0, row * this.column.words, (row + 1) * this.column.words);
    this.column.setNull(row);
  }

  clear(): void {
    this.column.clear();
  }
}

function wordsOf(type: DataType): 1 | 2 | 4 {
  if (type.kind === 'decimal') return 4;
  return type.kind === 'int32' || type.kind === 'date' || type.kind === 'float32' ? 1 : 2;
}

export class BooleanFieldWriter implements FieldWriter {
  readonly field: Field;
  readonly column: BitsColumn;

  constructor(field: Field, capacity: number) {
    this.field = field;
    this.column = new BitsColumn(field.type, capacity);
  }

  /** true and false, in any case: spreadsheets write TRUE. */
  write(bytes: Uint8Array, start: number, end: number, _ascii: boolean, row: number): boolean {
    if (end - start > 5) return false;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)
      .toString('latin1')
      .toLowerCase();
    if (text !== 'true' && text !== 'false') return false;
    this.column.setValid(row);
    this.column.set(row, text === 'true');
    return true;
  }

  writeNull(row: number): void {
    this.column.setNull(row);
  }

  clear(): void {
    this.column.clear();
  }
}

/** json, kept as its text, and binary as base64. */
class BytesFieldWriter implements FieldWriter {
  readonly field: Field;
  readonly column: BytesColumn;

  constructor(field: Field, capacity: number) {
    this.field = field;
    this.column = new BytesColumn(field.type, capacity);
  }

  write(bytes: Uint8Array, start: number, end: number, _ascii: boolean, row: number): boolean {
    const value =
      this.field.type.kind === 'json' ? jsonText(bytes, start, end) : fromBase64(bytes, start, end);
    if (value === null) return false;
    const { column } = this;
    const at = column.offsets[row]!;
    column.reserveBytes(at + value.length, at);
    column.bytes.set(value, at);
    if (this.field.type.kind === 'json') replaceLoneSurrogates(column.bytes, at, at + value.length);
    column.offsets[row + 1] = at + value.length;
    column.setValid(row);
    return true;
  }

  writeNull(row: number): void {
    this.column.offsets[row + 1] = this.column.offsets[row]!;
    this.column.setNull(row);
  }

  clear(): void {
    this.column.clear();
  }
}

function jsonText(bytes: Uint8Array, start: number, end: number): Uint8Array | null {
  const value = bytes.subarray(start, end);
  if (!isUtf8(value)) return null;
  try {
    JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.length).toString());
    return value;
  } catch {
    return null;
  }
}

function fromBase64(bytes: Uint8Array, start: number, end: number): Uint8Array | null {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
  return /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0 ? Buffer.from(text, 'base64') : null;
}
