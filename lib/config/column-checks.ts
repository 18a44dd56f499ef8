/** Whether the columns that a job names are there, once each, and of types that can be used so. */
import type { CompiledJob } from '../core/compiled-job.ts';
import type { Field, Schema } from '../core/data-type.ts';
import { LINEAGE_COLUMNS } from '../core/lineage.ts';
import { stepSchema } from '../transform/step-schema.ts';
import type { KeyPath, Problem } from './problems.ts';

type NamedColumn = Pick<Field, 'name' | 'type'>;

/** Columns of the data as far as the job file tells them; null where they are inferred. */
function sourceColumns(source: CompiledJob['source']): readonly NamedColumn[] | null {
  if (source.format.type === 'text') return [{ name: source.format.column, type: { kind: 'string' } }];
  return source.schema === 'infer' ? null : source.schema.fields;
}

/** Columns of the rows that are written; null where that is not known yet, or is wrong in a way that is told elsewhere. */
function columnsOf(job: CompiledJob): readonly NamedColumn[] | null {
  const walked = walkTransform(job);
  return walked === null || walked.problems.length > 0 ? null : walked.schema.fields;
}

/** What the steps make of the columns, as far as the job file tells those. */
function walkTransform({ source, transform }: CompiledJob): { schema: Schema; problems: Problem[] } | null {
  const columns = sourceColumns(source);
  if (columns === null) return null;
  let schema: Schema = {
    fields: [
      ...columns.map(({ name, type }) => ({ name, type, nullable: true })),
      ...source.lineage.map((name) => LINEAGE_COLUMNS[name]),
    ],
  };
  const problems: Problem[] = [];
  for (const [i, step] of transform.entries()) {
    const result = stepSchema(step, schema);
    for (const { path, message } of result.problems)
      problems.push({ path: ['transform', i, step.kind, ...path], message });
    if (problems.length > 0) break;
    schema = result.schema;
  }
  return { schema, problems };
}

export function* transform(job: CompiledJob): Iterable<Problem> {
  yield* walkTransform(job)?.problems ?? [];
}

/** A problem where a column is named that is not there. */
function* missingColumn(job: CompiledJob, path: KeyPath, name: string): Iterable<Problem> {
  const columns = columnsOf(job);
  if (columns === null || columns.some((column) => column.name === name)) return;
  const listed = columns.slice(0, 20).map((column) => column.name);
  yield { path, message: `the schema has no column '${name}' (it has ${listed.join(', ')})` };
}

export function* duplicateColumns({ source }: CompiledJob): Iterable<Problem> {
  const lists: [KeyPath, readonly string[]][] = [
    [['source', 'format', 'schema'], source.schema === 'infer' ? [] : fieldNames(source.schema)],
    [['source', 'format', 'columns'], source.format.type === 'csv' ? (source.format.columns ?? []) : []],
  ];
  for (const [path, names] of lists) {
    const seen = new Set<string>();
    for (const [i, name] of names.entries()) {
      if (seen.has(name)) yield { path: [...path, i], message: `the column '${name}' stands twice` };
      seen.add(name);
    }
  }
}

function fieldNames(schema: Schema): string[] {
  return schema.fields.map((field) => field.name);
}

export function* lineage({ source }: CompiledJob): Iterable<Problem> {
  const path = ['source', 'lineage'];
  const columns = sourceColumns(source);
  for (const [i, name] of source.lineage.entries()) {
    if (source.lineage.indexOf(name) !== i) yield { path: [...path, i], message: `'${name}' stands twice` };
    const column = LINEAGE_COLUMNS[name].name;
    if (columns?.some((each) => each.name === column))
      yield {
        path: [...path, i],
        message: `the data has a column '${column}' of its own: leave '${name}' out, or give the columns with \`source.format.schema\` and leave out that one`,
      };
  }
}

export function* columnsOfCsv({ source }: CompiledJob): Iterable<Problem> {
  const { format, schema } = source;
  if (format.type !== 'csv') return;
  if (format.header && format.columns !== null) {
    yield {
      path: ['source', 'format', 'columns'],
      message: 'the header of each file names the columns: leave `columns` out, or set `header: false`',
    };
  }
  if (!format.header && format.columns === null && schema === 'infer') {
    yield {
      path: ['source', 'format', 'header'],
      message: 'without a header, `columns` or `schema` has to name the columns',
    };
  }
  if (format.columns === null || schema === 'infer') return;
  for (const [i, name] of fieldNames(schema).entries()) {
    if (!format.columns.includes(name)) {
      yield {
        path: ['source', 'format', 'schema', i],
        message: `the column '${name}' is not among \`columns\``,
      };
    }
  }
}

export function* eventTime(job: CompiledJob): Iterable<Problem> {
  const { bucket } = job.sink;
  if (job.eventTime === null) {
    if (bucket.type === 'datetime' && bucket.time === 'event') {
      yield {
        path: ['sink', 'bucket', 'time'],
        message: 'event time needs `event_time: {field: ...}`, which says where it is',
      };
    }
    return;
  }
  const { column } = job.eventTime;
  const path = ['event_time', 'field'];
  yield* missingColumn(job, path, column);
  const type = columnsOf(job)?.find(({ name }) => name === column)?.type;
  if (type !== undefined && ['boolean', 'binary', 'json', 'list', 'struct'].includes(type.kind)) {
    yield { path, message: `a ${type.kind} holds no time: expected a timestamp, a date, text or a number` };
  }
}

export function* partitionFields(job: CompiledJob): Iterable<Problem> {
  const { bucket } = job.sink;
  if (bucket.type !== 'fields') return;
  const path = ['sink', 'bucket', 'fields'];
  const columns = columnsOf(job);
  const names = new Set<string>();
  for (const [i, { name, column, transform }] of bucket.fields.entries()) {
    if (names.has(name))
      yield { path: [...path, i], message: `two levels of folders have the name '${name}'` };
    names.add(name);
    yield* missingColumn(job, [...path, i], column);
    const type = columns?.find((each) => each.name === column)?.type;
    if (type === undefined) continue;
    if (transform !== 'value' && type.kind !== 'timestamp' && type.kind !== 'date') {
      yield {
        path: [...path, i],
        message: `'${transform}' needs a timestamp or a date, and '${column}' is a ${type.kind}`,
      };
    }
    if (transform === 'value' && ['list', 'struct', 'json', 'binary'].includes(type.kind)) {
      yield { path: [...path, i], message: `a ${type.kind} cannot name a folder` };
    }
  }
}

export function* textColumn(job: CompiledJob): Iterable<Problem> {
  const { format, bucket } = job.sink;
  if (format.type !== 'text') return;
  const path = ['sink', 'format'];
  if (format.column !== null) {
    yield* missingColumn(job, [...path, 'column'], format.column);
    return;
  }
  const inFolders =
    bucket.type === 'fields' && !bucket.keepFields ? bucket.fields.map((each) => each.column) : [];
  const columns = columnsOf(job)?.filter(({ name }) => !inFolders.includes(name));
  if (columns !== undefined && columns.length !== 1) {
    yield {
      path,
      message: `text parts hold one column, and there are ${columns.length}: name it with \`column\``,
    };
  }
}
