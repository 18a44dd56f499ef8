/** Validated to compiled: paths absolute, options as the specs of lib/core, schema in hand. */
import type { AfterCommit, CompactionSpec, CompiledJob, TableSpec } from '../core/compiled-job.ts';
import type { Schema } from '../core/data-type.ts';
import type { Expression } from '../core/expression.ts';
import { joinLocation, resolveLocation } from '../core/location.ts';
import type {
  BucketSpec,
  InputFormatSpec,
  OutputFormatSpec,
  PartitionCommitSpec,
  PartitionPolicySpec,
  QuarantineSpec,
  RollingSpec,
  SchemaSpec,
} from '../core/specs.ts';
import { compileS3 } from './compile-s3.ts';
import { compileStep } from './compile-step.ts';
import type { Environment } from './environment.ts';
import type { ValidatedJob } from './job-definition.ts';
import { compileNotifications } from './notifications-section.ts';

type SourceFormat = ValidatedJob['source']['format'];

export interface CompileContext {
  /** Absolute folder that relative paths are relative to: the job file's. */
  readonly folder: string;
  /** What `source.format.schema` stands for, its file read. */
  readonly schema: SchemaSpec;
  /** Cores there are. */
  readonly parallelism: number;
  readonly environment: Environment;
  /** Conditions of `transform`, parsed, by step. */
  readonly filters: ReadonlyMap<number, Expression>;
}

export function compileJob(job: ValidatedJob, context: CompileContext): CompiledJob {
  const absolute = (given: string) => resolveLocation(context.folder, given);
  const { source, sink } = job;
  const s3 = compileS3(job.s3, context.environment, absolute);
  return {
    name: job.job,
    statePath: joinLocation(absolute(job.state), job.job),
    parallelism: job.parallelism ?? context.parallelism,
    memoryBytes: job.memory,
    checkpoint: { intervalMs: job.checkpoint.interval, retain: job.checkpoint.retain },
    shutdownTimeoutMs: job.shutdown_timeout,
    source: {
      paths: (typeof source.path === 'string' ? [source.path] : source.path).map(absolute),
      include: source.include,
      exclude: source.exclude,
      recursive: source.recursive,
      monitorIntervalMs: source.monitor_interval,
      watch: source.watch,
      notifications: compileNotifications(source.notifications, s3),
      minAgeMs: source.min_age,
      modified: source.modified,
      onReplaced: source.on_replaced,
      rotation: source.rotation,
      splitSizeBytes: source.split_size,
      maxRecordBytes: source.max_record_size,
      onBadRecord: source.format.on_bad_record,
      badRecordLimits: {
        maxRecords: source.format.max_bad_records ?? null,
        maxRatio: source.format.max_bad_ratio ?? null,
      },
      drift: {
        newField: 'on_new_field' in source.format ? source.format.on_new_field : 'ignore',
        mismatch: 'on_type_mismatch' in source.format ? source.format.on_type_mismatch : 'bad_record',
      },
      format: compileInputFormat(source.format),
      schema: context.schema,
      afterCommit: compileAfterCommit(source.after_commit, absolute),
      limits: {
        filesPerCheckpoint: source.limits.files_per_checkpoint ?? null,
        bytesPerCheckpoint: source.limits.bytes_per_checkpoint ?? null,
        bytesPerSecond: source.limits.bytes_per_second ?? null,
      },
      lineage: source.lineage,
    },
    transform: job.transform.map((step, i) => compileStep(step, context.filters.get(i), absolute)),
    eventTime:
      job.event_time === undefined ? null : { column: job.event_time.field, unit: job.event_time.unit },
    watermarks: {
      maxOutOfOrdernessMs: job.event_time?.max_out_of_orderness ?? 0,
      idleTimeoutMs: job.event_time?.idle_timeout ?? null,
      late: job.event_time?.late ?? 'keep',
      allowedLatenessMs: job.event_time?.allowed_lateness ?? 0,
    },
    sink: {
      path: absolute(sink.path),
      staging: sink.staging === undefined ? null : absolute(sink.staging),
      format: compileOutputFormat(sink.format),
      bucket: compileBucket(sink.bucket, absolute),
      partitionTime:
        sink.partition_time === undefined
          ? null
          : {
              pattern: sink.partition_time.pattern,
              format: sink.partition_time.format ?? null,
              zone: sink.partition_time.zone,
              spanMs: sink.partition_time.span,
            },
      rolling: compileRolling(sink.rolling, absolute),
      partitionCommit: compilePartitionCommit(sink.partition_commit, absolute),
      partPrefix: sink.part.prefix,
      partSuffix: sink.part.suffix ?? null,
      compaction: compileCompaction(sink.compaction, sink.table !== undefined),
      table: compileTable(sink.table),
      bucketCheckIntervalMs: sink.bucket_check_interval,
    },
    quarantine: job.quarantine === undefined ? null : compileQuarantine(job.quarantine, absolute),
    s3,
  };
}

function compileAfterCommit(
  given: ValidatedJob['source']['after_commit'],
  absolute: (path: string) => string,
): AfterCommit {
  if (typeof given === 'object') return { kind: 'move', folder: absolute(given.move) };
  return { kind: given };
}

function compileInputFormat(format: SourceFormat): InputFormatSpec {
  // A file of this kind compresses inside.
  if (format.type === 'parquet' || format.type === 'arrow') return { type: format.type, compression: 'none' };
  const { compression } = format;
  switch (format.type) {
    case 'ndjson':
      return { type: 'ndjson', compression };
    case 'csv':
      return {
        type: 'csv',
        compression,
        delimiter: format.delimiter,
        quote: format.quote,
        header: format.header,
        columns: format.columns ?? null,
        nullText: format.null_text ?? null,
        quotedNewlines: format.quoted_newlines,
      };
    case 'text':
      return { type: 'text', compression, column: format.column };
    case 'avro':
    case 'json':
      return { type: format.type, compression };
  }
}

function compileOutputFormat(format: ValidatedJob['sink']['format']): OutputFormatSpec {
  switch (format.type) {
    case 'parquet':
      return compileParquet(format);
    case 'ndjson':
      return compileNdjson(format);
    case 'csv':
      return {
        type: 'csv',
        compression: format.compression,
        dialect: format.dialect,
        delimiter: format.delimiter,
        // Hive's tables have no header line: their readers would take it for a row.
        header: format.header ?? format.dialect !== 'hive',
        nullText: format.null_text,
      };
    case 'text':
      return { type: 'text', compression: format.compression, column: format.column ?? null };
    case 'avro':
      return { type: 'avro', compression: format.compression, level: format.level ?? null };
    case 'arrow':
      return { type: 'arrow', compression: 'none' };
  }
}

function compileQuarantine(
  { path: folder, format, rolling }: NonNullable<ValidatedJob['quarantine']>,
  absolute: (given: string) => string,
): QuarantineSpec {
  return {
    path: absolute(folder),
    format: format.type === 'parquet' ? compileParquet(format) : compileNdjson(format),
    rolling: compileRolling(rolling, absolute),
  };
}

type OutputOf<Type extends string> = Extract<ValidatedJob['sink']['format'], { type: Type }>;

function compileParquet(format: OutputOf<'parquet'>): Extract<OutputFormatSpec, { type: 'parquet' }> {
  return {
    type: 'parquet',
    engine: format.engine,
    compression: format.compression,
    rowGroupBytes: format.row_group_size,
    pageBytes: format.page_size,
    ...(format.level === undefined ? {} : { level: format.level }),
    ...(format.dictionary === true ? {} : { dictionary: format.dictionary }),
    ...(format.bloom_filter.length === 0 ? {} : { bloomFilter: format.bloom_filter }),
    ...(format.sort_by.length === 0 ? {} : { sortBy: format.sort_by }),
  };
}

function compileNdjson(format: OutputOf<'ndjson'>): Extract<OutputFormatSpec, { type: 'ndjson' }> {
  return { type: 'ndjson', compression: format.compression, dialect: format.dialect };
}

function compileBucket(
  bucket: ValidatedJob['sink']['bucket'],
  absolute: (given: string) => string,
): BucketSpec {
  switch (bucket.type) {
    case 'base_path':
      return { type: 'base_path' };
    case 'datetime':
      return { type: 'datetime', time: bucket.time, pattern: bucket.pattern, zone: bucket.zone };
    case 'fields':
      return { type: 'fields', fields: bucket.fields, keepFields: bucket.keep_fields };
    case 'custom':
      return {
        type: 'custom',
        module: absolute(bucket.module),
        options: bucket.options ?? null,
      };
  }
}

function compileTable(table: ValidatedJob['sink']['table']): TableSpec | null {
  if (table === undefined) return null;
  return table.type === 'delta'
    ? { type: 'delta', checkpointEvery: table.checkpoint_every }
    : { type: 'manifest' };
}

/** What is read by a table is kept for those who planned by an older version of it. */
const KEEP_REPLACED_MS = 600_000;

function compileCompaction(
  compaction: ValidatedJob['sink']['compaction'],
  hasTable: boolean,
): CompactionSpec | null {
  if (compaction === undefined) return null;
  return {
    daemon: compaction.daemon,
    targetBytes: compaction.target_size,
    maxSmallParts: compaction.max_small_parts,
    quietMs: compaction.quiet,
    bytesPerSecond: compaction.bandwidth,
    keepReplacedMs: compaction.keep_replaced ?? (hasTable ? KEEP_REPLACED_MS : 0),
    sortBy: compaction.sort_by,
  };
}

function compileRolling(
  rolling: ValidatedJob['sink']['rolling'],
  absolute: (given: string) => string,
): RollingSpec {
  if (rolling.type === 'custom') {
    return {
      type: 'custom',
      module: absolute(rolling.module),
      options: rolling.options ?? null,
    };
  }
  return {
    type: 'default',
    partSizeBytes: rolling.part_size,
    rolloverIntervalMs: rolling.rollover_interval,
    inactivityIntervalMs: rolling.inactivity_interval,
    maxRows: rolling.max_rows ?? null,
    onCheckpoint: rolling.on_checkpoint,
    watermarkDelayMs: rolling.watermark ?? null,
  };
}

function compilePartitionCommit(
  commit: ValidatedJob['sink']['partition_commit'],
  absolute: (given: string) => string,
): PartitionCommitSpec | null {
  if (commit === undefined) return null;
  const { attempts, min_backoff, max_backoff } = commit.retry;
  return {
    trigger: commit.trigger,
    delayMs: commit.delay,
    policies: commit.policies.map((policy) => compilePartitionPolicy(policy, absolute)),
    retry: { attempts, minBackoffMs: min_backoff, maxBackoffMs: Math.max(min_backoff, max_backoff) },
  };
}

function compilePartitionPolicy(
  policy: NonNullable<ValidatedJob['sink']['partition_commit']>['policies'][number],
  absolute: (given: string) => string,
): PartitionPolicySpec {
  switch (policy.type) {
    case 'success_file':
      return { type: 'success_file', name: policy.name };
    case 'custom':
      return { type: 'custom', module: absolute(policy.module), options: policy.options ?? null };
    case 'metastore': {
      const { type, url, database, table, location = null, timeout } = policy;
      return { type, url, database, table, location, timeoutMs: timeout };
    }
    case 'trino':
    case 'presto': {
      const { type, url, user, catalog, schema, table, location = null, headers, timeout } = policy;
      const method = policy.type === 'trino' ? policy.method : 'sync';
      return { type, url, user, catalog, schema, table, method, location, headers, timeoutMs: timeout };
    }
    case 'webhook':
      return { type: 'webhook', url: policy.url, headers: policy.headers, timeoutMs: policy.timeout };
    case 'command':
      return { type: 'command', command: policy.command, timeoutMs: policy.timeout };
  }
}

/** The schema of `source.format` where the job file itself says it; a path where it is in a file of its own. */
export function givenSchema(format: SourceFormat): { readonly path: string } | SchemaSpec {
  const schema = format.type === 'text' ? 'infer' : format.schema;
  if (schema === 'infer') return 'infer';
  return typeof schema === 'string' ? { path: schema } : { fields: schema };
}

export function isSchema(given: { readonly path: string } | SchemaSpec): given is Schema {
  return typeof given === 'object' && 'fields' in given;
}
