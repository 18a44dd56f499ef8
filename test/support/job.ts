/** Compiled jobs for tests: every option at a default that suits them, over one folder. */
import path from 'node:path';
import type { CompiledJob, SinkSpec, SourceLimits, SourceSpec } from '../../lib/core/compiled-job.ts';
import type { Schema } from '../../lib/core/data-type.ts';
import { parseDataType } from '../../lib/core/data-type.ts';
import {
  DEFAULT_S3,
  type InputFormatSpec,
  type OutputFormatSpec,
  type RollingSpec,
} from '../../lib/core/specs.ts';

export interface TestJobOptions extends Partial<Omit<CompiledJob, 'source' | 'sink'>> {
  readonly source?: Partial<SourceSpec>;
  readonly sink?: Partial<SinkSpec>;
}

/** `{ id: 'int64', name: 'string' }` as a schema of nullable columns. */
export function schemaOf(fields: Readonly<Record<string, string>>): Schema {
  return {
    fields: Object.entries(fields).map(([name, type]) => ({
      name,
      type: parseDataType(type),
      nullable: true,
    })),
  };
}

/** CSV by RFC 4180 with a header; nothing stands for null. */
export const csvInputSpec: Extract<InputFormatSpec, { type: 'csv' }> = {
  type: 'csv',
  compression: 'auto',
  delimiter: ',',
  quote: '"',
  header: true,
  columns: null,
  nullText: null,
  quotedNewlines: true,
};

export const parquetOutput: OutputFormatSpec = {
  type: 'parquet',
  engine: 'sluice',
  compression: 'snappy',
  rowGroupBytes: 32 * 1024 * 1024,
  pageBytes: 1024 * 1024,
};

export const ndjsonOutput: OutputFormatSpec = { type: 'ndjson', compression: 'none', dialect: 'standard' };

export const rollingBySizeAndTime = (
  limits: Partial<Extract<RollingSpec, { type: 'default' }>> = {},
): RollingSpec => ({
  type: 'default',
  partSizeBytes: 128 * 1024 * 1024,
  rolloverIntervalMs: 60_000,
  inactivityIntervalMs: 60_000,
  maxRows: null,
  onCheckpoint: false,
  watermarkDelayMs: null,
  ...limits,
});

export const NO_LIMITS: SourceLimits = {
  filesPerCheckpoint: null,
  bytesPerCheckpoint: null,
  bytesPerSecond: null,
};

/** Input in `<folder>/in`, lake in `<folder>/lake`, state in `<folder>/state/job`. */
export function testJob(folder: string, options: TestJobOptions = {}): CompiledJob {
  return {
    name: 'job',
    statePath: path.join(folder, 'state', 'job'),
    parallelism: 1,
    memoryBytes: 64 * 1024 * 1024,
    checkpoint: { intervalMs: 200, retain: 3 },
    shutdownTimeoutMs: 30_000,
    transform: [],
    eventTime: null,
    watermarks: { maxOutOfOrdernessMs: 0, idleTimeoutMs: null, late: 'keep', allowedLatenessMs: 0 },
    quarantine: null,
    ...options,
    source: {
      paths: [path.join(folder, 'in')],
      include: [],
      exclude: [],
      recursive: true,
      monitorIntervalMs: 100,
      watch: false,
      notifications: null,
      minAgeMs: 0,
      modified: 'ignore',
      onReplaced: 'read',
      rotation: 'rename',
      splitSizeBytes: 64 * 1024 * 1024,
      maxRecordBytes: 1024 * 1024,
      onBadRecord: 'fail',
      badRecordLimits: { maxRecords: null, maxRatio: null },
      drift: { newField: 'ignore', mismatch: 'bad_record' },
      format: { type: 'ndjson', compression: 'auto' },
      schema: 'infer',
      afterCommit: { kind: 'keep' },
      limits: NO_LIMITS,
      lineage: [],
      ...options.source,
    },
    sink: {
      path: path.join(folder, 'lake'),
      staging: null,
      format: ndjsonOutput,
      bucket: { type: 'base_path' },
      partitionTime: null,
      partitionCommit: null,
      rolling: rollingBySizeAndTime(),
      partPrefix: 'part',
      partSuffix: null,
      compaction: null,
      table: null,
      bucketCheckIntervalMs: 50,
      ...options.sink,
    },
    s3: options.s3 ?? DEFAULT_S3,
  };
}
