/**
 * The schema of a job's rows and how it came to be, in the coordinator: one place decides, so that subtasks which find
 * different things at the same time end with the same columns in the same order.
 */

import {
  extendHistory,
  followColumns,
  type SchemaCause,
  type SchemaState,
} from '../commit/written-columns.ts';
import { type Schema, sameType } from '../core/data-type.ts';
import { RESCUED_COLUMN } from '../core/decoder.ts';
import { SluiceError } from '../core/errors.ts';
import { compareSchemas, isWider, mergeSchemas, type SchemaVersion } from '../core/schema-change.ts';
import { schemaFingerprint } from '../core/schema-fingerprint.ts';
import type { SchemaDriftSpec } from '../core/specs.ts';
import { addedColumns, type JobRows, rowSchema } from '../transform/row-transform.ts';

/** A source whose every record has other keys must not make a table of millions of columns. */
const MAX_COLUMNS = 2000;
export class SchemaRegistry {
  #schema: Schema;
  #history: readonly SchemaVersion[];
  #columns: SchemaState | null;

  readonly #job: JobRows;
  readonly #drift: SchemaDriftSpec;
  readonly #added: ReadonlySet<string>;

  private constructor({ schema, history }: SchemaState, columns: SchemaState | null, job: JobRows) {
    this.#job = job;
    this.#columns = columns;
    this.#drift = job.source.drift;
    this.#added = addedColumns(job);
    this.#schema = schema;
    this.#history = history;
  }

  /**
   * @param stored of the checkpoint; null before there was one
   * @param given what the job file says now, or what was inferred for the first time; null: the stored one is all there is
   * @param columns what the checkpoint says of the rows as they are written; null: they are written as they are read
   * @throws SluiceError JOB_MISMATCH where what is given does not go together with what is stored; JOB_INVALID where the
   *   job's steps do not go together with it
   */
  static start(
    stored: SchemaState | null,
    given: Schema | null,
    job: JobRows,
    checkpointId: number,
    nowMs: number,
    columns: SchemaState | null = null,
  ): SchemaRegistry {
    const now = { checkpoint: checkpointId, createdMs: nowMs, cause: null };
    const { drift } = job.source;
    if (stored === null) {
      if (given === null) throw new SluiceError('INTERNAL', 'a job was started without a schema');
      const schema = withRescued(given, drift);
      const { changes } = compareSchemas({ fields: [] }, nullable(schema));
      const registry = new SchemaRegistry(
        { schema, history: extendHistory([], { ...now, changes }) },
        null,
        job,
      );
      registry.#follow(null, now);
      return registry;
    }
    const registry = new SchemaRegistry(stored, columns, job);
    const merged = given === null ? stored.schema : mergeWithJob(stored.schema, given);
    registry.#change(withRescued(merged, drift), now);
    registry.#follow(stored, now);
    return registry;
  }

  get schema(): Schema {
    return this.#schema;
  }

  /** Columns that the job began with: those behind them came later. */
  get baseColumns(): number {
    return baseColumns(this.#schema, this.#history);
  }

  get version(): number {
    return this.#history.at(-1)?.version ?? 1;
  }

  get state(): SchemaState {
    return { schema: this.#schema, history: this.#history };
  }

  /** Of the rows as they are written; null where they always were written as they are read. */
  get columns(): SchemaState | null {
    return this.#columns;
  }

  /**
   * A subtask has seen fields that the schema does not hold.
   * @param cause the file @param checkpointId the next one
   * @returns whether the schema has changed
   */
  propose(seen: Schema, cause: string, checkpointId: number, nowMs: number): boolean {
    const add = this.#drift.newField === 'evolve';
    const widen = this.#drift.mismatch === 'widen';
    // A field with the name of a column that the job adds would leave no place for that.
    const own = { fields: seen.fields.filter(({ name }) => !this.#added.has(name)) };
    const merged = mergeSchemas(this.#schema, own, { add, widen, maxColumns: MAX_COLUMNS });
    const before = this.state;
    const now = { checkpoint: checkpointId, createdMs: nowMs, cause };
    if (!this.#change(merged, now)) return false;
    try {
      this.#follow(before, now);
    } catch (thrown) {
      // The steps do not go together with the wider schema: the subtasks, which make the rows, stop the job for it.
      if (SluiceError.from(thrown).code !== 'JOB_INVALID') throw thrown;
    }
    return true;
  }

  #change(next: Schema, now: SchemaCause): boolean {
    const { changes } = compareSchemas(this.#schema, next);
    if (changes.length === 0) return false;
    this.#history = extendHistory(this.#history, { ...now, changes });
    this.#schema = next;
    return true;
  }

  /** @param source as it was before @throws SluiceError JOB_INVALID */
  #follow(source: SchemaState | null, now: SchemaCause): void {
    const rows = rowSchema(this.#job, this.#schema, this.baseColumns);
    if (this.#columns === null && schemaFingerprint(rows) === schemaFingerprint(this.#schema)) return;
    this.#columns = followColumns(this.#columns, source, rows, now);
  }
}

/** How many columns there were at first. */
export function baseColumns(schema: Schema, history: readonly SchemaVersion[]): number {
  const [first] = history;
  return first?.version === 1 ? first.changes.length : schema.fields.length;
}

/** Columns that came at run time stay; the job file's may be added and get wider. */
function mergeWithJob(stored: Schema, given: Schema): Schema {
  const merged = mergeSchemas(stored, given, {
    add: true,
    widen: true,
    maxColumns: Number.POSITIVE_INFINITY,
  });
  const fields = merged.fields.map((field) => {
    const asked = given.fields.find((each) => each.name === field.name);
    if (asked === undefined) return field;
    if (!sameType(field.type, asked.type) && !isWider(field.type, asked.type)) {
      throw new SluiceError(
        'JOB_MISMATCH',
        `column '${field.name}' cannot become what the job file asks for`,
        {
          hint: '`sluice status --schema` shows how it came to be',
        },
      );
    }
    return asked.nullable && !field.nullable ? { ...field, nullable: true } : field;
  });
  return { fields };
}

/** The column for what is rescued stands where it was first needed, so that later ones come behind it. */
function withRescued(schema: Schema, { newField, mismatch }: SchemaDriftSpec): Schema {
  const needed = newField === 'rescue' || mismatch === 'rescue';
  if (!needed || schema.fields.some(({ name }) => name === RESCUED_COLUMN)) return schema;
  return { fields: [...schema.fields, { name: RESCUED_COLUMN, type: { kind: 'json' }, nullable: true }] };
}

function nullable({ fields }: Schema): Schema {
  return { fields: fields.map((field) => ({ ...field, nullable: true })) };
}
