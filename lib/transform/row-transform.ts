/**
 * What happens to rows between reading and writing, column by column. One serves a subtask for one schema of its source;
 * a job without lineage and steps has none, and its batches go on as they are.
 */
import { Batch } from '../core/batch.ts';
import type { Schema } from '../core/data-type.ts';
import { SluiceError } from '../core/errors.ts';
import { LINEAGE_COLUMNS } from '../core/lineage.ts';
import type { RowPlaces } from '../core/row-places.ts';
import type { LineageName, SchemaDriftSpec } from '../core/specs.ts';
import { type BatchOrigin, LineageColumns } from './lineage-columns.ts';

/** What of a job says how its rows are made. */
export interface JobRows {
  readonly source: { readonly drift: SchemaDriftSpec; readonly lineage: readonly LineageName[] };
}

/** Names of the columns that the job adds to those of its source. */
export function addedColumns({ source }: JobRows): ReadonlySet<string> {
  return new Set(source.lineage.map((name) => LINEAGE_COLUMNS[name].name));
}

/**
 * @param baseColumns how many columns the source began with. What the job adds stands behind these, and before those that
 *   came later: readers that go by the place of a column find new ones at the end only
 * @returns null where rows are written as they are read
 * @throws SluiceError JOB_INVALID where the columns are not what the job file takes them to be
 */
export function createTransform(job: JobRows, source: Schema, baseColumns: number): RowTransform | null {
  return job.source.lineage.length === 0 ? null : new RowTransform(job, source, baseColumns);
}

/** The columns of the rows that a job writes. @throws SluiceError as `createTransform` */
export function rowSchema(job: JobRows, source: Schema, baseColumns: number): Schema {
  return createTransform(job, source, baseColumns)?.schema ?? source;
}

export class RowTransform {
  /** Of the rows as they are written. */
  readonly schema: Schema;
  readonly #baseColumns: number;
  readonly #lineage: LineageColumns;

  constructor({ source: { lineage } }: JobRows, source: Schema, baseColumns: number) {
    const added = lineage.map((name) => LINEAGE_COLUMNS[name]);
    for (const { name } of added) {
      if (!source.fields.some((field) => field.name === name)) continue;
      throw new SluiceError('JOB_INVALID', `the data has a column '${name}' of its own`, {
        hint: 'take it out of source.lineage, or give the columns with source.format.schema and leave out that one',
        details: { column: name },
      });
    }
    this.#baseColumns = baseColumns;
    this.#lineage = new LineageColumns(lineage);
    const { fields } = source;
    this.schema = { fields: [...fields.slice(0, baseColumns), ...added, ...fields.slice(baseColumns)] };
  }

  /** The rows as they are written; valid as long as the batch is. */
  apply(batch: Batch, places: RowPlaces, origin: BatchOrigin): Batch {
    const { columns, length } = batch;
    const added = this.#lineage.fill(length, places, origin);
    const base = this.#baseColumns;
    return new Batch(this.schema, [...columns.slice(0, base), ...added, ...columns.slice(base)], length);
  }
}
