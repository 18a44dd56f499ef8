/** What the columns are before there is state that says so. */
import { createInputFormat } from '../../formats/input-format.ts';
import type { CompiledJob } from '../core/compiled-job.ts';
import type { Schema } from '../core/data-type.ts';
import { selectRoots } from '../source/file-selector.ts';
import { type SampledSchema, sampleSchema } from '../source/schema-sampler.ts';
import type { FileSystem } from '../storage/file-system.ts';

/**
 * The schema that a first start fixes: the job's own, or what its files show. null where there is no file yet to learn
 * it from.
 * @throws SluiceError SCHEMA_UNKNOWN, NOT_FOUND
 */
export async function firstSchema(job: CompiledJob, fileSystem: FileSystem): Promise<Schema | null> {
  const { source } = job;
  if (source.schema !== 'infer') return source.schema;
  return (await sampleSource(job, fileSystem))?.schema ?? null;
}

/** What a sample of the source shows, whatever the job file says of its schema. null where there is no file yet. */
export async function sampleSource(job: CompiledJob, fileSystem: FileSystem): Promise<SampledSchema | null> {
  const { source } = job;
  const roots = await selectRoots(source, fileSystem, () => {});
  const format = await createInputFormat(source.format);
  return sampleSchema({ fileSystem, roots, format, compression: source.format.compression });
}
