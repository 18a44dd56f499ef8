/** `sluice plan`: what a job would read, and the buckets that a sample of it would go to. Writes nothing. */
import { createBucketAssigner, createEventTime } from '../../bucketing/index.ts';
import { createInputFormat } from '../../formats/input-format.ts';
import { CheckpointStore } from '../commit/checkpoint-store.ts';
import { jobFingerprint } from '../commit/fingerprint.ts';
import { proveStateFits } from '../commit/job-state.ts';
import { proveNeverRan } from '../commit/lake-marker.ts';
import { laneOf } from '../commit/lanes.ts';
import type { Clock } from '../core/clock.ts';
import type { CompiledJob } from '../core/compiled-job.ts';
import type { Schema } from '../core/data-type.ts';
import { SluiceError } from '../core/errors.ts';
import { selectRoots } from '../source/file-selector.ts';
import { type FilePlan, planSource } from '../source/source-plan.ts';
import { type Split, startPosition } from '../source/split.ts';
import { SplitPlanner, splitSizeOf } from '../source/split-planner.ts';
import { SplitReader } from '../source/split-reader.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { loadMapFunctions } from '../transform/map-rows.ts';
import { createTransform } from '../transform/row-transform.ts';
import { firstSchema } from './first-schema.ts';
import { placesNeeded } from './needed-columns.ts';
import { readDiscovery } from './recovery.ts';

/** Files, and rows of each, that are read to learn of buckets. */
const SAMPLE_FILES = 10;
const SAMPLE_ROWS = 1000;

export interface JobPlan {
  /** The checkpoint that the plan goes on from; null where the job never started. */
  readonly checkpointId: number | null;
  readonly totals: { files: number; bytes: number; splits: number; skipped: number };
  readonly buckets: BucketSample | null;
}

/** Of the rows of a sample. */
export interface BucketSample {
  readonly files: number;
  readonly rows: number;
  readonly rejected: number;
  /** Files whose first rows cannot be read as the job says; `on_bad_record` decides what a run does about them. */
  readonly unreadable: readonly { readonly path: string; readonly why: string }[];
  /** Rows by bucket, most first. */
  readonly byBucket: readonly (readonly [string, number])[];
}

/**
 * @param onFile called for each file, and with `explain` for what the patterns leave out
 * @throws SluiceError JOB_MISMATCH, STATE_CORRUPT, STATE_VERSION, NOT_FOUND, ACCESS_DENIED
 */
export async function planJob(
  job: CompiledJob,
  fileSystem: FileSystem,
  clock: Clock,
  options: { readonly explain: boolean; readonly onFile: (file: FilePlan) => void },
): Promise<JobPlan> {
  const { source } = job;
  const store = new CheckpointStore(fileSystem, job.statePath);
  const newest = await store.load();
  if (newest === null) await proveNeverRan(fileSystem, job);
  else proveStateFits(newest, jobFingerprint(job), job.statePath);
  // After a replay the newest checkpoint is of the quarantine's lane, and the source's is parked in it.
  const lane = newest === null ? null : laneOf(newest, 'source');
  const pieces = lane?.discovery ?? [];
  const deltas = await readDiscovery(fileSystem, store.segmentsFolder, pieces);
  const format = await createInputFormat(source.format);
  const totals = { files: 0, bytes: 0, splits: 0, skipped: 0 };
  const sample: FilePlan[] = [];
  const files = planSource({
    fileSystem,
    clock,
    spec: source,
    roots: await selectRoots(source, fileSystem, () => {}),
    planner: new SplitPlanner({
      fileSystem,
      splittable: format.access !== 'random' && format.splittable,
      compression: source.format.compression,
      splitSizeBytes: splitSizeOf(source),
      followAppends: source.modified === 'append',
      maxRecordBytes: source.maxRecordBytes,
    }),
    known: deltas.map((delta, i) => ({
      checkpointId: Number.parseInt(pieces[i]?.segment ?? '0', 10),
      delta,
    })),
    splits: lane?.enumerator?.splits ?? [],
    explain: options.explain,
  });
  for await (const file of files) {
    options.onFile(file);
    if (file.action === 'skip') {
      totals.skipped++;
      continue;
    }
    totals.files++;
    totals.bytes += file.bytes;
    totals.splits += file.splits;
    if (file.action === 'read' && sample.length < SAMPLE_FILES) sample.push(file);
  }
  const schema = newest?.schema ?? (await firstSchema(job, fileSystem, clock));
  return {
    checkpointId: newest?.id ?? null,
    totals,
    buckets:
      schema === null
        ? null
        : await sampleBuckets(job, schema, sample, (newest?.id ?? 0) + 1, fileSystem, clock),
  };
}

/** Errors of what is in a file: one such file does not keep a plan from telling of the others. */
const OF_THE_DATA: ReadonlySet<string> = new Set([
  'BAD_RECORD',
  'INPUT_CORRUPT',
  'PATH_ESCAPE',
  'RECORD_TOO_LARGE',
]);

async function sampleBuckets(
  job: CompiledJob,
  schema: Schema,
  files: readonly FilePlan[],
  nextCheckpointId: number,
  fileSystem: FileSystem,
  clock: Clock,
): Promise<BucketSample> {
  const { source } = job;
  const transform = createTransform(job, schema, schema.fields.length, await loadMapFunctions(job.transform));
  const rowsSchema = transform?.schema ?? schema;
  const assigner = await createBucketAssigner(job.sink.bucket, rowsSchema);
  const eventTime = job.eventTime === null ? null : createEventTime(job.eventTime, rowsSchema);
  const reader = new SplitReader({
    fileSystem,
    format: await createInputFormat(source.format),
    compression: source.format.compression,
    schema,
    batchRows: SAMPLE_ROWS,
    keepLines: false,
    maxRecordBytes: source.maxRecordBytes,
    // A plan is to say what it finds, not to stop at the first record that does not fit.
    onBadRecord: 'skip',
    modified: 'ignore',
    places: placesNeeded(source.lineage),
  });
  const rowsOf = new Map<string, number>();
  let rows = 0;
  let read = 0;
  const unreadable: { path: string; why: string }[] = [];
  const sampleFile = async (path: string): Promise<void> => {
    const split = await wholeFile(fileSystem, path);
    if (split === null || !(await reader.open(split))) return;
    read++;
    const decoded = await reader.next();
    const origin = { path, nowMs: clock.now(), checkpointId: nextCheckpointId };
    const batch =
      decoded === null || transform === null ? decoded : transform.apply(decoded, reader.places, origin);
    if (batch === null || batch.length === 0) return;
    const { ids, codes } = assigner.assign(batch, {
      timestampsMs: eventTime?.(batch) ?? null,
      watermarkMs: Number.NEGATIVE_INFINITY,
      processingTimeMs: clock.now(),
    });
    for (let row = 0; row < batch.length; row++) {
      const id = ids.length === 1 ? ids[0]! : ids[codes[row]!]!;
      rowsOf.set(id, (rowsOf.get(id) ?? 0) + 1);
    }
    rows += batch.length;
  };
  try {
    for (const { path } of files) {
      try {
        await sampleFile(path);
      } catch (thrown) {
        const error = SluiceError.from(thrown);
        if (!OF_THE_DATA.has(error.code)) throw thrown;
        unreadable.push({ path, why: error.message });
      }
    }
  } finally {
    await reader.close();
  }
  return {
    files: read,
    rows,
    rejected: reader.takeCounts().rejected,
    unreadable,
    byBucket: [...rowsOf].sort(([, a], [, b]) => b - a),
  };
}

async function wholeFile(fileSystem: FileSystem, path: string): Promise<Split | null> {
  const status = await fileSystem.stat(path);
  if (status === null) return null;
  return {
    id: '0.0',
    fileId: '0',
    path,
    sizeBytes: status.sizeBytes,
    modifiedNs: String(status.modifiedNs),
    compression: null,
    startByte: 0,
    endByte: null,
    position: startPosition(0),
  };
}
