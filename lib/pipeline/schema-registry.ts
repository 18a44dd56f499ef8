/**
 * The schema of a job's rows and how it came to be, in the coordinator: one place decides, so that subtasks which find
 * different things at the same time end with the same columns in the same order.
 */
import { type Schema, sameType } from '../core/data-type.ts';
import { RESCUED_COLUMN } from '../core/decoder.ts';
import { SluiceError } from '../core/errors.ts';
import { compareSchemas, isWider, mergeSchemas, type SchemaVersion } from '../core/schema-change.ts';
import type { SchemaDriftSpec } from '../core/specs.ts';
import { addedColumns, type JobRows } from '../transform/row-transform.ts';

/** A source whose every record has other keys must not make a table of millions of columns. */
export const MAX_COLUMNS = 2000;
/** Steps kept; the first ones stay, since they tell what was asked for. */
const MAX_HISTORY = 500;

/** What of it goes into a checkpoint. */
export interface SchemaState {
  readonly schema: Schema;
  readonly history: readonly SchemaVersion[];
}

export class SchemaRegistry {
  #schema: Schema;
  #history: readonly SchemaVersion[];

  readonly #drift: SchemaDriftSpec;
  readonly #added: ReadonlySet<string>;

  private constructor(schema: Schema, history: readonly SchemaVersion[], job: JobRows) {
    this.#drift = job.source.drift;
    this.#added = addedColumns(job);
    this.#schema = schema;
    this.#history = history;
  }

  /**
   * @param stored of the checkpoint; null before there was one
   * @param given what the job file says now, or what was inferred for the first time; null: the stored one is all there is
   * @throws SluiceError JOB_MISMATCH where what is given does not go together with what is stored
   */
  static start(
    stored: SchemaState | null,
    given: Schema | null,
    job: JobRows,
    checkpointId: number,
    nowMs: number,
  ): SchemaRegistry {
    const { drift } = job.source;
    if (stored === null) {
      if (given === null) throw new SluiceError('INTERNAL', 'a job was started without a schema');
      const schema = withRescued(given, drift);
      const { changes } = compareSchemas({ fields: [] }, nullable(schema));
      const first = { version: 1, checkpoint: checkpointId, createdMs: nowMs, changes, cause: null };
      return new SchemaRegistry(schema, [first], job);
    }
    const registry = new SchemaRegistry(stored.schema, stored.history, job);
    const merged = given === null ? stored.schema : mergeWithJob(stored.schema, given);
    registry.#change(withRescued(merged, drift), null, checkpointId, nowMs);
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
    return this.#change(merged, cause, checkpointId, nowMs);
  }

  #change(next: Schema, cause: string | null, checkpoint: number, createdMs: number): boolean {
    const { changes } = compareSchemas(this.#schema, next);
    if (changes.length === 0) return false;
    const version = this.version + 1;
    const history = [...this.#history, { version, checkpoint, createdMs, changes, cause }];
    this.#history =
      history.length <= MAX_HISTORY
        ? history
        : [history[0]!, ...history.slice(history.length - MAX_HISTORY + 1)];
    this.#schema = next;
    return true;
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
