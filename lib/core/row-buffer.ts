/**
 * Rows of one bucket, gathered from batches and kept as columns until there are enough for a row group. Also the form
 * in which rows that are not yet in a part file go into a checkpoint (see tail.ts).
 */
import type { Batch } from './batch.ts';
import { appendColumnRange, appendColumnRows, type Column, emptyColumn, MAX_OFFSET } from './column.ts';
import type { Schema } from './data-type.ts';

export class RowBuffer {
  readonly schema: Schema;
  columns: Column[];
  length = 0;
  /** For each field of the schema, which column of a batch it is; batches may have more (partition columns). */
  #sourceIndexes: number[] | null = null;
  #batchSchema: Schema | null = null;

  constructor(schema: Schema) {
    this.schema = schema;
    this.columns = schema.fields.map((field) => emptyColumn(field.type));
  }

  /** Copies the rows rows[from, to) of a batch, which are ascending. Columns are matched by name. */
  append(batch: Batch, rows: Int32Array, from: number, to: number): void {
    if (to === from) return;
    // Ascending row numbers without gaps are one memcpy a column: the common case of data ordered by time.
    const first = rows[from]!;
    const last = rows[to - 1]!;
    if (last - first === to - 1 - from) this.#appendConsecutive(batch, first, last + 1);
    else this.appendInAnyOrder(batch, rows, from, to);
  }

  #appendConsecutive(batch: Batch, from: number, to: number): void {
    const indexes = this.#indexesFor(batch);
    for (let i = 0; i < indexes.length; i++)
      this.columns[i] = appendColumnRange(this.columns[i]!, batch.columns[indexes[i]!]!, from, to);
    this.length += to - from;
  }

  /** {@link append} of rows in any order. */
  appendInAnyOrder(batch: Batch, rows: Int32Array, from: number, to: number): void {
    const indexes = this.#indexesFor(batch);
    for (let i = 0; i < indexes.length; i++)
      this.columns[i] = appendColumnRows(this.columns[i]!, batch.columns[indexes[i]!]!, rows, from, to);
    this.length += to - from;
  }

  /** Copies the rows [from, to) of a buffer of the same schema. */
  appendRange(source: RowBuffer, from: number, to: number): void {
    for (let i = 0; i < this.columns.length; i++)
      this.columns[i] = appendColumnRange(this.columns[i]!, source.columns[i]!, from, to);
    this.length += to - from;
  }

  #indexesFor(batch: Batch): number[] {
    if (this.#sourceIndexes !== null && this.#batchSchema === batch.schema) return this.#sourceIndexes;
    const indexes = this.schema.fields.map((field) => batch.columns.indexOf(batch.column(field.name)));
    this.#sourceIndexes = indexes;
    this.#batchSchema = batch.schema;
    return indexes;
  }

  /** Rows that fit into the first column without growing. */
  get capacity(): number {
    return this.columns[0]?.capacity ?? 0;
  }

  /** Makes room for so many rows in all, with values as long as those that are there are on average. */
  reserve(rows: number): void {
    for (const column of this.columns) reserveColumn(column, rows);
  }

  /** Forgets the rows and keeps the memory. */
  clear(): void {
    for (const column of this.columns) column.clear();
    this.length = 0;
  }

  /** Bytes held, capacity included; shared dictionaries are not counted. */
  get memoryBytes(): number {
    let sum = 0;
    for (const column of this.columns) sum += column.memoryBytes;
    return sum;
  }
}

function reserveColumn(column: Column, rows: number): void {
  const { length } = column;
  column.reserve(rows);
  const perRow = (count: number) => (length === 0 ? 0 : Math.ceil((count / length) * rows));
  if (column.layout === 'bytes') {
    const used = column.offsets[length]!;
    column.reserveBytes(Math.min(MAX_OFFSET, perRow(used)), used);
  } else if (column.layout === 'list') {
    reserveColumn(column.child, perRow(column.child.length));
  } else if (column.layout === 'struct') {
    for (const child of column.children) reserveColumn(child, rows);
  }
}
