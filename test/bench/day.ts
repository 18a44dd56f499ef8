/**
 * `npm run bench day`: a day of checkpoints, 5 s apart, over 100 buckets, by an injected clock. What is left of it: as many
 * files as a roll at each checkpoint would make (Flink's bulk formats), as the rolling policy makes, and after compaction.
 *
 * Sink, checkpoints, publication and compaction are the product's; the file system is in memory, since 17,280
 * checkpoints would wait for a disk for an hour. Sizes are a hundredth of usual ones: target 1.28 MiB for 128 MiB.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fieldsAssigner } from '../../bucketing/index.ts';
import { createOutputFormat } from '../../formats/output-format.ts';
import { type Checkpoint, NO_TOTALS } from '../../lib/commit/checkpoint.ts';
import { CheckpointCoordinator } from '../../lib/commit/checkpoint-coordinator.ts';
import { CheckpointStore } from '../../lib/commit/checkpoint-store.ts';
import { Committer } from '../../lib/commit/committer.ts';
import { Publication } from '../../lib/commit/publication.ts';
import { NO_COMPACTION } from '../../lib/commit/swap.ts';
import { Compaction } from '../../lib/compaction/compaction.ts';
import { inlineMerging } from '../../lib/compaction/merge-host.ts';
import { Batch } from '../../lib/core/batch.ts';
import { DEFAULT_S3 } from '../../lib/core/specs.ts';
import { columnsOf } from '../../lib/core/values.ts';
import { Buckets } from '../../lib/sink/buckets.ts';
import { rowPartFormat } from '../../lib/sink/row-part-writer.ts';
import { NO_ENUMERATOR_STATE } from '../../lib/source/enumerator-state.ts';
import { defaultRollingPolicy } from '../../rolling/index.ts';
import { seededRandom } from '../support/generate.ts';
import { ndjsonOutput, schemaOf } from '../support/job.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { MemoryFileSystem } from '../support/memory-file-system.ts';
import { type DayResult, daySvg, formatDay, type Sizes } from './day-report.ts';

const JOB_ID = '0a1b2c3d';
const DAY_MS = 86_400_000;
const INTERVAL_MS = 5000;
const BUCKETS = 100;
const TARGET_BYTES = 1.28 * 1024 * 1024;
const DAY_BYTES = 300e6;
const LINE_BYTES = 200;
const SCHEMA = schemaOf({ bucket: 'string', at: 'int64', text: 'string' });
const PART_SCHEMA = schemaOf({ at: 'int64', text: 'string' });
/** Turns of the event loop in which merging may go on beside one checkpoint. */
const TURNS = 30;

export async function benchDay(folder: string): Promise<void> {
  const cpu = process.cpuUsage();
  const result = await simulateDay();
  const { user, system } = process.cpuUsage(cpu);
  console.log(formatDay(result));
  console.log(`${((user + system) / 1e6).toFixed(0)} s of CPU`);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'day.json'), `${JSON.stringify(result, null, 1)}\n`);
  await writeFile(path.join(folder, 'day.svg'), daySvg(result));
}

export async function simulateDay(): Promise<DayResult> {
  const clock = new ManualClock(Date.UTC(2026, 10, 25));
  const fileSystem = new MemoryFileSystem(clock);
  fileSystem.addFolder('/lake');
  const compaction = createCompaction(fileSystem, clock);
  const { buckets, checkpoint } = await createJob(fileSystem, clock, compaction);
  const random = seededRandom(20261125);
  const shares = sharesOfBuckets();
  const rolled: number[] = [];
  const published: number[] = [];
  const written = { lines: 0, bytes: 0 };
  let mostFiles = 0;
  await compaction.scan();
  for (let atMs = 0; atMs < DAY_MS; atMs += INTERVAL_MS) {
    const rows = rowsOf(atMs, shares, random);
    if (rows.length > 0) await write(buckets, rows);
    rolled.push(...bytesByBucket(rows));
    written.lines += rows.length;
    // The sink's timer goes each second.
    for (let second = 0; second < INTERVAL_MS; second += 1000) {
      clock.advance(1000);
      await buckets.onProcessingTime();
    }
    const isLast = atMs + INTERVAL_MS >= DAY_MS;
    for (const { file } of await checkpoint(isLast)) published.push(file.lengthBytes);
    for (let turn = 0; turn < TURNS; turn++) await new Promise(setImmediate);
    if (atMs % 60_000 === 0) mostFiles = Math.max(mostFiles, visibleSizes(fileSystem).length);
  }
  const merged = visibleSizes(fileSystem).length;
  // The day's folders get nothing any more.
  let done = false;
  const moving = (async () => {
    while (await compaction.finish()) await checkpoint(false);
    done = true;
  })();
  while (!done) {
    clock.advance(1000);
    await new Promise(setImmediate);
  }
  await moving;
  const sizes = visibleSizes(fileSystem);
  const total = (list: Sizes) => list.reduce((sum, size) => sum + size, 0);
  if (countLines(fileSystem) !== written.lines) throw new Error('rows were lost or doubled');
  return {
    targetBytes: TARGET_BYTES,
    buckets: BUCKETS,
    checkpoints: DAY_MS / INTERVAL_MS,
    rows: written.lines,
    bytes: total(published),
    mostFiles,
    atMidnight: merged,
    forcedRoll: rolled,
    rollingPolicy: published,
    compacted: sizes,
    mergedBytes: mergedBytes,
  };
}

/** Of all merged parts that were ever made. */
let mergedBytes = 0;

function createCompaction(fileSystem: MemoryFileSystem, clock: ManualClock): Compaction {
  const merging = {
    ...{ format: ndjsonOutput, staging: null, s3: DEFAULT_S3 },
    ...{ targetBytes: TARGET_BYTES, sortBy: [], bytesPerSecond: 64 * 1024 * 1024 },
  };
  mergedBytes = 0;
  return new Compaction({
    ...{ sinkPath: '/lake', prefix: 'part', jobId: JOB_ID },
    ...{ targetBytes: TARGET_BYTES, maxSmallParts: 32, quietMs: 3_600_000 },
    restored: NO_COMPACTION,
    fileSystem,
    clock,
    host: inlineMerging(fileSystem, clock)(merging, '00000001'),
    onSwapped: ({ file }) => {
      mergedBytes += file.lengthBytes;
    },
    onWarning: (message) => {
      throw new Error(message);
    },
  });
}

/** One subtask and the checkpoints of its job. */
async function createJob(fileSystem: MemoryFileSystem, clock: ManualClock, compaction: Compaction) {
  const output = await createOutputFormat(ndjsonOutput, { memoryBytes: 1 << 26, passThrough: false });
  if (output.kind !== 'row') throw new Error('NDJSON is written row by row');
  const format = rowPartFormat(output.format, output.compressor, PART_SCHEMA);
  const store = new CheckpointStore(fileSystem, '/state');
  const buckets = new Buckets({
    ...{ path: '/lake', staging: null, subtask: 0, schema: PART_SCHEMA, format },
    naming: { prefix: 'part', jobId: JOB_ID, suffix: format.extension },
    assigner: fieldsAssigner(SCHEMA, {
      fields: [{ name: 'bucket', column: 'bucket', transform: 'value' }],
    }),
    // The defaults of a job file, at the scale of the target.
    policy: defaultRollingPolicy({ partSizeBytes: TARGET_BYTES }),
    ...{ memoryBytes: 256 * 1024 * 1024, flushBytes: 1024 * 1024 },
    ...{ fileSystem, segmentsFolder: store.segmentsFolder, runId: '00000001', clock, checkpointId: 0 },
  });
  const committer = new Committer(fileSystem.recoverableWriter, []);
  const base: Checkpoint = {
    ...{ id: 0, jobId: JOB_ID, jobName: 'day', runId: '00000001', createdMs: 0, fingerprint: {} },
    ...{ schema: null, enumerator: null, discovery: [], subtasks: [], committables: [] },
    totals: NO_TOTALS,
  };
  const coordinator: CheckpointCoordinator = new CheckpointCoordinator({
    store,
    committer,
    publication: new Publication({
      ...{ fileSystem, committer, clock, sinkPath: '/lake', jobId: JOB_ID },
      ...{ table: null, keepReplacedMs: 0, restored: [] },
    }),
    ...{ fileSystem, clock, runId: '00000001', retain: 3, subtasks: 1, base, compaction },
    capture: () => ({
      enumerator: NO_ENUMERATOR_STATE,
      assigned: new Map(),
      givenUp: [],
      discovery: new Uint8Array(0),
      schema: SCHEMA,
      schemaHistory: [],
    }),
    ask: (subtask, checkpointId, { closeAll }) => {
      void buckets.snapshot(checkpointId, closeAll).then(
        (sink) =>
          coordinator.onSnapshot({
            ...{ type: 'snapshot', subtask, checkpointId, splits: [], outcomes: [], sink, quarantine: null },
            counts: {
              rows: 0,
              rejected: 0,
              quarantined: 0,
              bytesIn: 0,
              late: 0,
              lateDropped: 0,
              filtered: 0,
              duplicates: 0,
            },
          }),
        (error: unknown) => coordinator.abort(error),
      );
    },
    ...{ watermarks: null, partitions: null, cleaner: null },
    checkTotals: () => {},
    takeEndedFiles: () => [],
  });
  const checkpoint = async (closeAll: boolean) =>
    (await coordinator.take({ closeAll, last: false })).published;
  return { buckets, checkpoint };
}

interface DayRow {
  readonly bucket: string;
  readonly at: bigint;
  readonly text: string;
}

/** A few buckets get most, as with countries or customers: the nth n^-0.7 of the first. They sum up to 1. */
function sharesOfBuckets(): number[] {
  const weights = Array.from({ length: BUCKETS }, (_, i) => (i + 1) ** -0.7);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** Of 5 s: four times as many by day as by night. */
function rowsOf(atMs: number, shares: readonly number[], random: () => number): DayRow[] {
  const hour = 1 + 0.6 * Math.sin(((atMs / DAY_MS) * 24 - 8) * (Math.PI / 12));
  const expected = (DAY_BYTES / LINE_BYTES / (DAY_MS / INTERVAL_MS)) * hour;
  const rows: DayRow[] = [];
  for (const [bucket, share] of shares.entries()) {
    const wanted = expected * share;
    let count = Math.floor(wanted);
    if (random() < wanted - count) count++;
    for (let i = 0; i < count; i++)
      rows.push({ bucket: `b${bucket}`, at: BigInt(atMs), text: 'x'.repeat(LINE_BYTES - 25) });
  }
  return rows;
}

function bytesByBucket(rows: readonly DayRow[]): number[] {
  const bytes = new Map<string, number>();
  for (const { bucket } of rows) bytes.set(bucket, (bytes.get(bucket) ?? 0) + LINE_BYTES);
  return [...bytes.values()];
}

async function write(buckets: Buckets, rows: readonly DayRow[]): Promise<void> {
  const records = rows.map((row) => ({ ...row }));
  await buckets.write(new Batch(SCHEMA, columnsOf(SCHEMA, records), records.length), {
    watermarkMs: Number.NEGATIVE_INFINITY,
    timestampsMs: null,
  });
}

const isPart = (file: string) =>
  file.startsWith('/lake/') && !file.slice(file.lastIndexOf('/') + 1).startsWith('.');

function visibleSizes(fileSystem: MemoryFileSystem): number[] {
  return [...fileSystem.files].flatMap(([file, { bytes }]) => (isPart(file) ? bytes.length : []));
}

function countLines(fileSystem: MemoryFileSystem): number {
  let lines = 0;
  for (const [file, { bytes }] of fileSystem.files) {
    if (!isPart(file)) continue;
    for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines++;
  }
  return lines;
}
