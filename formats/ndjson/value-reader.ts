/**
 * Readers of JSON values into columns. There is one for each column of the schema and for each column below one.
 *
 * A row's slot is the only state. A reader writes at the slot it is told, derives its start from what stands before that
 * slot, and marks the slot as valid or null. So a value read again, because its key stood twice or its row was refused,
 * overwrites what was there, and nothing has to be undone.
 */
import type { Column, FixedColumn } from '../../lib/core/column.ts';

/** What `read` says where there is no value of the type: a failure, or JSON that ends before it. */
export const REFUSED = -1;

export interface ValueReader {
  /** What it fills. Another one once a column of strings turns raw. */
  readonly column: Column;
  /**
   * Reads the value at `at`, which is not null.
   * @param row the slot, within the capacity
   * @returns the index behind the value, or REFUSED
   */
  read(bytes: Uint8Array, view: DataView, at: number, row: number): number;
  readNull(row: number): void;
  /** Makes room for one slot more than the capacity. `rows` slots are in use. */
  grow(rows: number): void;
  /** Ends a batch of `rows` rows. Slots below `touched` may have been written by rows that were then refused. */
  finish(rows: number, touched: number): void;
  /** Begins the next batch. */
  clear(): void;
}

/** Marks a slot that a value was written to. */
export function markValid(column: Column, row: number): void {
  if (column.validity !== null) column.setValid(row);
}

/** Sets the length, and takes nulls back that refused rows left behind it. */
export function finishColumn(column: Column, rows: number, touched: number): void {
  column.length = rows;
  if (column.validity === null) return;
  for (let row = rows; row < touched; row++) column.setValid(row);
}

/** A reader whose column has one slot a row and nothing below. */
export abstract class FixedReader implements ValueReader {
  readonly column: FixedColumn;

  constructor(column: FixedColumn) {
    this.column = column;
  }

  abstract read(bytes: Uint8Array, view: DataView, at: number, row: number): number;

  readNull(row: number): void {
    const { values, words } = this.column;
    for (let i = row * words; i < (row + 1) * words; i++) values[i] = 0;
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
