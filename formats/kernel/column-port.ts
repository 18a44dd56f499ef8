/**
 * Ports carry what the kernel read, slots counted from 0 at each run, to the columns of a batch. A column's slots are the
 * only state, in the kernel as in the decoders.
 */
import type { Column } from '../../lib/core/column.ts';
import { HAS_NULLS, NULLABLE, NULLS, SLOTS } from './assembly/layout.ts';
import type { KernelMemory } from './kernel-memory.ts';
import type { KernelExports } from './kernel-module.ts';

/** What ports of one decoder share. */
export interface PortContext {
  readonly kernel: KernelExports;
  readonly memory: KernelMemory;
  /** Bytes that a run may read, so that no value and no list is longer. */
  readonly inputBytes: number;
}

export interface ColumnPort {
  /** Fills in a plan's record, but for what leads to the value. @returns false where there is no memory for it */
  bind(record: number, nullable: boolean): boolean;
  /** Before a run whose first row is `row`. @returns false where there is no memory for it */
  prepare(row: number): boolean;
  /** After a run, before anything is taken. @returns false where it is worth nothing */
  check(): boolean;
  /** Takes the slots [0, rows) over as those from `row` on, which the column has room for. */
  take(row: number, rows: number): void;
}

export abstract class PortBase implements ColumnPort {
  protected readonly context: PortContext;
  protected readonly slots: number;
  protected record = 0;
  readonly #nulls: number;

  /** @param slots most of them in a run */
  constructor(context: PortContext, slots: number, slotBytes: number) {
    this.context = context;
    // One slot more: a row that is given up leaves something there.
    this.slots = context.memory.allocate((slots + 1) * slotBytes);
    this.#nulls = context.memory.allocate(slots + 1);
  }

  bind(record: number, nullable: boolean): boolean {
    this.record = record;
    this.set(NULLABLE, nullable ? 1 : 0);
    this.set(SLOTS, this.slots);
    this.set(NULLS, this.#nulls);
    return this.slots !== 0 && this.#nulls !== 0;
  }

  check(): boolean {
    return true;
  }

  abstract prepare(row: number): boolean;
  abstract take(row: number, rows: number): void;

  protected get(entry: number): number {
    return this.context.memory.words[(this.record + entry) >> 2]!;
  }

  protected set(entry: number, value: number): void {
    this.context.memory.words[(this.record + entry) >> 2] = value;
  }

  protected takeNulls(column: Column, row: number, rows: number): void {
    const { bytes, words } = this.context.memory;
    const hasNulls = words[(this.record + HAS_NULLS) >> 2] !== 0;
    if (!hasNulls && column.validity === null) return;
    for (let i = 0; i < rows; i++) {
      if (bytes[this.#nulls + i] === 0) column.setValid(row + i);
      else column.setNull(row + i);
    }
    if (!hasNulls) return;
    bytes.fill(0, this.#nulls, this.#nulls + rows + 1);
    this.set(HAS_NULLS, 0);
  }
}
