/** Ports of columns whose values all have one width. */
import type { BitsColumn, FixedColumn } from '../../lib/core/column.ts';
import {
  KIND,
  KIND_BOOLEAN,
  KIND_DATE,
  KIND_FLOAT32,
  KIND_FLOAT64,
  KIND_INT32,
  KIND_INT64,
  KIND_MICROS,
  KIND_MILLIS,
} from './assembly/layout.ts';
import { PortBase, type PortContext } from './column-port.ts';

export class FixedPort extends PortBase {
  readonly #column: FixedColumn;

  constructor(context: PortContext, column: FixedColumn, slots: number) {
    super(context, slots, column.words * 4);
    this.#column = column;
  }

  override bind(record: number, nullable: boolean): boolean {
    const bound = super.bind(record, nullable);
    this.set(KIND, fixedKind(this.#column) ?? 0);
    return bound;
  }

  prepare(): boolean {
    return true;
  }

  take(row: number, rows: number): void {
    const column = this.#column;
    const first = this.slots >> 2;
    column.values.set(
      this.context.memory.words.subarray(first, first + rows * column.words),
      row * column.words,
    );
    this.takeNulls(column, row, rows);
  }
}

/** null where the kernel does not know the type. */
export function fixedKind({ type }: FixedColumn): number | null {
  switch (type.kind) {
    case 'int32':
      return KIND_INT32;
    case 'int64':
      return KIND_INT64;
    case 'float32':
      return KIND_FLOAT32;
    case 'float64':
      return KIND_FLOAT64;
    case 'date':
      return KIND_DATE;
    case 'timestamp':
      return type.unit === 'ms' ? KIND_MILLIS : KIND_MICROS;
    default:
      return null;
  }
}

export class BitsPort extends PortBase {
  readonly #column: BitsColumn;

  constructor(context: PortContext, column: BitsColumn, slots: number) {
    super(context, slots, 1);
    this.#column = column;
  }

  override bind(record: number, nullable: boolean): boolean {
    const bound = super.bind(record, nullable);
    this.set(KIND, KIND_BOOLEAN);
    return bound;
  }

  prepare(): boolean {
    return true;
  }

  take(row: number, rows: number): void {
    const { bytes } = this.context.memory;
    for (let i = 0; i < rows; i++) this.#column.set(row + i, bytes[this.slots + i] === 1);
    this.takeNulls(this.#column, row, rows);
  }
}
