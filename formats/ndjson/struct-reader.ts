import type { StructColumn } from '../../lib/core/column.ts';
import type { Mismatch } from './mismatch.ts';
import type { ObjectReader } from './object-reader.ts';
import { finishColumn, markValid, REFUSED, type ValueReader } from './value-reader.ts';

export class StructReader implements ValueReader {
  readonly column: StructColumn;
  readonly object: ObjectReader;

  constructor(column: StructColumn, object: ObjectReader) {
    this.column = column;
    this.object = object;
  }

  /** See {@link ObjectReader}. */
  get mismatch(): Mismatch | null {
    return this.object.mismatch;
  }

  read(bytes: Uint8Array, view: DataView, at: number, row: number): number {
    const end = this.object.read(bytes, view, at, row);
    if (end < 0) return REFUSED;
    markValid(this.column, row);
    return end;
  }

  readNull(row: number): void {
    for (const { reader } of this.object.fields) reader.readNull(row);
    this.column.setNull(row);
  }

  grow(rows: number): void {
    for (const { reader } of this.object.fields) {
      if (rows >= reader.column.capacity) reader.grow(rows);
    }
    this.#bindChildren();
    this.column.length = rows;
    this.column.reserve(rows + 1);
  }

  finish(rows: number, touched: number): void {
    for (const { reader } of this.object.fields) reader.finish(rows, touched);
    this.#bindChildren();
    finishColumn(this.column, rows, touched);
  }

  clear(): void {
    for (const { reader } of this.object.fields) reader.clear();
    this.#bindChildren();
    this.column.clear();
  }

  /** A child of strings may be another one by now. */
  #bindChildren(): void {
    this.column.children = this.object.fields.map(({ reader }) => reader.column);
  }
}
