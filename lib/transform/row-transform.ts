/**
 * What happens to rows between reading and writing, column by column: lineage columns are added, then the job's steps run in
 * their order. One serves a subtask for one schema of its source; a job without both has none, and its batches go on as they
 * are.
 */
import { Batch } from '../core/batch.ts';
import type { Field, Schema } from '../core/data-type.ts';
import { SluiceError } from '../core/errors.ts';
import { LINEAGE_COLUMNS } from '../core/lineage.ts';
import type { MapFunction } from '../core/map-function.ts';
import type { RowPlaces } from '../core/row-places.ts';
import type { LineageName, SchemaDriftSpec } from '../core/specs.ts';
import type { TransformStep } from '../core/transform-spec.ts';
import { Deduplication } from './deduplicate.ts';
import { KeyWindow } from './key-window.ts';
import { type BatchOrigin, LineageColumns } from './lineage-columns.ts';
import { type MapFunctions, NO_FUNCTIONS, RowMapper } from './map-rows.ts';
import { stepSchema } from './step-schema.ts';
import { createStep, type RunStep, Selection } from './steps.ts';

/** What of a job says how its rows are made. */
export interface JobRows {
  readonly source: { readonly drift: SchemaDriftSpec; readonly lineage: readonly LineageName[] };
  readonly transform: readonly TransformStep[];
}

/** Whether rows go on as they are, but for those that are left out. */
export function keepsRows({ source, transform }: JobRows): boolean {
  return (
    source.lineage.length === 0 && transform.every(({ kind }) => kind === 'filter' || kind === 'deduplicate')
  );
}

type DeduplicateStep = Extract<TransformStep, { kind: 'deduplicate' }>;

/** A job has one at most. */
export function deduplicateStep(transform: readonly TransformStep[]): DeduplicateStep | null {
  return transform.find((step) => step.kind === 'deduplicate') ?? null;
}

/** Names of the columns that the job adds to those of its source: none of them can come from there later. */
export function addedColumns({ source, transform }: JobRows): ReadonlySet<string> {
  const names = new Set(source.lineage.map((name) => LINEAGE_COLUMNS[name].name));
  for (const step of transform) {
    if (step.kind === 'constant') for (const name of Object.keys(step.columns)) names.add(name);
    if (step.kind === 'rename') for (const name of Object.values(step.names)) names.add(name);
  }
  return names;
}

/**
 * @param baseColumns how many columns the source began with. Those that came later, and are not chosen by a step, stand at
 *   the end, behind what the job adds: readers that go by the place of a column find new ones there only
 * @param functions of the steps that have one; left out where only the rows' schema is asked for
 * @param window of a step that de-duplicates, with what it knows; left out: one that knows nothing
 * @returns null where rows are written as they are read
 * @throws SluiceError JOB_INVALID where the columns are not what the job file takes them to be
 */
export function createTransform(
  job: JobRows,
  source: Schema,
  baseColumns: number,
  functions: MapFunctions = NO_FUNCTIONS,
  window: KeyWindow | null = null,
): RowTransform | null {
  const isIdle = job.source.lineage.length === 0 && job.transform.length === 0;
  return isIdle ? null : new RowTransform(job, source, baseColumns, functions, window);
}

/** The columns of the rows that a job writes. @throws SluiceError as `createTransform` */
export function rowSchema(job: JobRows, source: Schema, baseColumns: number): Schema {
  return createTransform(job, source, baseColumns)?.schema ?? source;
}

export class RowTransform {
  /** Of the rows as they are written. */
  readonly schema: Schema;
  readonly #lineage: { readonly columns: LineageColumns; readonly schema: Schema } | null;
  readonly #steps: readonly RunStep[];
  #deduplication: Deduplication | null = null;
  #filtered = 0;

  constructor(
    { source: { lineage }, transform }: JobRows,
    source: Schema,
    baseColumns: number,
    functions: MapFunctions,
    window: KeyWindow | null,
  ) {
    const added = lineage.map((name) => LINEAGE_COLUMNS[name]);
    for (const { name } of added) proveAbsent(source, name);
    let schema: Schema = added.length === 0 ? source : { fields: [...source.fields, ...added] };
    this.#lineage = added.length === 0 ? null : { columns: new LineageColumns(lineage), schema };
    let late = new Set(source.fields.slice(baseColumns).map(({ name }) => name));
    const steps: RunStep[] = [];
    for (const [i, step] of transform.entries()) {
      const after = checkedSchema(step, schema, i);
      if (step.kind === 'deduplicate') steps.push(this.#deduplicate(step, schema, window));
      else if (step.kind === 'map') steps.push(mapStep(step, after, functions.get(i)));
      else steps.push(createStep(step, schema, after));
      schema = after;
      if (step.kind === 'select' || (step.kind === 'map' && step.schema !== null)) late = new Set();
      if (step.kind === 'rename')
        late = new Set([...late].map((name) => (Object.hasOwn(step.names, name) ? step.names[name]! : name)));
    }
    const isLate = ({ name }: Field) => late.has(name);
    const fields = [...schema.fields.filter((field) => !isLate(field)), ...schema.fields.filter(isLate)];
    if (fields.some((field, i) => field !== schema.fields[i])) {
      const columns = fields.map(({ name }) => name);
      steps.push(createStep({ kind: 'select', columns }, schema, { fields }));
      schema = { fields };
    }
    this.schema = schema;
    this.#steps = steps;
  }

  #deduplicate(step: DeduplicateStep, { fields }: Schema, window: KeyWindow | null): RunStep {
    const indexes = step.key.map((name) => fields.findIndex((field) => field.name === name));
    const deduplication = new Deduplication(indexes, window ?? new KeyWindow(step.key, step.rows));
    this.#deduplication = deduplication;
    const selection = new Selection();
    return (batch) => selection.keep(batch, deduplication.fresh(batch));
  }

  /** The rows as they are written; valid as long as the batch is, until the next call. */
  apply(read: Batch, places: RowPlaces, origin: BatchOrigin): Batch {
    let batch = read;
    if (this.#lineage !== null) {
      const { columns, schema } = this.#lineage;
      batch = new Batch(schema, [...read.columns, ...columns.fill(read.length, places, origin)], read.length);
    }
    for (const step of this.#steps) batch = step(batch, origin);
    this.#filtered += read.length - batch.length;
    return batch;
  }

  /** Rows that were left out since this was asked last, and of these the ones whose key had been seen. */
  takeLeftOut(): { readonly filtered: number; readonly duplicates: number } {
    const filtered = this.#filtered;
    this.#filtered = 0;
    return { filtered, duplicates: this.#deduplication?.take() ?? 0 };
  }
}

function mapStep(
  { module }: Extract<TransformStep, { kind: 'map' }>,
  after: Schema,
  map: MapFunction | undefined,
): RunStep {
  if (map === undefined)
    return () => {
      throw new SluiceError('INTERNAL', `the map function of ${module} was not loaded`);
    };
  const mapper = new RowMapper(map, module, after);
  return (batch, { path }) => mapper.run(batch, path);
}

function proveAbsent(source: Schema, name: string): void {
  if (!source.fields.some((field) => field.name === name)) return;
  throw new SluiceError('JOB_INVALID', `the data has a column '${name}' of its own`, {
    hint: 'take it out of source.lineage, or give the columns with source.format.schema and leave out that one',
    details: { column: name },
  });
}

function checkedSchema(step: TransformStep, before: Schema, index: number): Schema {
  const { schema, problems } = stepSchema(step, before);
  const [problem] = problems;
  if (problem === undefined) return schema;
  const path = problem.path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('');
  throw new SluiceError('JOB_INVALID', `transform[${index}].${step.kind}${path}: ${problem.message}`, {
    hint: '`sluice check` shows the columns that there are; source.format.schema can say what they have to be',
    details: { step: index },
  });
}
