/** A subtask's sink from a job's description. */
import { type BucketTimes, createBucketAssigner, createBucketTimes } from '../../bucketing/index.ts';
import { createOutputFormat, type OutputFormatOptions } from '../../formats/output-format.ts';
import { createRollingPolicy } from '../../rolling/index.ts';
import type { BucketAssigner } from '../core/bucket-assigner.ts';
import type { Clock } from '../core/clock.ts';
import type { CompiledJob } from '../core/compiled-job.ts';
import type { Schema } from '../core/data-type.ts';
import type { BulkFormat } from '../core/encoder.ts';
import { SluiceError } from '../core/errors.ts';
import { schemaFingerprint } from '../core/schema-fingerprint.ts';
import type { OutputFormatSpec } from '../core/specs.ts';
import type { StageClock } from '../core/stage-clock.ts';
import { Buckets } from '../sink/buckets.ts';
import { EvolvingSink } from '../sink/evolving-sink.ts';
import { ROW_FLUSH_BYTES, rowPartFormat } from '../sink/row-part-writer.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { keepsRows } from '../transform/row-transform.ts';
import type { SubtaskConfig } from './subtask-config.ts';

/** @param rows the columns of the rows that are written */
export async function createSink(
  config: SubtaskConfig,
  rows: Schema,
  fileSystem: FileSystem,
  clock: Clock,
  stages: StageClock,
): Promise<EvolvingSink> {
  const current = await createBuckets(config, rows, fileSystem, clock, stages);
  const nextCounter = Math.max(0, ...config.restored.map((state) => state.nextCounter));
  await current.restore({ nextCounter, openParts: [] });
  const retired: Buckets[] = [];
  for (const state of config.restored) {
    if (state.openParts.length === 0) continue;
    if (state.schema === undefined || schemaFingerprint(state.schema) === schemaFingerprint(current.schema)) {
      await current.restore(state);
      continue;
    }
    // The job file or its schema has changed since: these parts end as they began.
    const old = await createBucketsOf(config, state.schema, null, fileSystem, clock, stages);
    await old.restore(state);
    retired.push(old);
  }
  return new EvolvingSink(current, retired, nextCounter);
}

/** What rows of a schema are written to. */
export async function createBuckets(
  config: SubtaskConfig,
  schema: Schema,
  fileSystem: FileSystem,
  clock: Clock,
  stages: StageClock,
): Promise<Buckets> {
  const assigner = await createBucketAssigner(config.job.sink.bucket, schema);
  const partSchema = withoutColumns(schema, assigner.partitionColumns);
  return createBucketsOf(config, partSchema, assigner, fileSystem, clock, stages);
}

/** @param assigner null where no rows are written, only open parts closed */
async function createBucketsOf(
  config: SubtaskConfig,
  partSchema: Schema,
  assigner: BucketAssigner | null,
  fileSystem: FileSystem,
  clock: Clock,
  stages: StageClock,
): Promise<Buckets> {
  const { job, jobId, runId, subtask } = config;
  const { sink } = job;
  const format = await createPartFormat(sink.format, partSchema, {
    passThrough: passesThrough(config, partSchema),
    stages,
    memoryBytes: config.memoryBytes,
  });
  return new Buckets({
    path: sink.path,
    staging: sink.staging,
    naming: { prefix: sink.partPrefix, jobId, suffix: sink.partSuffix ?? format.extension },
    subtask,
    schema: partSchema,
    format,
    assigner: assigner ?? { partitionColumns: [], assign: () => ({ codes: new Int32Array(0), ids: [] }) },
    policy: await createRollingPolicy(sink.rolling),
    memoryBytes: config.memoryBytes,
    flushBytes: flushBytes(sink.format, config.memoryBytes),
    fileSystem,
    segmentsFolder: config.segmentsFolder,
    runId,
    clock,
    bucketTimes: bucketTimesOf(job),
    maxOutOfOrdernessMs: job.watermarks.maxOutOfOrdernessMs,
    late: {
      // Whoever replays records wants them, and most are late by then.
      keep: job.watermarks.late !== 'drop' || config.replay,
      allowedLatenessMs: job.watermarks.allowedLatenessMs,
    },
    stages,
    checkpointId: config.checkpointId,
  });
}

/**
 * How the job's buckets tell their event time; null where they tell none and nothing needs it.
 * @throws SluiceError JOB_INVALID where something needs it
 */
export function bucketTimesOf({ eventTime, sink, watermarks }: CompiledJob): BucketTimes | null {
  const times = createBucketTimes(sink.bucket, eventTime, sink.partitionTime);
  const { rolling, partitionCommit } = sink;
  const needed =
    watermarks.late !== 'keep' ||
    partitionCommit?.trigger === 'partition_time' ||
    (rolling.type === 'default' && rolling.watermarkDelayMs !== null);
  if (times === null && needed) {
    throw new SluiceError(
      'JOB_INVALID',
      'the time of a bucket cannot be read out of the name of its folder',
      {
        hint: 'take a bucket.pattern that tells the day, or say how with sink.partition_time',
      },
    );
  }
  return times;
}

export async function createPartFormat(
  spec: OutputFormatSpec,
  schema: Schema,
  options: OutputFormatOptions & { readonly stages: StageClock },
): Promise<BulkFormat> {
  const output = await createOutputFormat(spec, options);
  return output.kind === 'bulk'
    ? output.format
    : rowPartFormat(output.format, output.compressor, schema, options);
}

/**
 * Whether rows may be copied as the bytes they came in: the lines of NDJSON, where nothing of them changes on the way.
 */
export function passesThrough(
  config: Pick<SubtaskConfig, 'job' | 'schema' | 'replay'>,
  partSchema: Schema,
): boolean {
  const { source, sink } = config.job;
  return (
    !config.replay &&
    keepsRows(config.job) &&
    source.drift.newField === 'ignore' &&
    source.drift.mismatch !== 'rescue' &&
    source.drift.mismatch !== 'widen' &&
    source.format.type === 'ndjson' &&
    sink.format.type === 'ndjson' &&
    sink.format.dialect === 'standard' &&
    partSchema.fields.length === config.schema.fields.length
  );
}

export function flushBytes(format: OutputFormatSpec, memoryBytes: number): number {
  return format.type === 'parquet' ? Math.min(format.rowGroupBytes, memoryBytes / 4) : ROW_FLUSH_BYTES;
}

/** The schema of the part files: columns whose values stand in the folder's name are not repeated in the file. */
export function withoutColumns(schema: Schema, names: readonly string[]): Schema {
  if (names.length === 0) return schema;
  const fields = schema.fields.filter((field) => !names.includes(field.name));
  if (fields.length === 0) {
    throw new SluiceError(
      'JOB_INVALID',
      'every column is a partition column: nothing is left for the part files',
      {
        hint: 'set bucket.keep_fields: true',
      },
    );
  }
  return { fields };
}
