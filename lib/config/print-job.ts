/** A compiled job as a job file that gives the same job: every default written out, paths absolute. */
import { stringify } from 'yaml';
import type { CompactionSpec, CompiledJob, TableSpec } from '../core/compiled-job.ts';
import type { Schema } from '../core/data-type.ts';
import { isS3Location, parentLocation } from '../core/location.ts';
import type {
  BucketSpec,
  EventTimeSpec,
  InputFormatSpec,
  NotificationSpec,
  OutputFormatSpec,
  PartitionCommitSpec,
  PartitionPolicySpec,
  PartitionTimeSpec,
  QuarantineSpec,
  RollingSpec,
  S3Spec,
  WatermarkSpec,
} from '../core/specs.ts';
import { rawStep } from './compile-step.ts';
import { escapeReferences } from './environment.ts';
import type { RawJob } from './job-definition.ts';
import { rawSchema } from './raw-schema.ts';
import { formatDuration, formatSize } from './units.ts';

/** @param schema the columns, where they are known although the job says `infer`: they are written out */
export function jobToYaml(job: CompiledJob, schema?: Schema): string {
  return stringify(escaped(rawJob(job, schema)), { lineWidth: 0, flowCollectionPadding: true });
}

/** The job in the shape of a job file. */
export function rawJob(job: CompiledJob, schema?: Schema): RawJob {
  const { source, sink, eventTime, quarantine } = job;
  return {
    version: 1,
    job: job.name,
    state: parentLocation(job.statePath),
    parallelism: job.parallelism,
    memory: formatSize(job.memoryBytes),
    checkpoint: { interval: formatDuration(job.checkpoint.intervalMs), retain: job.checkpoint.retain },
    shutdown_timeout: formatDuration(job.shutdownTimeoutMs),
    source: {
      path: source.paths.length === 1 ? (source.paths[0] ?? '') : [...source.paths],
      include: [...source.include],
      exclude: [...source.exclude],
      recursive: source.recursive,
      monitor_interval: formatDuration(source.monitorIntervalMs),
      watch: source.watch,
      ...(source.notifications === null ? {} : { notifications: rawNotifications(source.notifications) }),
      min_age: formatDuration(source.minAgeMs),
      modified: source.modified,
      on_replaced: source.onReplaced,
      rotation: source.rotation,
      split_size: formatSize(source.splitSizeBytes),
      max_record_size: formatSize(source.maxRecordBytes),
      format: rawInputFormat(source, schema ?? (source.schema === 'infer' ? null : source.schema)),
      after_commit:
        source.afterCommit.kind === 'move' ? { move: source.afterCommit.folder } : source.afterCommit.kind,
      limits: rawLimits(source.limits),
      lineage: [...source.lineage],
    },
    transform: job.transform.map(rawStep),
    ...(eventTime === null ? {} : { event_time: rawEventTime(eventTime, job.watermarks) }),
    sink: {
      path: sink.path,
      ...(sink.staging === null ? {} : { staging: sink.staging }),
      format: rawOutputFormat(sink.format),
      bucket: rawBucket(sink.bucket),
      ...(sink.partitionTime === null ? {} : { partition_time: rawPartitionTime(sink.partitionTime) }),
      rolling: rawRolling(sink.rolling),
      ...(sink.partitionCommit === null
        ? {}
        : { partition_commit: rawPartitionCommit(sink.partitionCommit) }),
      ...(sink.compaction === null ? {} : { compaction: rawCompaction(sink.compaction) }),
      ...(sink.table === null ? {} : { table: rawTable(sink.table) }),
      part: { prefix: sink.partPrefix, ...(sink.partSuffix === null ? {} : { suffix: sink.partSuffix }) },
      bucket_check_interval: formatDuration(sink.bucketCheckIntervalMs),
    },
    ...(quarantine === null ? {} : { quarantine: rawQuarantine(quarantine) }),
    ...(usesS3(job) ? { s3: rawS3(job.s3) } : {}),
  };
}

function usesS3({ source, sink, statePath, quarantine }: CompiledJob): boolean {
  const paths = [...source.paths, sink.path, statePath, ...(quarantine === null ? [] : [quarantine.path])];
  return paths.some(isS3Location);
}

function rawS3(s3: S3Spec): NonNullable<RawJob['s3']> {
  return {
    ...(s3.endpoint === null ? {} : { endpoint: s3.endpoint }),
    ...(s3.region === null ? {} : { region: s3.region }),
    path_style: s3.pathStyle,
    ...(s3.profile === null ? {} : { profile: s3.profile }),
    requester_pays: s3.requesterPays,
    checksum: s3.checksum,
    conditional_writes: s3.conditionalWrites,
    part_bytes: formatSize(s3.partBytes),
    concurrent_uploads: s3.concurrentUploads,
    encryption: s3.encryption,
    ...(s3.kmsKey === null ? {} : { kms_key: s3.kmsKey }),
    ...(s3.storageClass === null ? {} : { storage_class: s3.storageClass }),
    tags: { ...s3.tags },
    request_timeout: formatDuration(s3.requestTimeoutMs),
    retry_timeout: formatDuration(s3.retryTimeoutMs),
    ...(s3.spoolFolder === null ? {} : { spool: s3.spoolFolder }),
  };
}

function rawNotifications(spec: NotificationSpec): NonNullable<RawJob['source']['notifications']> {
  if (spec.type === 'sqs') {
    const { type, queueUrl, endpoint, region } = spec;
    return {
      type,
      queue_url: queueUrl,
      ...(endpoint === null ? {} : { endpoint }),
      ...(region === null ? {} : { region }),
    };
  }
  const { type, host, port, token } = spec;
  const listen = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return { type, listen, ...(token === null ? {} : { token: SECRET }) };
}

function rawLimits(limits: CompiledJob['source']['limits']): NonNullable<RawJob['source']['limits']> {
  const { filesPerCheckpoint, bytesPerCheckpoint, bytesPerSecond } = limits;
  return {
    ...(filesPerCheckpoint === null ? {} : { files_per_checkpoint: filesPerCheckpoint }),
    ...(bytesPerCheckpoint === null ? {} : { bytes_per_checkpoint: formatSize(bytesPerCheckpoint) }),
    ...(bytesPerSecond === null ? {} : { bytes_per_second: formatSize(bytesPerSecond) }),
  };
}

/** A schema as YAML to paste under `source.format`. */
export function schemaYaml(schema: Schema): string {
  return stringify({ schema: rawSchema(schema) }, { lineWidth: 0, flowCollectionPadding: true });
}

function rawInputFormat(source: CompiledJob['source'], schema: Schema | null): RawJob['source']['format'] {
  const format: InputFormatSpec = source.format;
  const { maxRecords, maxRatio } = source.badRecordLimits;
  const badRecords = {
    on_bad_record: source.onBadRecord,
    ...(maxRecords === null ? {} : { max_bad_records: maxRecords }),
    ...(maxRatio === null ? {} : { max_bad_ratio: maxRatio }),
  };
  const policies = {
    ...badRecords,
    on_new_field: source.drift.newField,
    on_type_mismatch: source.drift.mismatch,
    schema: schema === null ? 'infer' : rawSchema(schema),
  };
  switch (format.type) {
    case 'ndjson':
      return { type: 'ndjson', compression: format.compression, ...policies };
    case 'csv':
      return {
        type: 'csv',
        compression: format.compression,
        delimiter: format.delimiter,
        quote: format.quote,
        header: format.header,
        ...(format.columns === null ? {} : { columns: [...format.columns] }),
        ...(format.nullText === null ? {} : { null_text: format.nullText }),
        quoted_newlines: format.quotedNewlines,
        ...policies,
      };
    case 'text':
      return {
        type: 'text',
        compression: format.compression,
        column: format.column,
        ...badRecords,
      };
    case 'parquet':
      return { type: 'parquet', ...badRecords, schema: policies.schema };
    case 'arrow':
      return { type: 'arrow', ...badRecords, schema: policies.schema };
    case 'json':
      return { type: 'json', compression: format.compression, ...badRecords, schema: policies.schema };
    case 'avro':
      return { type: 'avro', compression: format.compression, ...badRecords, schema: policies.schema };
  }
}

function rawOutputFormat(format: OutputFormatSpec): NonNullable<RawJob['sink']['format']> {
  switch (format.type) {
    case 'parquet':
      return rawParquet(format);
    case 'ndjson':
      return rawNdjson(format);
    case 'csv':
      return {
        type: 'csv',
        compression: format.compression,
        dialect: format.dialect,
        delimiter: format.delimiter,
        header: format.header,
        null_text: format.nullText,
      };
    case 'text':
      return {
        type: 'text',
        compression: format.compression,
        ...(format.column === null ? {} : { column: format.column }),
      };
    case 'avro':
      return {
        type: 'avro',
        compression: format.compression,
        ...(format.level === null ? {} : { level: format.level }),
      };
    case 'arrow':
      return { type: 'arrow' };
  }
}

function rawQuarantine({ path: folder, format, rolling }: QuarantineSpec): NonNullable<RawJob['quarantine']> {
  return {
    path: folder,
    format: format.type === 'parquet' ? rawParquet(format) : rawNdjson(format),
    rolling: rawRolling(rolling),
  };
}

type RawOutput<Type extends string> = Extract<NonNullable<RawJob['sink']['format']>, { type: Type }>;

function rawParquet(format: Extract<OutputFormatSpec, { type: 'parquet' }>): RawOutput<'parquet'> {
  return {
    type: 'parquet',
    engine: format.engine,
    compression: format.compression,
    row_group_size: formatSize(format.rowGroupBytes),
    page_size: formatSize(format.pageBytes),
    ...(format.level === undefined ? {} : { level: format.level }),
    dictionary: typeof format.dictionary === 'object' ? [...format.dictionary] : (format.dictionary ?? true),
    bloom_filter: [...(format.bloomFilter ?? [])],
    sort_by: [...(format.sortBy ?? [])],
  };
}

function rawNdjson(format: Extract<OutputFormatSpec, { type: 'ndjson' }>): RawOutput<'ndjson'> {
  return { type: 'ndjson', compression: format.compression, dialect: format.dialect };
}

function rawBucket(bucket: BucketSpec): NonNullable<RawJob['sink']['bucket']> {
  switch (bucket.type) {
    case 'base_path':
      return { type: 'base_path' };
    case 'datetime':
      return { type: 'datetime', time: bucket.time, pattern: bucket.pattern, zone: bucket.zone };
    case 'fields':
      return {
        type: 'fields',
        fields: bucket.fields.map(({ name, column, transform }) =>
          name === column && transform === 'value' && !name.includes(':')
            ? name
            : { [name]: `${column}:${transform}` },
        ),
        keep_fields: bucket.keepFields,
      };
    case 'custom':
      return { type: 'custom', module: bucket.module, options: bucket.options };
  }
}

function rawCompaction(compaction: CompactionSpec): NonNullable<RawJob['sink']['compaction']> {
  const { daemon, targetBytes, maxSmallParts, quietMs, bytesPerSecond, keepReplacedMs, sortBy } = compaction;
  return {
    daemon,
    target_size: formatSize(targetBytes),
    max_small_parts: maxSmallParts,
    quiet: formatDuration(quietMs),
    bandwidth: formatSize(bytesPerSecond),
    keep_replaced: formatDuration(keepReplacedMs),
    sort_by: [...sortBy],
  };
}

function rawTable(table: TableSpec): NonNullable<RawJob['sink']['table']> {
  return table.type === 'delta'
    ? { type: 'delta', checkpoint_every: table.checkpointEvery }
    : { type: 'manifest' };
}

function rawRolling(rolling: RollingSpec): NonNullable<RawJob['sink']['rolling']> {
  if (rolling.type === 'custom') return { type: 'custom', module: rolling.module, options: rolling.options };
  return {
    part_size: formatSize(rolling.partSizeBytes),
    rollover_interval: formatDuration(rolling.rolloverIntervalMs),
    inactivity_interval: formatDuration(rolling.inactivityIntervalMs),
    ...(rolling.maxRows === null ? {} : { max_rows: rolling.maxRows }),
    on_checkpoint: rolling.onCheckpoint,
    ...(rolling.watermarkDelayMs === null ? {} : { watermark: formatDuration(rolling.watermarkDelayMs) }),
  };
}

function rawEventTime(
  eventTime: EventTimeSpec,
  watermarks: WatermarkSpec,
): NonNullable<RawJob['event_time']> {
  const { maxOutOfOrdernessMs, idleTimeoutMs, late, allowedLatenessMs } = watermarks;
  return {
    field: eventTime.column,
    unit: eventTime.unit,
    max_out_of_orderness: formatDuration(maxOutOfOrdernessMs),
    ...(idleTimeoutMs === null ? {} : { idle_timeout: formatDuration(idleTimeoutMs) }),
    late,
    allowed_lateness: formatDuration(allowedLatenessMs),
  };
}

function rawPartitionCommit(commit: PartitionCommitSpec): NonNullable<RawJob['sink']['partition_commit']> {
  const { attempts, minBackoffMs, maxBackoffMs } = commit.retry;
  return {
    trigger: commit.trigger,
    delay: formatDuration(commit.delayMs),
    policies: commit.policies.map(rawPartitionPolicy),
    retry: {
      attempts,
      min_backoff: formatDuration(minBackoffMs),
      max_backoff: formatDuration(maxBackoffMs),
    },
  };
}

type RawPolicy = NonNullable<RawJob['sink']['partition_commit']>['policies'][number];

function rawPartitionPolicy(policy: PartitionPolicySpec): RawPolicy {
  switch (policy.type) {
    case 'success_file':
      return { type: 'success_file', name: policy.name };
    case 'custom':
      return { type: 'custom', module: policy.module, options: policy.options };
    case 'command':
      return { type: 'command', command: [...policy.command], timeout: formatDuration(policy.timeoutMs) };
    case 'webhook': {
      const { type, url, headers, timeoutMs } = policy;
      return { type, url, headers: withoutValues(headers), timeout: formatDuration(timeoutMs) };
    }
    case 'metastore': {
      const { type, url, database, table, location, timeoutMs } = policy;
      const timeout = formatDuration(timeoutMs);
      return { type, url, database, table, ...(location === null ? {} : { location }), timeout };
    }
    case 'trino':
    case 'presto': {
      const { type, method, location, headers, timeoutMs, ...rest } = policy;
      const shared = {
        ...rest,
        ...(location === null ? {} : { location }),
        headers: withoutValues(headers),
        timeout: formatDuration(timeoutMs),
      };
      return type === 'trino' ? { type, method, ...shared } : { type, ...shared };
    }
  }
}

function rawPartitionTime(time: PartitionTimeSpec): NonNullable<RawJob['sink']['partition_time']> {
  const { pattern, format, zone, spanMs } = time;
  return { pattern, ...(format === null ? {} : { format }), zone, span: formatDuration(spanMs) };
}

/** Values, at any depth, whose text would be taken for references to the environment. */
function escaped(value: unknown): unknown {
  if (typeof value === 'string') return escapeReferences(value);
  if (Array.isArray(value)) return value.map(escaped);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, escaped(each)]));
}

/** In place of what nobody may see. */
const SECRET = '***';

/** Headers carry tokens, which nobody wants to find in a terminal's history or a bug report. */
function withoutValues(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.keys(headers).map((name) => [name, SECRET]));
}
