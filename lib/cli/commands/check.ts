/** `sluice check`: everything that can be known about a job without running it. */
import { createBucketAssigner } from '../../../bucketing/index.ts';
import { createOutputFormat } from '../../../formats/output-format.ts';
import { createRollingPolicy } from '../../../rolling/index.ts';
import { CheckpointStore } from '../../commit/checkpoint-store.ts';
import { jobFingerprint } from '../../commit/fingerprint.ts';
import { proveStateFits } from '../../commit/job-state.ts';
import { createPartitionCommitPolicy } from '../../commit/partitions/policies/create-policy.ts';
import { crossCheck } from '../../config/cross-checks.ts';
import { jobToYaml, rawJob, schemaYaml } from '../../config/print-job.ts';
import { rawSchema } from '../../config/raw-schema.ts';
import type { Clock } from '../../core/clock.ts';
import type { CompiledJob } from '../../core/compiled-job.ts';
import { formatDataType, type Schema } from '../../core/data-type.ts';
import type { ColumnEvidence } from '../../core/decoder.ts';
import { SluiceError } from '../../core/errors.ts';
import { learnSchema, proveFolders, sampleSource } from '../../pipeline/first-schema.ts';
import { bucketTimesOf } from '../../pipeline/sink-setup.ts';
import { selectRoots } from '../../source/file-selector.ts';
import type { FileSystem } from '../../storage/file-system.ts';
import { rowSchema } from '../../transform/row-transform.ts';
import type { CommandContext } from '../commands.ts';
import { counted, humanBytes } from '../human.ts';
import type { Output } from '../output.ts';
import { printable } from '../printable.ts';
import { proveWritable, type SourceSurvey, surveySource } from '../reach-paths.ts';
import { renderTable } from '../table.ts';
import { loadJob } from './load-job.ts';

/** @throws SluiceError with exit 2 for the job file, 4 for its paths, 3 for data that the schema cannot be learnt from, 5 for its state */
export async function check(file: string, { io, output }: CommandContext): Promise<void> {
  const { job, invalid, fileSystem } = await loadJob(file, io);
  const roots = await selectRoots(job.source, fileSystem, (path) =>
    output.warning(`${path} is left out: its name is not valid UTF-8`),
  );
  const survey = await surveySource(roots, fileSystem);
  await proveWritable(job, fileSystem, io.ids);
  const newest = await new CheckpointStore(fileSystem, job.statePath).load();
  if (newest !== null) proveStateFits(newest, jobFingerprint(job), job.statePath);
  const schema = await learnSchema(job, fileSystem, io.clock);
  if (schema !== null) {
    // An inferred schema may lack what the job names.
    const problems = crossCheck({ ...job, source: { ...job.source, schema } });
    if (problems.length > 0) throw invalid(problems);
    await proveParts(job, schema, newest?.schema == null, fileSystem, io.clock);
  }
  print(file, job, schema, survey, output);
}

/** `sluice check --schema`: what a sample of the source shows, as YAML to paste, and how sure that is. */
export async function checkSchema(file: string, { io, output }: CommandContext): Promise<void> {
  const { job, fileSystem } = await loadJob(file, io);
  const sampled = await sampleSource(job, fileSystem, io.clock);
  if (sampled === null) {
    throw new SluiceError(
      'SCHEMA_UNKNOWN',
      'no schema can be inferred: the source has no file with anything in it',
      {
        hint: 'put a file there, or give source.format.schema in the job file',
      },
    );
  }
  const { schema, files, explain } = sampled;
  const evidence = explain();
  if (output.json) {
    output.document({ schema: rawSchema(schema), files, columns: evidence });
    return;
  }
  output.text(schemaYaml(schema));
  output.answer(`inferred from ${counted(files.length, 'file')}, about a megabyte of each:`);
  if (evidence.length > 0) output.answer(renderEvidence(schema, evidence));
}

function renderEvidence(schema: Schema, evidence: readonly ColumnEvidence[]): string {
  return renderTable(
    [{ title: 'column' }, { title: 'type' }, { title: 'no value', align: 'right' }, { title: 'seen' }],
    evidence.map(({ name, records, kinds }) => {
      const values = kinds.reduce((sum, kind) => sum + kind.values, 0);
      const type = schema.fields.find((field) => field.name === name)?.type;
      const missing = records === 0 ? 0 : Math.max(0, records - values) / records;
      return [
        name,
        type === undefined ? '' : formatDataType(type),
        `${(missing * 100).toFixed(1)} %`,
        kinds.map(({ kind, values: count, samples }) => `${count} ${kind}${shown(samples)}`).join('; '),
      ];
    }),
  );
}

function shown(samples: readonly string[]): string {
  return samples.length === 0 ? '' : ` (${samples.map((sample) => printable(sample)).join(', ')})`;
}

/** Makes what the sink is made of, so that a bad pattern or a module that does not load is found now. */
async function proveParts(
  job: CompiledJob,
  schema: Schema,
  isFirstStart: boolean,
  fileSystem: FileSystem,
  clock: Clock,
): Promise<void> {
  await createBucketAssigner(job.sink.bucket, rowSchema(job, schema, schema.fields.length));
  await createRollingPolicy(job.sink.rolling);
  if (isFirstStart) proveFolders(job, schema);
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
