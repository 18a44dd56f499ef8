import type { ListColumn } from '../../lib/core/column.ts';
import type { DataType } from '../../lib/core/data-type.ts';
import { isNullAt, skipSpace } from './skip-value.ts';
import { finishColumn, markValid, REFUSED, type ValueReader } from './value-reader.ts';

const COMMA = 44;
const BRACKET_OPEN = 91;
const BRACKET_CLOSE = 93;
const LETTER_N = 0x6e;
/** Memory of a batch's items: `[{},{},...]` takes 3 bytes of input an item, and of memory what all the fields take. */
const MAX_ITEM_BYTES = 256 * 1024 * 1024;

/** Set when a list found no room: the batch has to be taken first, or the row is refused. */
export interface ItemLimit {
  reached: boolean;
}

export class ListReader implements ValueReader {
  readonly column: ListColumn;
  readonly element: ValueReader;
  readonly #limit: ItemLimit;
  /** Of a batch. */
  readonly maxItems: number;
  /** Items written in this batch at most, those of refused rows included. */
  #touched = 0;

  constructor(column: ListColumn, element: ValueReader, limit: ItemLimit) {
    this.column = column;
    this.element = element;
    this.#limit = limit;
    this.maxItems = Math.floor(MAX_ITEM_BYTES / slotBytes(element.column.type));
  }

  read(bytes: Uint8Array, view: DataView, at: number, row: number): number {
    if (bytes[at] !== BRACKET_OPEN) return REFUSED;
    const element = this.element;
    const { offsets } = this.column;
    let item = offsets[row]!;
    let next = bytes[at + 1]! > 32 ? at + 1 : skipSpace(bytes, at + 1);
    if (bytes[next] === BRACKET_CLOSE) next++;
    else {
      for (;;) {
        if (item >= element.column.capacity && !this.#grow(item)) {
          next = REFUSED;
          break;
        }
        if (bytes[next] === LETTER_N && isNullAt(view, next)) {
          element.readNull(item++);
          next += 4;
        } else {
          next = element.read(bytes, view, next, item++);
          if (next < 0) break;
        }
        if (bytes[next]! <= 32) next = skipSpace(bytes, next);
        const byte = bytes[next]!;
        next++;
        if (byte === BRACKET_CLOSE) break;
        if (byte !== COMMA) {
          next = REFUSED;
          break;
        }
        if (bytes[next]! <= 32) next = skipSpace(bytes, next);
      }
      if (item > this.#touched) this.#touched = item;
      if (next < 0) return REFUSED;
    }
    offsets[row + 1] = item;
    markValid(this.column, row);
    return next;
  }

  #grow(items: number): boolean {
    if (items >= this.maxItems) {
      this.#limit.reached = true;
      return false;
    }
    this.element.grow(items);
    return true;
  }

  /** Room for `items` items in all, of which `used` are there. */
  reserveItems(items: number, used: number): void {
    const { column } = this.element;
    if (items <= column.capacity) return;
    column.length = used;
    column.reserve(items);
  }

  readNull(row: number): void {
    this.column.offsets[row + 1] = this.column.offsets[row]!;
    this.column.setNull(row);
  }

  grow(rows: number): void {
    this.column.length = rows;
    this.column.reserve(rows + 1);
  }

  finish(rows: number, touched: number): void {
    finishColumn(this.column, rows, touched);
    this.element.finish(this.column.offsets[rows]!, this.#touched);
    this.column.child = this.element.column;
  }

  clear(): void {
    this.column.clear();
    this.element.clear();
    // It may be another one now.
    this.column.child = this.element.column;
    this.#touched = 0;
  }
}

/** Memory that a slot of the type takes, without the bytes and items it refers to. */
function slotBytes(type: DataType): number {
  switch (type.kind) {
    case 'boolean':
      return 1;
    case 'int64':
    case 'float64':
    case 'timestamp':
      return 8;
    case 'decimal':
      return 16;
    case 'struct':
      return type.fields.reduce((sum, field) => sum + slotBytes(field.type), 1);
    default:
      return 4;
  }
}
