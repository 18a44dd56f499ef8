/** Ports of columns that have columns below them. */
import type { ListColumn, StructColumn } from '../../lib/core/column.ts';
import { CHILD, CHILD_COUNT, FIELD_BYTES, KIND, KIND_LIST, KIND_STRUCT, SHIFT } from './assembly/layout.ts';
import { type ColumnPort, PortBase, type PortContext } from './column-port.ts';

/** A list's items, as its decoder keeps them. */
export interface ItemsTarget {
  /** Room for `items` items in all, of which `used` are there. */
  reserveItems(items: number, used: number): void;
}

export class ListPort extends PortBase {
  readonly #column: ListColumn;
  readonly #items: ItemsTarget;
  readonly #port: ColumnPort;
  readonly #child: number;
  readonly #maxItems: number;
  #base = 0;

  /** @param maxItems of a batch */
  constructor(
    context: PortContext,
    column: ListColumn,
    items: ItemsTarget,
    port: ColumnPort,
    slots: number,
    maxItems: number,
  ) {
    super(context, slots + 1, 4);
    this.#column = column;
    this.#items = items;
    this.#port = port;
    this.#maxItems = maxItems;
    this.#child = context.memory.allocate(FIELD_BYTES);
  }

  override bind(record: number, nullable: boolean): boolean {
    const bound = super.bind(record, nullable);
    this.set(KIND, KIND_LIST);
    this.set(CHILD, this.#child);
    return this.#child !== 0 && this.#port.bind(this.#child, true) && bound;
  }

  prepare(row: number): boolean {
    const { memory, inputBytes } = this.context;
    this.#base = this.#column.offsets[row]!;
    memory.words[this.slots >> 2] = this.#base;
    this.set(SHIFT, -this.#base);
    return this.#base + inputBytes <= this.#maxItems && this.#port.prepare(this.#base);
  }

  override check(): boolean {
    return this.#port.check();
  }

  take(row: number, rows: number): void {
    const { words } = this.context.memory;
    const first = this.slots >> 2;
    const end = words[first + rows]!;
    this.#items.reserveItems(end, this.#base);
    this.#port.take(this.#base, end - this.#base);
    this.#column.offsets.set(words.subarray(first + 1, first + rows + 1), row + 1);
    this.takeNulls(this.#column, row, rows);
  }
}

/** What an object's fields are read by. */
export interface FieldsPlan {
  readonly address: number;
  readonly count: number;
  readonly ports: readonly ColumnPort[];
}

export class StructPort extends PortBase {
  readonly #column: StructColumn;
  readonly #fields: FieldsPlan;

  constructor(context: PortContext, column: StructColumn, fields: FieldsPlan, slots: number) {
    super(context, slots, 0);
    this.#column = column;
    this.#fields = fields;
  }

  override bind(record: number, nullable: boolean): boolean {
    const bound = super.bind(record, nullable);
    this.set(KIND, KIND_STRUCT);
    this.set(CHILD, this.#fields.address);
    this.set(CHILD_COUNT, this.#fields.count);
    return bound;
  }

  prepare(row: number): boolean {
    this.set(CHILD_COUNT, this.#fields.count);
    return this.#fields.ports.every((port) => port.prepare(row));
  }

  override check(): boolean {
    return this.#fields.ports.every((port) => port.check());
  }

  take(row: number, rows: number): void {
    for (const port of this.#fields.ports) port.take(row, rows);
    this.takeNulls(this.#column, row, rows);
  }
}
