/**
 * Refused records as an output of their own: part files under `quarantine.path`, written and committed by the very
 * protocol of the lake's parts, in the same snapshot. So a record is either a row of the lake or one of the quarantine,
 * exactly once, through any crash.
 */
import { createRollingPolicy } from '../../rolling/index.ts';
import { Batch } from '../core/batch.ts';
import type { BucketAssigner } from '../core/bucket-assigner.ts';
import type { Clock } from '../core/clock.ts';
import { nameOf } from '../core/location.ts';
import type { QuarantineSpec } from '../core/specs.ts';
import { UNTIMED } from '../core/stage-clock.ts';
import { columnsOf } from '../core/values.ts';
import { Buckets } from '../sink/buckets.ts';
import { EvolvingSink } from '../sink/evolving-sink.ts';
import { QUARANTINE_PREFIX, QUARANTINE_SCHEMA } from '../sink/quarantine-schema.ts';
import type { SinkSnapshot, SinkState } from '../sink/sink-state.ts';
import type { QuarantinedRecord } from '../source/refused-records.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { createPartFormat, flushBytes } from './sink-setup.ts';
import type { SubtaskConfig } from './subtask-config.ts';

/** All parts lie directly in the folder. */
const ONE_FOLDER: BucketAssigner = {
  partitionColumns: [],
  assign: (batch) => ({ codes: new Int32Array(batch.length), ids: [''] }),
};

/** Of the subtask's memory: refused records are few, and small ones. */
const MEMORY_SHARE = 1 / 16;
const QUARANTINE_OPTIONS = { passThrough: false, stages: UNTIMED } as const;

export class Quarantine {
  readonly #sink: EvolvingSink;
  readonly #isOn: boolean;

  /** @param isOn whether the job still has a quarantine: otherwise only what was left open is closed */
  constructor(sink: EvolvingSink, isOn: boolean) {
    this.#sink = sink;
    this.#isOn = isOn;
  }

  get openParts(): number {
    return this.#sink.openParts;
  }

  /** @param checkpointId of the checkpoint that will make them durable */
  async write(records: readonly QuarantinedRecord[], checkpointId: number): Promise<void> {
    if (records.length === 0 || !this.#isOn) return;
    const rows = records.map((record) => ({
      reason: record.code,
      message: record.reason,
      column: record.column,
      file: record.path,
      offset: record.offset,
      line: record.line,
      checkpoint: checkpointId,
      record: record.bytes,
      complete: record.complete,
      state: record.state === null ? null : JSON.stringify(record.state),
    }));
    const batch = new Batch(QUARANTINE_SCHEMA, columnsOf(QUARANTINE_SCHEMA, rows), rows.length);
    await this.#sink.write(batch, { watermarkMs: Number.NEGATIVE_INFINITY, timestampsMs: null });
  }

  onProcessingTime(): Promise<void> {
    return this.#sink.onProcessingTime();
  }

  snapshot(checkpointId: number, closeAll: boolean): Promise<SinkSnapshot> {
    return this.#sink.snapshot(checkpointId, closeAll);
  }

  close(): Promise<void> {
    return this.#sink.close();
  }
}

/** null where the job has no quarantine, and none is left open. */
export async function createQuarantine(
  config: SubtaskConfig,
  fileSystem: FileSystem,
  clock: Clock,
): Promise<Quarantine | null> {
  const spec = config.job.quarantine;
  const restored = config.restoredQuarantine;
  const nextCounter = Math.max(0, ...restored.map((state) => state.nextCounter));
  if (spec === null && restored.every((state) => state.openParts.length === 0) && nextCounter === 0)
    return null;
  const current = spec === null ? null : await createBuckets(config, spec, 'q', fileSystem, clock);
  const retired: Buckets[] = [];
  for (const format of OLD_FORMATS) {
    const suffix = (await createPartFormat(format, QUARANTINE_SCHEMA, QUARANTINE_OPTIONS)).extension;
    const ours = restored.map((state) => ofFormat(state, suffix));
    if (ours.every((state) => state.openParts.length === 0)) continue;
    const isCurrent = spec !== null && current?.suffix === suffix;
    const old: QuarantineSpec = { path: '', format, rolling: CLOSED_AT_ONCE };
    const buckets = isCurrent
      ? current
      : await createBuckets(config, old, `r${retired.length}`, fileSystem, clock);
    for (const state of ours) await buckets.restore(state);
    if (!isCurrent) retired.push(buckets);
  }
  await current?.restore({ nextCounter, openParts: [] });
  return new Quarantine(new EvolvingSink(current, retired, nextCounter), spec !== null);
}

/** Every format that a quarantine part may have been left open in. Compression is not in a part's state. */
const OLD_FORMATS: readonly QuarantineSpec['format'][] = [
  { type: 'parquet', engine: 'sluice', compression: 'snappy', rowGroupBytes: 1 << 20, pageBytes: 1 << 20 },
  { type: 'ndjson', compression: 'none', dialect: 'standard' },
  { type: 'ndjson', compression: 'gzip', dialect: 'standard' },
  { type: 'ndjson', compression: 'zstd', dialect: 'standard' },
];

const CLOSED_AT_ONCE: QuarantineSpec['rolling'] = {
  type: 'default',
  partSizeBytes: Number.MAX_SAFE_INTEGER,
  rolloverIntervalMs: Number.MAX_SAFE_INTEGER,
  inactivityIntervalMs: Number.MAX_SAFE_INTEGER,
  maxRows: null,
  onCheckpoint: true,
  watermarkDelayMs: null,
};

function ofFormat(state: SinkState, suffix: string): SinkState {
  return { ...state, openParts: state.openParts.filter(({ finalPath }) => endsWith(finalPath, suffix)) };
}

/** Part names have one dot before their suffix. */
function endsWith(path: string, suffix: string): boolean {
  const name = nameOf(path);
  return name.slice(name.indexOf('.')) === suffix;
}

async function createBuckets(
  config: SubtaskConfig,
  spec: QuarantineSpec,
  segmentLabel: string,
  fileSystem: FileSystem,
  clock: Clock,
): Promise<Buckets> {
  const memoryBytes = config.memoryBytes * MEMORY_SHARE;
  const options = { ...QUARANTINE_OPTIONS, memoryBytes };
  const format = await createPartFormat(spec.format, QUARANTINE_SCHEMA, options);
  return new Buckets({
    path: spec.path,
    staging: null,
    naming: { prefix: QUARANTINE_PREFIX, jobId: config.jobId, suffix: format.extension },
    subtask: config.subtask,
    schema: QUARANTINE_SCHEMA,
    format,
    assigner: ONE_FOLDER,
    policy: await createRollingPolicy(spec.rolling),
    memoryBytes,
    flushBytes: flushBytes(spec.format, memoryBytes),
    fileSystem,
    segmentsFolder: config.segmentsFolder,
    segmentLabel,
    runId: config.runId,
    clock,
    checkpointId: config.checkpointId,
  });
}
