/**
 * The file sink for programs of their own: records in, part files out, exactly once. Flink: StreamingFileSink.
 *
 *     const sink = StreamingFileSink.forRowFormat('/lake/events', ndjsonRows)
 *       .withBucketAssigner(byDay)
 *       .withRollingPolicy(rollingPolicy)
 *       .build();
 *     const writer = await sink.open({ state: '/state', name: 'events' });
 *     await seek(writer.position);                         // where the last checkpoint left the program's input
 *     await writer.write(record, { timestamp: record.time });
 *     await writer.checkpoint({ position });               // durable, and what it closed is visible
 *     await writer.close();
 */
import { datetimeAssigner } from '../../bucketing/index.ts';
import { defaultRollingPolicy } from '../../rolling/index.ts';
import type { JobFingerprint } from '../commit/checkpoint.ts';
import { Committer } from '../commit/committer.ts';
import { openJobState } from '../commit/job-state.ts';
import { removeLeftovers } from '../commit/leftovers.ts';
import type { BucketAssigner } from '../core/bucket-assigner.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import type { Schema } from '../core/data-type.ts';
import type { BulkFormat, RowEncoder } from '../core/encoder.ts';
import { SluiceError } from '../core/errors.ts';
import { type Ids, newRunId, randomIds } from '../core/ids.ts';
import { joinLocation, resolveLocation } from '../core/location.ts';
import type { RollingPolicy } from '../core/rolling-policy.ts';
import { DEFAULT_S3, type S3Spec } from '../core/specs.ts';
import { Buckets } from '../sink/buckets.ts';
import { type MemberCompressor, ROW_FLUSH_BYTES, rowPartFormat } from '../sink/row-part-writer.ts';
import { acquireJobLock } from '../storage/job-lock.ts';
import { openFileSystem } from '../storage/open-file-system.ts';
import type { SinkDescription } from './sink-description.ts';
import { withoutColumns } from './sink-setup.ts';
import { RETAINED_CHECKPOINTS, SinkWriter } from './sink-writer.ts';

const DEFAULT_MEMORY_BYTES = 128 * 1024 * 1024;
const BULK_FLUSH_BYTES = 32 * 1024 * 1024;
const NO_COMPRESSION: MemberCompressor = { extension: '', compress: (bytes) => bytes };
const NO_SCHEMA: Schema = { fields: [] };

export interface OutputFileConfig {
  /** What part names begin with; `part` unless given. */
  readonly prefix?: string;
  /** What they end with; the format's extension unless given. */
  readonly suffix?: string;
}

export interface OpenOptions {
  /** Folder of the state. */
  readonly state: string;
  /** Names the state within that folder; `[a-z0-9-]+`. */
  readonly name: string;
  /** Budget for buffered rows. */
  readonly memoryBytes?: number;
  /** How object stores are reached, for s3:// paths. */
  readonly s3?: Partial<S3Spec>;
  readonly clock?: Clock;
  readonly ids?: Ids;
}

export class StreamingFileSink {
  readonly #description: SinkDescription;

  /** @internal Use forRowFormat or forBulkFormat. */
  constructor(description: SinkDescription) {
    this.#description = description;
  }

  /**
   * Rows that are encoded one by one.
   * @param schema of the records, for encoders that read columns; leave it out for encoders that read records
   */
  static forRowFormat(
    basePath: string,
    encoder: RowEncoder,
    options: { readonly schema?: Schema; readonly compressor?: MemberCompressor } = {},
  ): StreamingFileSinkBuilder {
    const schema = options.schema ?? NO_SCHEMA;
    const format = rowPartFormat(
      { type: 'row', createEncoder: () => encoder },
      options.compressor ?? NO_COMPRESSION,
      schema,
    );
    return new StreamingFileSinkBuilder(basePath, format, schema, ROW_FLUSH_BYTES);
  }

  /** Rows that are encoded in groups, such as Parquet. */
  static forBulkFormat(basePath: string, format: BulkFormat, schema: Schema): StreamingFileSinkBuilder {
    return new StreamingFileSinkBuilder(basePath, format, schema, BULK_FLUSH_BYTES);
  }

  /**
   * Takes hold of the state, publishes what the last checkpoint promised, and continues its open parts.
   * @throws SluiceError USAGE, JOB_RUNNING, STATE_CORRUPT, STATE_MISSING, JOB_MISMATCH ...
   */
  async open(options: OpenOptions): Promise<SinkWriter> {
    return openWriter(this.#description, options);
  }
}

export class StreamingFileSinkBuilder {
  readonly #path: string;
  readonly #format: BulkFormat;
  readonly #schema: Schema;
  readonly #flushBytes: number;
  #assigner: BucketAssigner | null = null;
  #policy: RollingPolicy | null = null;
  #files: OutputFileConfig = {};
  #bucketCheckIntervalMs = 60_000;

  constructor(basePath: string, format: BulkFormat, schema: Schema, flushBytes: number) {
    this.#path = resolveLocation('', basePath);
    this.#format = format;
    this.#schema = schema;
    this.#flushBytes = flushBytes;
  }

  /** Where it is left out: by processing time, `yyyy-MM-dd--HH`, as in a job file and in Flink. */
  withBucketAssigner(assigner: BucketAssigner): this {
    this.#assigner = assigner;
    return this;
  }

  withRollingPolicy(policy: RollingPolicy): this {
    this.#policy = policy;
    return this;
  }

  withOutputFileConfig(files: OutputFileConfig): this {
    this.#files = files;
    return this;
  }

  /** How often the rolling policy is asked about time. Flink's default: a minute. */
  withBucketCheckInterval(intervalMs: number): this {
    this.#bucketCheckIntervalMs = intervalMs;
    return this;
  }

  /** @throws SluiceError USAGE where the names of parts would not stay in their folder, or readers would skip them */
  build(): StreamingFileSink {
    const { prefix = 'part', suffix = this.#format.extension } = this.#files;
    if (!/^[^._]/.test(prefix) || !isPartOfName(prefix) || !isPartOfName(suffix)) {
      throw new SluiceError('USAGE', `parts cannot be named '${prefix}...${suffix}'`, {
        hint: "a prefix does not begin with '.' or '_', and neither it nor the suffix holds '/', ':', '\\' or control characters",
      });
    }
    return new StreamingFileSink({
      path: this.#path,
      format: this.#format,
      flushBytes: this.#flushBytes,
      schema: this.#schema,
      assigner: this.#assigner ?? datetimeAssigner(),
      policy: this.#policy ?? defaultRollingPolicy(),
      prefix,
      suffix,
      bucketCheckIntervalMs: this.#bucketCheckIntervalMs,
    });
  }
}

function isPartOfName(text: string): boolean {
  return text.length <= 64 && !/[/:\\\p{Cc}]/u.test(text);
}

async function openWriter(description: SinkDescription, options: OpenOptions): Promise<SinkWriter> {
  if (typeof options.name !== 'string' || !/^[a-z0-9](?:[a-z0-9-]{0,62})$/.test(options.name)) {
    throw new SluiceError('USAGE', `state cannot be named '${options.name}'`, {
      hint: 'a name has a-z, 0-9 and -, at most 63 characters',
    });
  }
  const ids = options.ids ?? randomIds;
  const clock = options.clock ?? systemClock;
  const runId = newRunId(ids);
  const fileSystem = openFileSystem({ runId, s3: { ...DEFAULT_S3, ...options.s3 }, clock, ids });
  const statePath = joinLocation(resolveLocation('', options.state), options.name);
  const state = await openJobState({
    jobName: options.name,
    statePath,
    sinkPath: description.path,
    fingerprint: fingerprintOf(description),
    retain: RETAINED_CHECKPOINTS,
    runId,
    fileSystem,
    clock,
    ids,
    lock: async () => {
      const { exclusive, release } = await acquireJobLock(statePath, ids, {
        runId,
        startedMs: clock.now(),
      }).catch(async (error: unknown) => {
        await fileSystem.close();
        throw error;
      });
      // Whoever lets go of the job needs its storage no longer.
      return { exclusive, release: () => release().finally(() => fileSystem.close()) };
    },
  });
  try {
    const committer = new Committer(fileSystem.recoverableWriter, state.base.committables);
    await committer.commit();
    const buckets = new Buckets({
      path: description.path,
      staging: null,
      naming: { prefix: description.prefix, jobId: state.base.jobId, suffix: description.suffix },
      subtask: 0,
      schema: withoutColumns(description.schema, description.assigner.partitionColumns),
      format: description.format,
      assigner: description.assigner,
      policy: description.policy,
      memoryBytes: options.memoryBytes ?? DEFAULT_MEMORY_BYTES,
      flushBytes: description.flushBytes,
      fileSystem,
      segmentsFolder: state.store.segmentsFolder,
      runId,
      clock,
      checkpointId: state.base.id,
    });
    for (const { sink } of state.base.subtasks) await buckets.restore(sink);
    await removeLeftovers(
      fileSystem,
      [description.path],
      { jobName: options.name, jobId: state.base.jobId, runId, needed: state.store.retained, replaced: [] },
      state.proveOwner,
    );
    // A policy that is new to the job may close what its watermark has passed.
    const watermarkMs = state.base.eventTime?.watermarkMs ?? null;
    if (watermarkMs !== null) await buckets.onWatermark(watermarkMs);
    return new SinkWriter(description, state, committer, buckets, clock, runId);
  } catch (error) {
    await state.lock.release();
    throw error;
  }
}

function fingerprintOf(description: SinkDescription): JobFingerprint {
  return {
    'sink.path': description.path,
    'sink.format': `${description.format.type} ${description.suffix}`,
    schema: JSON.stringify(description.schema),
  };
}
