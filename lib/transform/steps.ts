/** Steps as they run: on whole columns, for one schema of what comes before them. */
import { Batch, type SourceLines } from '../core/batch.ts';
import type { Column } from '../core/column.ts';
import type { Schema } from '../core/data-type.ts';
import { SluiceError } from '../core/errors.ts';
import { RowBuffer } from '../core/row-buffer.ts';
import type { TransformStep } from '../core/transform-spec.ts';
import { ColumnCast } from './cast-column.ts';
import { ConstantColumn, oneValue } from './constant-column.ts';
import { compilePredicate } from './expression/compile.ts';
import { TRUE } from './expression/truth.ts';
import { NullFiller } from './fill-nulls.ts';
import type { BatchOrigin } from './lineage-columns.ts';

/** Gives a batch that is valid until the one that came in is not, or the step runs again. */
export type RunStep = (batch: Batch, origin: BatchOrigin) => Batch;

/** @param before columns that come in; `after` those that go out: see stepSchema, which has checked them */
export function createStep(
  step: Exclude<TransformStep, { kind: 'deduplicate' | 'map' }>,
  before: Schema,
  after: Schema,
): RunStep {
  switch (step.kind) {
    case 'filter': {
      const predicate = compilePredicate(step.expression, before);
      if (typeof predicate !== 'function') throw new SluiceError('INTERNAL', predicate.message);
      const selection = new Selection();
      return (batch) => selection.keep(batch, predicate(batch));
    }
    case 'select':
    case 'drop':
    case 'rename': {
      const indexes = after.fields.map(({ name }) =>
        before.fields.findIndex((field) => sourceOf(step, field.name) === name),
      );
      return (batch) =>
        new Batch(
          after,
          indexes.map((index) => batch.columns[index]!),
          batch.length,
        );
    }
    case 'cast': {
      const casts = before.fields.map(({ name, type }) => {
        const spec = Object.hasOwn(step.columns, name) ? step.columns[name] : undefined;
        return spec === undefined ? null : new ColumnCast(name, type, spec);
      });
      return replaceColumns(after, casts, (cast, column, rows, { path }) => cast.cast(column, rows, path));
    }
    case 'constant': {
      const added = Object.values(step.columns).map(
        ({ type, value }) => new ConstantColumn(constantOf(type, value)),
      );
      return ({ columns, length }) =>
        new Batch(after, [...columns, ...added.map((each) => each.rows(length))], length);
    }
    case 'default': {
      const fillers = before.fields.map(({ name, type }) => {
        const value = Object.hasOwn(step.columns, name) ? step.columns[name] : undefined;
        return value === undefined ? null : new NullFiller(constantOf(type, value));
      });
      return replaceColumns(after, fillers, (filler, column, rows) => filler.fill(column, rows));
    }
  }
}

/** The name that a column goes on under. */
function sourceOf(
  step: Extract<TransformStep, { kind: 'select' | 'drop' | 'rename' }>,
  name: string,
): string {
  return step.kind === 'rename' && Object.hasOwn(step.names, name) ? step.names[name]! : name;
}

function constantOf(...given: Parameters<typeof oneValue>): Column {
  const value = oneValue(...given);
  if (value === null) throw new SluiceError('INTERNAL', 'a constant of another type than its column');
  return value;
}

function replaceColumns<T>(
  schema: Schema,
  steps: readonly (T | null)[],
  replace: (step: T, column: Column, rows: number, origin: BatchOrigin) => Column,
): RunStep {
  return ({ columns, length }, origin) => {
    const next = columns.map((column, i) => {
      const step = steps[i] ?? null;
      return step === null ? column : replace(step, column, length, origin);
    });
    return new Batch(schema, next, length);
  };
}

/** Copies the rows that are kept. A batch that is kept as a whole goes on as it is. */
export class Selection {
  #rows = new Int32Array(0);
  #buffer: RowBuffer | null = null;
  #starts = new Int32Array(0);
  #ends = new Int32Array(0);

  /** @param truth TRUE for the rows to keep */
  keep(batch: Batch, truth: Uint8Array): Batch {
    const { length } = batch;
    if (this.#rows.length < length) this.#rows = new Int32Array(length);
    const rows = this.#rows;
    let count = 0;
    for (let row = 0; row < length; row++) {
      rows[count] = row;
      count += truth[row] === TRUE ? 1 : 0;
    }
    if (count === length) return batch;
    if (this.#buffer?.schema !== batch.schema) this.#buffer = new RowBuffer(batch.schema);
    const buffer = this.#buffer;
    buffer.clear();
    buffer.append(batch, rows, 0, count);
    return new Batch(batch.schema, buffer.columns, count, this.#lines(batch.lines, count));
  }

  #lines(lines: SourceLines | null, count: number): SourceLines | null {
    if (lines === null) return null;
    if (this.#starts.length < count) {
      this.#starts = new Int32Array(this.#rows.length);
      this.#ends = new Int32Array(this.#rows.length);
    }
    for (let i = 0; i < count; i++) {
      const row = this.#rows[i]!;
      this.#starts[i] = lines.starts[row]!;
      this.#ends[i] = lines.ends[row]!;
    }
    return { bytes: lines.bytes, starts: this.#starts, ends: this.#ends };
  }
}
