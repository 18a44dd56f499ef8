/**
 * Columns that are filled row by row, in any nesting, by decoders of formats that store rows. A row's slot is all the
 * state there is: a refused row is taken back by `rewind`, and the next one is written over it.
 */
import {
  type BitsColumn,
  type BytesColumn,
  type Column,
  emptyColumn,
  type FixedColumn,
  ListColumn,
  StructColumn,
} from '../../lib/core/column.ts';
import type { DataType } from '../../lib/core/data-type.ts';
import { StringColumnWriter } from '../string-column-writer.ts';

export type Slot = BitsSlot | FixedSlot | TextSlot | BinarySlot | ListSlot | StructSlot;

export function createSlot(type: DataType, capacity: number): Slot {
  switch (type.kind) {
    case 'string':
    case 'json':
      return new TextSlot(type, capacity);
    case 'list':
      return new ListSlot(type, createSlot(type.element, capacity), capacity);
    case 'struct':
      return new StructSlot(
        type,
        type.fields.map((field) => createSlot(field.type, capacity)),
        capacity,
      );
    case 'binary':
      // Each kind of type has one layout, see emptyColumn.
      return new BinarySlot(emptyColumn(type, capacity) as BytesColumn);
    case 'boolean':
      return new BitsSlot(emptyColumn(type, capacity) as BitsColumn);
    default:
      return new FixedSlot(emptyColumn(type, capacity) as FixedColumn);
  }
}

/** What all slots do. `row` is the first that is not written yet, or one that was taken back. */
interface SlotBase {
  readonly column: Column;
  /** Makes room for a row. */
  reserve(rows: number): void;
  setNull(row: number): void;
  /** Takes the row back, whatever of it was written. */
  rewind(row: number): void;
  /** The column with so many rows. */
  finish(rows: number): Column;
  clear(): void;
}

export class BitsSlot implements SlotBase {
  readonly kind = 'bits';
  readonly column: BitsColumn;

  constructor(column: BitsColumn) {
    this.column = column;
  }

  reserve(rows: number): void {
    growTo(this.column, rows);
  }

  setNull(row: number): void {
    this.column.set(row, false);
    this.column.setNull(row);
  }

  rewind(row: number): void {
    this.column.setValid(row);
  }

  finish(rows: number): Column {
    this.column.length = rows;
    return this.column;
  }

  clear(): void {
    this.column.clear();
  }
}

export class FixedSlot implements SlotBase {
  readonly kind = 'fixed';
  readonly column: FixedColumn;

  constructor(column: FixedColumn) {
    this.column = column;
  }

  reserve(rows: number): void {
    growTo(this.column, rows);
  }

  setNull(row: number): void {
    const { values, words } = this.column;
    for (let word = 0; word < words; word++) values[row * words + word] = 0;
    this.column.setNull(row);
  }

  rewind(row: number): void {
    this.column.setValid(row);
  }

  finish(rows: number): Column {
    this.column.length = rows;
    return this.column;
  }

  clear(): void {
    this.column.clear();
  }
}

/** Strings and json: codes of a dictionary while that pays. */
export class TextSlot implements SlotBase {
  readonly kind = 'text';
  readonly #writer: StringColumnWriter;

  constructor(type: DataType, capacity: number) {
    this.#writer = new StringColumnWriter(type, capacity);
  }

  get column(): Column {
    return this.#writer.column;
  }

  reserve(rows: number): void {
    growTo(this.#writer.column, rows);
  }

  /** @returns false where the bytes are not UTF-8 */
  write(bytes: Uint8Array, start: number, end: number, row: number): boolean {
    let ascii = end - start < 64;
    for (let at = start; ascii && at < end; at++) ascii = bytes[at]! < 0x80;
    return this.#writer.write(bytes, start, end, ascii, row);
  }

  setNull(row: number): void {
    this.#writer.writeNull(row);
  }

  rewind(row: number): void {
    this.#writer.column.setValid(row);
  }

  finish(rows: number): Column {
    this.#writer.column.length = rows;
    return this.#writer.column;
  }

  clear(): void {
    this.#writer.column.clear();
  }
}

export class BinarySlot implements SlotBase {
  readonly kind = 'binary';
  readonly column: BytesColumn;

  constructor(column: BytesColumn) {
    this.column = column;
  }

  reserve(rows: number): void {
    growTo(this.column, rows);
  }

  write(bytes: Uint8Array, start: number, end: number, row: number): void {
    const { column } = this;
    const at = column.offsets[row]!;
    column.reserveBytes(at + end - start, at);
    column.bytes.set(bytes.subarray(start, end), at);
    column.offsets[row + 1] = at + end - start;
  }

  setNull(row: number): void {
    this.column.offsets[row + 1] = this.column.offsets[row]!;
    this.column.setNull(row);
  }

  rewind(row: number): void {
    this.column.setValid(row);
  }

  finish(rows: number): Column {
    this.column.length = rows;
    return this.column;
  }

  clear(): void {
    this.column.clear();
  }
}

export class ListSlot implements SlotBase {
  readonly kind = 'list';
  readonly column: ListColumn;
  readonly element: Slot;
  /** Elements that may have been written: `rewind` looks at no more. */
  #written = 0;

  constructor(type: DataType, element: Slot, capacity: number) {
    this.element = element;
    this.column = new ListColumn(type, capacity, element.column);
  }

  reserve(rows: number): void {
    growTo(this.column, rows);
  }

  /** Where the elements of a row begin. */
  begin(row: number): number {
    return this.column.offsets[row]!;
  }

  /** Makes room for the element `at`, which is about to be written. */
  add(at: number): void {
    this.element.reserve(at + 1);
    if (at >= this.#written) this.#written = at + 1;
  }

  /** Ends a row whose elements end before `end`. */
  close(row: number, end: number): void {
    this.column.offsets[row + 1] = end;
  }

  setNull(row: number): void {
    this.column.offsets[row + 1] = this.column.offsets[row]!;
    this.column.setNull(row);
  }

  rewind(row: number): void {
    this.column.setValid(row);
    const begin = this.begin(row);
    for (let at = begin; at < this.#written; at++) this.element.rewind(at);
    this.#written = begin;
  }

  finish(rows: number): Column {
    this.column.length = rows;
    this.column.child = this.element.finish(rows === 0 ? 0 : this.column.offsets[rows]!);
    return this.column;
  }

  clear(): void {
    this.element.clear();
    this.column.child = this.element.column;
    this.column.clear();
    this.#written = 0;
  }
}

export class StructSlot implements SlotBase {
  readonly kind = 'struct';
  readonly column: StructColumn;
  readonly children: readonly Slot[];

  constructor(type: DataType & { readonly kind: 'struct' }, children: readonly Slot[], capacity: number) {
    this.children = children;
    this.column = new StructColumn(
      type,
      type.fields,
      capacity,
      children.map((child) => child.column),
    );
  }

  reserve(rows: number): void {
    // Children first: the column would make their room by itself, and knows not how much of it is in use.
    for (const child of this.children) child.reserve(rows);
    growTo(this.column, rows);
  }

  setNull(row: number): void {
    for (const child of this.children) child.setNull(row);
    this.column.setNull(row);
  }

  rewind(row: number): void {
    for (const child of this.children) child.rewind(row);
    this.column.setValid(row);
  }

  finish(rows: number): Column {
    this.column.children = this.children.map((child) => child.finish(rows));
    this.column.length = rows;
    return this.column;
  }

  clear(): void {
    for (const child of this.children) child.clear();
    this.column.clear();
  }
}

/** Columns grow by what `length` says they hold, and slots say it at the end only. */
function growTo(column: Column, rows: number): void {
  if (rows <= column.capacity) return;
  column.length = rows - 1;
  column.reserve(rows);
}
