/** Makes a subtask from its configuration and sets it going. */
import { createEventTime } from '../../bucketing/event-time.ts';
import { createInputFormat } from '../../formats/input-format.ts';
import { replayInput } from '../../formats/replay/input.ts';
import type { Clock } from '../core/clock.ts';
import type { Schema } from '../core/data-type.ts';
import type { FileInputFormat, InputFormat } from '../core/decoder.ts';
import { Pace } from '../core/pace.ts';
import { NO_PLACES } from '../core/row-places.ts';
import type { SchemaDriftSpec } from '../core/specs.ts';
import { StageClock, UNTIMED } from '../core/stage-clock.ts';
import { FilesAhead } from '../source/files-ahead.ts';
import { capturing } from '../source/row-capture.ts';
import { SplitReader } from '../source/split-reader.ts';
import { openSplitSource } from '../source/split-source.ts';
import { Warnings } from '../source/warnings.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { KeyWindow, windowBytes } from '../transform/key-window.ts';
import { loadMapFunctions, type MapFunctions } from '../transform/map-rows.ts';
import { createTransform, deduplicateStep, type RowTransform } from '../transform/row-transform.ts';
import type { Refusals } from './batch-writer.ts';
import type { FromSubtask, ToSubtask } from './messages.ts';
import { neededColumns, placesNeeded } from './needed-columns.ts';
import { partsDue } from './partition-setup.ts';
import { createQuarantine } from './quarantine.ts';
import { createBuckets, createSink, passesThrough } from './sink-setup.ts';
import { Subtask } from './subtask.ts';
import type { SubtaskConfig } from './subtask-config.ts';

/**
 * Rows of a batch. 8,192 keep a batch of common width within a core's second-level cache while it is sorted into
 * buckets.
 */
const BATCH_ROWS = 8192;
/** A quarantined record is no longer than max_record_size can be, 1 GiB, and stands in base64 here. */
const MAX_REPLAY_BYTES = 1.5 * 1024 ** 3;

export interface RunningSubtask {
  readonly receive: (message: ToSubtask) => void;
  /** Settles when the subtask has ended. */
  readonly done: Promise<void>;
  /** Waits for what is under way and lets go of file handles, after `done`, however that ended. */
  readonly release: () => Promise<void>;
}

/** @throws SluiceError what restoring the sink throws */
export async function startSubtask(
  config: SubtaskConfig,
  fileSystem: FileSystem,
  clock: Clock,
  send: (message: FromSubtask) => void,
): Promise<RunningSubtask> {
  const { job } = config;
  const stages = new StageClock(() => clock.elapsed());
  const keys = deduplicateStep(job.transform);
  const window = keys === null ? null : new KeyWindow(keys.key, keys.rows);
  if (config.restoredKeys !== undefined) window?.restore(config.restoredKeys);
  const memoryBytes = config.memoryBytes - (keys === null ? 0 : windowBytes(keys.rows));
  const functions = await loadMapFunctions(job.transform);
  const first = createTransform(job, config.schema, config.baseColumns, functions, window);
  const sink = await createSink(
    { ...config, memoryBytes },
    first?.schema ?? config.schema,
    fileSystem,
    clock,
    stages,
  );
  const quarantine = await createQuarantine(config, fileSystem, clock);
  const { bytesPerSecond } = job.source.limits;
  const format = await createInputFormat(job.source.format);
  // What is to be read slowly is not read at once.
  const readsAhead = format.access !== 'random' && bytesPerSecond === null;
  const ahead = readsAhead ? new FilesAhead(fileSystem) : null;
  const { subtask: number } = config;
  const warnings = new Warnings(clock, (warning) => send({ type: 'warning', subtask: number, ...warning }));
  const parts: ReaderParts = { config, format, fileSystem, ahead, stages, warnings };
  const rowsOf = (schema: Schema, transform: RowTransform | null, partSchema: Schema) => ({
    reader: createReader(parts, schema, partSchema),
    transform,
    refusals: refusalsOf(parts, schema, partSchema, transform, functions),
    eventTime: job.eventTime === null ? null : createEventTime(job.eventTime, transform?.schema ?? schema),
  });
  const subtask = new Subtask({
    ahead,
    subtask: number,
    ...rowsOf(config.schema, first, sink.current.schema),
    sink,
    quarantine,
    window,
    firstCheckpointId: config.firstCheckpointId,
    isDue: partsDue(job),
    schemaVersion: config.schemaVersion,
    evolve: async (schema) => {
      const transform = createTransform(job, schema, config.baseColumns, functions, window);
      const rows = transform?.schema ?? schema;
      const buckets = await createBuckets(
        { ...config, memoryBytes, schema },
        rows,
        fileSystem,
        clock,
        stages,
      );
      return { ...rowsOf(schema, transform, buckets.schema), buckets };
    },
    bucketCheckIntervalMs: job.sink.bucketCheckIntervalMs,
    pace: bytesPerSecond === null ? null : new Pace(clock, bytesPerSecond / job.parallelism),
    clock,
    stages,
    warnings,
    send,
  });
  return {
    receive: (message) => subtask.receive(message),
    done: subtask.run(),
    release: () => subtask.release(),
  };
}

/** What readers are made of, whatever the schema is. */
interface ReaderParts {
  readonly config: SubtaskConfig;
  readonly format: InputFormat | FileInputFormat;
  readonly fileSystem: FileSystem;
  readonly ahead: FilesAhead | null;
  readonly stages: StageClock;
  readonly warnings: Warnings;
}

function refusalsOf(
  parts: ReaderParts,
  schema: Schema,
  partSchema: Schema,
  transform: RowTransform | null,
  functions: MapFunctions,
): Refusals {
  const { config, format, fileSystem, ahead } = parts;
  const { job, replay } = config;
  const { onBadRecord } = job.source;
  // A replay brings late rows into the lake: they were looked at.
  const late = job.watermarks.late === 'quarantine' && !replay;
  if (onBadRecord !== 'quarantine' && !late) return { bucketless: onBadRecord, late, capture: null };
  const inner = replay ? replayInput(format) : format;
  // One of its own: rows that are looked at again are not counted again.
  const again = transform === null ? null : createTransform(job, schema, config.baseColumns, functions);
  return {
    bucketless: onBadRecord,
    late,
    capture: {
      createReader:
        inner.access === 'random'
          ? null
          : (onRow) => createReader(parts, schema, partSchema, capturing(inner, onRow)),
      rowsOf: (row) =>
        again === null ? 1 : again.apply(row, NO_PLACES, { path: '', nowMs: 0, checkpointId: 0 }).length,
      replay,
      open: async (split) => {
        const compression = split.compression ?? (replay ? 'none' : job.source.format.compression);
        const held = (await ahead?.bytesOf(split)) ?? null;
        return (await openSplitSource(fileSystem, split, compression, 0, () => {}, held)).source;
      },
    },
  };
}

/** @param capture reads what was read before once more, row by row, and refuses what was refused; nobody is told again */
function createReader(
  { config, format, fileSystem, ahead, stages, warnings }: ReaderParts,
  schema: Schema,
  partSchema: Schema,
  capture: InputFormat | null = null,
): SplitReader {
  const { source } = config.job;
  const keepLines = passesThrough({ ...config, schema }, partSchema);
  // Whoever keeps what does not fit, or does more about it than refuse it, wants every value looked at.
  const provesAll = source.onBadRecord === 'quarantine' || source.drift.mismatch !== 'bad_record';
  return new SplitReader({
    fileSystem,
    format: capture ?? (config.replay ? replayInput(format) : format),
    compression: config.replay ? 'none' : source.format.compression,
    schema,
    batchRows: BATCH_ROWS,
    keepLines,
    columns: keepLines && !provesAll ? neededColumns(config.job) : undefined,
    maxRecordBytes: config.replay ? MAX_REPLAY_BYTES : source.maxRecordBytes,
    onBadRecord: capture === null ? source.onBadRecord : 'skip',
    drift:
      capture === null ? source.drift : { ...source.drift, mismatch: refusedAgain(source.drift.mismatch) },
    modified: source.modified,
    places: capture === null ? placesNeeded(source.lineage) : null,
    stages: capture === null ? stages : UNTIMED,
    warnings: capture === null ? warnings : null,
    ahead,
  });
}

/** What was refused is passed over, whatever became of it. */
function refusedAgain(mismatch: SchemaDriftSpec['mismatch']): SchemaDriftSpec['mismatch'] {
  return mismatch === 'quarantine' || mismatch === 'fail' ? 'bad_record' : mismatch;
}
