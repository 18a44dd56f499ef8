/** What the columns are before there is state that says so. */
import { datetimePatternProblem, hiddenColumn } from '../../bucketing/index.ts';
import { createInputFormat } from '../../formats/input-format.ts';
import type { Clock } from '../core/clock.ts';
import type { CompiledJob } from '../core/compiled-job.ts';
import type { Schema } from '../core/data-type.ts';
import { SluiceError } from '../core/errors.ts';
import { selectRoots } from '../source/file-selector.ts';
import { type SampledSchema, sampleSchema } from '../source/schema-sampler.ts';
import type { FileStatus, FileSystem } from '../storage/file-system.ts';
import { rowSchema } from '../transform/row-transform.ts';

/**
 * The schema that a first start fixes: the job's own, or what its files show. null where there is no file yet to learn
 * it from.
 * @throws SluiceError SCHEMA_UNKNOWN, NOT_FOUND, JOB_INVALID where readers would not see a column
 */
export async function firstSchema(
  job: CompiledJob,
  fileSystem: FileSystem,
  clock: Clock,
): Promise<Schema | null> {
  provePattern(job);
  const schema = await learnSchema(job, fileSystem, clock);
  if (schema !== null) proveFolders(job, schema);
  return schema;
}

/**
 * For jobs that never ran: the folders of one that did cannot be named otherwise any more.
 * @throws SluiceError JOB_INVALID
 */
export function proveFolders(job: CompiledJob, schema: Schema): void {
  provePattern(job);
  const { bucket } = job.sink;
  const hidden = hiddenColumn(bucket, rowSchema(job, schema, schema.fields.length));
  if (hidden === null) return;
  throw new SluiceError(
    'JOB_INVALID',
    `sink.bucket.fields: the column '${hidden}' is in the part files, and readers would see in its place what the folder of that name says`,
    {
      hint: `give the folder another name, such as {${hidden}_part: ...}, or leave the column out of the rows`,
    },
  );
}

function provePattern({ sink: { bucket } }: CompiledJob): void {
  const problem = bucket.type === 'datetime' ? datetimePatternProblem(bucket.pattern) : null;
  if (problem !== null) throw new SluiceError('JOB_INVALID', `sink.bucket.pattern: ${problem}`);
}

/** {@link firstSchema}, whatever the folders are called. @throws SluiceError SCHEMA_UNKNOWN, NOT_FOUND */
export async function learnSchema(
  job: CompiledJob,
  fileSystem: FileSystem,
  clock: Clock,
): Promise<Schema | null> {
  const { source } = job;
  if (source.schema !== 'infer') return source.schema;
  return (await sampleSource(job, fileSystem, clock))?.schema ?? null;
}

/** What a sample of the source shows, whatever the job file says of its schema. null where there is no file yet. */
export async function sampleSource(
  job: CompiledJob,
  fileSystem: FileSystem,
  clock: Clock,
): Promise<SampledSchema | null> {
  const { source } = job;
  const roots = await selectRoots(source, fileSystem, () => {});
  const format = await createInputFormat(source.format);
  const isYoung = ({ modifiedNs }: FileStatus) =>
    clock.now() - Number(modifiedNs / 1_000_000n) < source.minAgeMs;
  return sampleSchema({
    fileSystem,
    roots,
    format,
    compression: source.format.compression,
    mayGrow: (file) => source.modified === 'append' || (source.minAgeMs > 0 && isYoung(file)),
  });
}
