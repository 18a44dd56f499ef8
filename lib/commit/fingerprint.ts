/**
 * What of a job file is fixed as long as its state lives: where the rows come from and where they go, in which format
 * and folders. Everything else (parallelism, memory, intervals, rolling, globs ...) may change at any start.
 */
import type { CompiledJob } from '../core/compiled-job.ts';
import type { Schema } from '../core/data-type.ts';
import { SluiceError } from '../core/errors.ts';
import { compareSchemas } from '../core/schema-change.ts';
import type { OutputFormatSpec, SchemaSpec } from '../core/specs.ts';
import type { JobFingerprint } from './checkpoint.ts';

/**
 * How rows are written as text: parts that go on, that are merged or that are counted must all be written alike. State of
 * earlier versions does not say it.
 */
const DIALECT_SECTION = 'sink.format.dialect';
/** May change, within the rules of lib/core/schema-change.ts, which compare schemas and not texts. */
const SCHEMA_SECTION = 'source.format.schema';

export function jobFingerprint(job: CompiledJob): JobFingerprint {
  const { source, sink } = job;
  const { compression: _any, ...sourceFormat } = source.format;
  const { compression, type } = sink.format;
  return {
    'source.path': JSON.stringify(source.paths),
    'source.format': JSON.stringify(sourceFormat),
    [SCHEMA_SECTION]: JSON.stringify(source.schema),
    event_time: JSON.stringify(job.eventTime),
    'sink.path': JSON.stringify(sink.path),
    'sink.format': JSON.stringify({ type, compression }),
    [DIALECT_SECTION]: JSON.stringify(dialectOf(sink.format)),
    'sink.bucket': JSON.stringify(sink.bucket),
    'sink.part.suffix': JSON.stringify(sink.partSuffix),
  };
}

/** null: the format has but one. */
function dialectOf(format: OutputFormatSpec): object | null {
  switch (format.type) {
    case 'ndjson':
      return { dialect: format.dialect };
    case 'csv': {
      const { dialect, delimiter, header, nullText } = format;
      return { dialect, delimiter, header, nullText };
    }
    case 'text':
      return { column: format.column };
    case 'parquet':
    case 'avro':
    case 'arrow':
      return null;
  }
}

/** @throws SluiceError JOB_MISMATCH naming each section that differs, with both values */
export function proveJobFits(state: JobFingerprint, job: JobFingerprint, statePath: string): void {
  const isFree = (section: string) =>
    section === SCHEMA_SECTION || (section === DIALECT_SECTION && state[section] === undefined);
  const differing = Object.keys({ ...state, ...job }).filter(
    (section) => !isFree(section) && state[section] !== job[section],
  );
  const lines = differing.map(
    (section) => `${section} was ${state[section] ?? 'absent'} and is ${job[section] ?? 'absent'}`,
  );
  const conflicts = schemaConflicts(state, job);
  lines.push(...conflicts.map((conflict) => `${SCHEMA_SECTION}: ${conflict}`));
  if (lines.length === 0) return;
  throw new SluiceError(
    'JOB_MISMATCH',
    `the job file no longer fits the state in ${statePath}: ${lines.join('; ')}`,
    {
      hint:
        differing.length > 0
          ? 'go back to the old values, or give the changed job another name (and so another state)'
          : 'a schema may get columns that may be null at its end, and wider types; go back to the old one for the rest, or give the changed job another name',
      details: { sections: conflicts.length > 0 ? [...differing, SCHEMA_SECTION] : differing },
    },
  );
}

/** What the job file's schema changes that it must not, against the one it had. */
function schemaConflicts(state: JobFingerprint, job: JobFingerprint): readonly string[] {
  const before = schemaOf(state);
  const after = schemaOf(job);
  return before === null || after === null ? [] : compareSchemas(before, after).conflicts;
}

/** null where the job file leaves it to the data. */
function schemaOf(fingerprint: JobFingerprint): Schema | null {
  const schema = JSON.parse(fingerprint[SCHEMA_SECTION] ?? '"infer"') as SchemaSpec;
  return schema === 'infer' ? null : schema;
}
