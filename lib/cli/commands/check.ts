/** `sluice check`: everything that can be known about a job without running it. */
import { createBucketAssigner } from '../../../bucketing/index.ts';
import { createOutputFormat } from '../../../formats/index.ts';
import { createRollingPolicy } from '../../../rolling/index.ts';
import { createPartitionCommitPolicy } from '../../commit/partitions/policies/create-policy.ts';
import type { CompiledJob } from '../../config/compiled-job.ts';
import { crossCheck } from '../../config/cross-checks.ts';
import { jobToYaml, rawJob, rawSchema } from '../../config/print-job.ts';
import type { Clock } from '../../core/clock.ts';
import type { Schema } from '../../core/data-type.ts';
import { firstSchema } from '../../pipeline/first-schema.ts';
import { bucketTimesOf } from '../../pipeline/sink-setup.ts';
import { selectRoots } from '../../source/file-selector.ts';
import type { FileSystem } from '../../storage/file-system.ts';
import type { CommandContext } from '../commands.ts';
import { counted, humanBytes } from '../human.ts';
import type { Output } from '../output.ts';
import { proveWritable, type SourceSurvey, surveySource } from '../reach-paths.ts';
import { loadJob } from './load-job.ts';

/** @throws SluiceError with exit 2 for the job file, 4 for its paths, 3 for data that the schema cannot be learnt from */
export async function check(file: string, { io, output }: CommandContext): Promise<void> {
  const { job, invalid, fileSystem } = await loadJob(file, io);
  const roots = await selectRoots(job.source, fileSystem, (path) =>
    output.warning(`${path} is left out: its name is not valid UTF-8`),
  );
  const survey = await surveySource(roots, fileSystem);
  await proveWritable(job, fileSystem, io.ids);
  const schema = await firstSchema(job, fileSystem);
  if (schema !== null) {
    // An inferred schema may lack what the job names.
    const problems = crossCheck({ ...job, source: { ...job.source, schema } });
    if (problems.length > 0) throw invalid(problems);
    await proveParts(job, schema, fileSystem, io.clock);
  }
  print(file, job, schema, survey, output);
}

/** Makes what the sink is made of, so that a bad pattern or a module that does not load is found now. */
async function proveParts(
  job: CompiledJob,
  schema: Schema,
  fileSystem: FileSystem,
  clock: Clock,
): Promise<void> {
  await createBucketAssigner(job.sink.bucket, schema);
  await createRollingPolicy(job.sink.rolling);
  bucketTimesOf(job);
  for (const policy of job.sink.partitionCommit?.policies ?? [])
    await createPartitionCommitPolicy(policy, job.sink.path, fileSystem, clock);
  await createOutputFormat(job.sink.format);
}

function print(
  file: string,
  job: CompiledJob,
  schema: Schema | null,
  survey: SourceSurvey,
  output: Output,
): void {
  if (output.json) {
    output.document({
      valid: true,
      job: rawJob(job),
      schema: schema === null ? null : rawSchema(schema),
      files: survey.files,
      bytes_in: survey.bytes,
    });
    return;
  }
  const files = `${survey.more ? 'more than ' : ''}${counted(survey.files, 'file')} (${humanBytes(survey.bytes)})`;
  const columns =
    schema === null
      ? 'no schema yet: it is inferred from the first files'
      : `${counted(schema.fields.length, 'column')} ${job.source.schema === 'infer' ? 'inferred from a sample' : 'given'}`;
  output.note(`${file} is valid: ${files} to read, ${columns}`);
  output.text(jobToYaml(job, schema ?? undefined));
}
