/**
 * What of a job file is fixed as long as its state lives: where the rows come from and where they go, in which format
 * and folders. Everything else (parallelism, memory, intervals, rolling, globs ...) may change at any start.
 */
import type { CompiledJob } from '../core/compiled-job.ts';
import type { Schema } from '../core/data-type.ts';
import { SluiceError } from '../core/errors.ts';
import { compareSchemas } from '../core/schema-change.ts';
import type { SchemaSpec } from '../core/specs.ts';
import type { JobFingerprint } from './checkpoint.ts';

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
    'sink.bucket': JSON.stringify(sink.bucket),
    'sink.part.suffix': JSON.stringify(sink.partSuffix),
  };
}

/** @throws SluiceError JOB_MISMATCH naming each section that differs, with both values */
export function proveJobFits(state: JobFingerprint, job: JobFingerprint, statePath: string): void {
  const differing = Object.keys({ ...state, ...job }).filter(
    (section) => section !== SCHEMA_SECTION && state[section] !== job[section],
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
