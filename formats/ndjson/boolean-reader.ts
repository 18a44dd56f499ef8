import type { BitsColumn } from '../../lib/core/column.ts';
import { finishColumn, markValid, REFUSED, type ValueReader } from './value-reader.ts';

const LETTER_F = 0x66;
const WORD_TRUE = 0x65757274;
const WORD_ALSE = 0x65736c61;

export class BooleanReader implements ValueReader {
  readonly column: BitsColumn;

  constructor(column: BitsColumn) {
    this.column = column;
  }

  read(bytes: Uint8Array, view: DataView, at: number, row: number): number {
    const isTrue = view.getInt32(at, true) === WORD_TRUE;
    if (!isTrue && (bytes[at] !== LETTER_F || view.getInt32(at + 1, true) !== WORD_ALSE)) return REFUSED;
    this.column.set(row, isTrue);
    markValid(this.column, row);
    return isTrue ? at + 4 : at + 5;
  }

  readNull(row: number): void {
    this.column.set(row, false);
    this.column.setNull(row);
  }

  grow(rows: number): void {
    this.column.length = rows;
    this.column.reserve(rows + 1);
  }

  finish(rows: number, touched: number): void {
    finishColumn(this.column, rows, touched);
  }

  clear(): void {
    this.column.clear();
  }
}
