/** What no single key can know: whether the parts of a job fit each other. */
import type { CompiledJob } from '../core/compiled-job.ts';
import { isS3Location } from '../core/location.ts';
import { append } from './append-check.ts';
import {
  columnsOfCsv,
  duplicateColumns,
  eventTime,
  lineage,
  partitionFields,
  textColumn,
  transform,
} from './column-checks.ts';
import { deduplicate } from './deduplicate-check.ts';
import { isLoopback } from './notifications-section.ts';
import type { KeyPath, Problem } from './problems.ts';

type Check = (job: CompiledJob) => Iterable<Problem>;

/** Problems of a job that is valid key by key. */
export function crossCheck(job: CompiledJob): Problem[] {
  return [
    duplicateColumns,
    lineage,
    transform,
    columnsOfCsv,
    eventTime,
    bucketTimes,
    partitionPolicies,
    partitionFields,
    textColumn,
    csvCharacters,
    codecs,
    deltaTable,
    quarantine,
    append,
    afterCommit,
    objectStores,
    notifications,
    deduplicate,
  ].flatMap((check: Check) => [...check(job)]);
}

/** What goes by the event time of buckets needs buckets that tell it. */
function* bucketTimes(job: CompiledJob): Iterable<Problem> {
  const { sink, watermarks } = job;
  const needs: [KeyPath, string][] = [];
  if (sink.rolling.type === 'default' && sink.rolling.watermarkDelayMs !== null)
    needs.push([['sink', 'rolling', 'watermark'], 'closing parts by the watermark']);
  if (sink.partitionCommit?.trigger === 'partition_time')
    needs.push([['sink', 'partition_commit', 'trigger'], 'announcing partitions by their time']);
  if (watermarks.late !== 'keep') needs.push([['event_time', 'late'], 'telling late rows']);
  for (const [path, what] of needs) {
    if (job.eventTime === null)
      yield { path, message: `${what} needs \`event_time: {field: ...}\`, which says what time it is` };
    else if (!tellsTime(job)) {
      yield {
        path,
        message: `${what} needs buckets that tell their event time: \`bucket.time: event\`, a field \`{dt: '${job.eventTime.column}:date'}\`, or \`partition_time\``,
      };
    }
  }
}

/** A metastore knows partitions by the names of their columns. */
function* partitionPolicies({ sink }: CompiledJob): Iterable<Problem> {
  const { bucket, partitionCommit } = sink;
  const plain = bucket.type === 'base_path' || (bucket.type === 'datetime' && !allKeyed(bucket.pattern));
  for (const [i, { type }] of (partitionCommit?.policies ?? []).entries()) {
    if (!plain || !['metastore', 'trino', 'presto'].includes(type)) continue;
    yield {
      path: ['sink', 'partition_commit', 'policies', i],
      message: `\`${type}\` needs \`key=value\` folders: \`bucket.type: fields\`, or a pattern such as 'dt='yyyy-MM-dd`,
    };
  }
}

/** Whether each level of a pattern begins with a quoted `key=`. */
function allKeyed(pattern: string): boolean {
  return pattern.split('/').every((level) => /^'?'[^'=]+='/.test(level.replace(/^''/, '')));
}

/** Whether buckets tell their event time, as far as that can be seen without trying their pattern. */
function tellsTime({ eventTime: time, sink }: CompiledJob): boolean {
  const { bucket, partitionTime } = sink;
  if (partitionTime !== null) return true;
  if (bucket.type === 'datetime') return bucket.time === 'event';
  return (
    bucket.type === 'fields' &&
    bucket.fields.some(({ column, transform }) => column === time?.column && transform === 'date')
  );
}

function* csvCharacters({ source }: CompiledJob): Iterable<Problem> {
  const { format } = source;
  if (format.type === 'csv' && format.delimiter === format.quote) {
    yield {
      path: ['source', 'format', 'delimiter'],
      message: '`delimiter` and `quote` are the same character',
    };
  }
}

function* quarantine({ source, quarantine, watermarks }: CompiledJob): Iterable<Problem> {
  if (quarantine !== null) return;
  const message = '`quarantine` needs `quarantine: {path: ...}`, which says where refused records go';
  if (watermarks.late === 'quarantine') yield { path: ['event_time', 'late'], message };
  const { onBadRecord, drift } = source;
  if (onBadRecord !== 'quarantine' && drift.mismatch !== 'quarantine') return;
  yield {
    path: ['source', 'format', onBadRecord === 'quarantine' ? 'on_bad_record' : 'on_type_mismatch'],
    message,
  };
}

function* codecs({ sink }: CompiledJob): Iterable<Problem> {
  const { format } = sink;
  if (format.type === 'avro' || format.type === 'parquet') {
    const path = ['sink', 'format', 'level'];
    const { compression, level } = format;
    const most = compression === 'zstd' ? 22 : compression === 'gzip' || compression === 'deflate' ? 9 : 0;
    if ((level ?? 0) > most)
      yield {
        path,
        message: most === 0 ? `${compression} has no levels` : `${compression} has levels 1 to ${most}`,
      };
  }
  if (format.type === 'parquet' && format.engine === 'parquetjs') {
    const { dictionary = true, bloomFilter = [], sortBy = [], level } = format;
    const asked = {
      level: level !== undefined,
      dictionary: dictionary !== true,
      bloom_filter: bloomFilter.length > 0,
      sort_by: sortBy.length > 0,
    };
    for (const [key, isAsked] of Object.entries(asked))
      if (isAsked)
        yield { path: ['sink', 'format', key], message: 'the engine parquetjs has no such option' };
  }
  if (format.type === 'parquet' && format.engine === 'parquetjs' && format.compression === 'zstd') {
    yield {
      path: ['sink', 'format', 'compression'],
      message: 'the engine parquetjs writes none, snappy and gzip',
    };
  }
}

/** What a Delta log can say of a lake. */
function* deltaTable({ source, sink }: CompiledJob): Iterable<Problem> {
  if (sink.table?.type !== 'delta') return;
  if (sink.format.type !== 'parquet')
    yield {
      path: ['sink', 'format', 'type'],
      message: 'a Delta table holds Parquet files: `format: parquet`',
    };
  if (sink.bucket.type === 'custom') {
    yield {
      path: ['sink', 'bucket', 'type'],
      message: 'a Delta table has to know its partition columns, and a custom assigner does not tell them',
    };
  }
  if (source.drift.mismatch === 'widen') {
    yield {
      path: ['source', 'format', 'on_type_mismatch'],
      message:
        'columns of a Delta table keep their types: most readers cannot read older parts as a wider one. Choose rescue, quarantine or bad_record',
    };
  }
}

function* afterCommit({ source }: CompiledJob): Iterable<Problem> {
  const { afterCommit, paths } = source;
  if (afterCommit.kind !== 'move') return;
  for (const each of paths) {
    // A glob's fixed part is a prefix of it as well, so this holds for globs too.
    if (`${afterCommit.folder}/`.startsWith(`${each}/`)) {
      yield {
        path: ['source', 'after_commit', 'move'],
        message: `${afterCommit.folder} is in the source ${each}: files moved there would be read again`,
      };
    }
  }
}

/** Numbers of parts that an upload has, with room for those that a restart leaves out. */
const MAX_UPLOAD_PARTS = 5000;

function* objectStores({ statePath, source, sink, s3 }: CompiledJob): Iterable<Problem> {
  const { afterCommit } = source;
  if (afterCommit.kind === 'move' && [afterCommit.folder, ...source.paths].some(isS3Location)) {
    yield {
      path: ['source', 'after_commit'],
      message: 'objects cannot be renamed: keep or delete them, or use a lifecycle rule of the bucket',
    };
  }
  const isDelta = sink.table?.type === 'delta' && isS3Location(sink.path);
  if ((isS3Location(statePath) || isDelta) && !s3.conditionalWrites) {
    yield {
      path: ['s3', 'conditional_writes'],
      message:
        'state and Delta tables in an object store need conditional writes: they keep two writers apart',
    };
  }
  if (s3.kmsKey !== null && s3.encryption !== 'aws:kms')
    yield { path: ['s3', 'kms_key'], message: 'a key is for `encryption: aws:kms`' };
  if (Object.keys(s3.tags).length > 10)
    yield { path: ['s3', 'tags'], message: 'an object has at most 10 tags' };
  if (sink.staging !== null && isS3Location(sink.staging) !== isS3Location(sink.path))
    yield { path: ['sink', 'staging'], message: 'expected a folder in the same storage as `sink.path`' };
  if (!isS3Location(sink.path) || sink.rolling.type !== 'default') return;
  if (sink.rolling.partSizeBytes > s3.partBytes * MAX_UPLOAD_PARTS) {
    yield {
      path: ['s3', 'part_bytes'],
      message: `parts of \`rolling.part_size\` would take more than ${MAX_UPLOAD_PARTS} pieces: raise it`,
    };
  }
}

function* notifications({ source }: CompiledJob): Iterable<Problem> {
  const path = ['source', 'notifications'];
  if (source.notifications === null) return;
  if (!source.paths.some(isS3Location))
    yield { path, message: 'messages are about objects, and the source has no s3:// path: see `watch`' };
  const spec = source.notifications;
  if (spec.type === 'http' && spec.token === null && !isLoopback(spec.host))
    yield { path, message: `to listen on ${spec.host}, which others reach, takes a \`token\`` };
}
