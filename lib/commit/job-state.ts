/**
 * A job's state as a process takes hold of it: the lock, the newest checkpoint (or a first one), proven to belong to
 * this job and this lake. Everything that can be wrong with state is found here, before a row is read.
 */
import type { Clock } from '../core/clock.ts';
import type { Ids } from '../core/ids.ts';
import type { FileSystem } from '../storage/file-system.ts';
import type { JobLock } from '../storage/job-lock.ts';
import { type Checkpoint, type JobFingerprint, NO_TOTALS } from './checkpoint.ts';
import { CheckpointStore } from './checkpoint-store.ts';
import { proveJobFits } from './fingerprint.ts';
import { proveLakeIsThere, proveLakeMatches, readLakeMarker, writeLakeMarker } from './lake-marker.ts';

const JOB_ID_BYTES = 4;

export interface JobStateOptions {
  readonly jobName: string;
  readonly statePath: string;
  readonly sinkPath: string;
  readonly fingerprint: JobFingerprint;
  readonly retain: number;
  readonly runId: string;
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly lock: () => Promise<JobLock>;
}

export interface JobState {
  readonly lock: JobLock;
  readonly store: CheckpointStore;
  /** What the run goes on from. */
  readonly base: Checkpoint;
  /** Whether there was no state before. */
  readonly fresh: boolean;
  /** @throws SluiceError FENCED where another process has the job by now, if that can be */
  readonly proveOwner: () => Promise<void>;
}

/**
 * @throws SluiceError JOB_RUNNING, FENCED, STATE_CORRUPT, STATE_VERSION, STATE_MISSING, LAKE_MISSING, STORAGE_UNSUITABLE,
 *   JOB_MISMATCH; the lock is then free again and nothing has changed
 */
export async function openJobState(options: JobStateOptions): Promise<JobState> {
  const lock = await options.lock();
  try {
    const { fileSystem, statePath, sinkPath, jobName } = options;
    await fileSystem.proveConditionalWrites?.(statePath);
    const store = new CheckpointStore(fileSystem, statePath);
    const newest = await store.load();
    const marker = await readLakeMarker(fileSystem, sinkPath, jobName);
    proveLakeMatches(marker, newest?.jobId ?? null, sinkPath, jobName, statePath);
    if (newest !== null) proveStateFits(newest, options.fingerprint, statePath);
    if (marker === null && newest !== null) await proveLakeIsThere(fileSystem, sinkPath, jobName, newest);
    await store.removeTemporaries();
    const { fingerprint } = options;
    const base =
      newest === null
        ? await writeFirst(store, options)
        : await claim(store, { ...newest, fingerprint }, lock, options);
    // After the state, so that a crash in between leaves state without a marker: the next start makes it.
    if (marker === null) await writeLakeMarker(fileSystem, sinkPath, jobName, base.jobId);
    const proveOwner = async () => {
      if (!lock.exclusive) await store.proveOwner();
    };
    return { lock, store, base, fresh: newest === null, proveOwner };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** @throws SluiceError JOB_MISMATCH where the job has begun and would go on otherwise */
export function proveStateFits(newest: Checkpoint, fingerprint: JobFingerprint, statePath: string): void {
  // Nothing was read under the old job file: a first start that failed for a wrong path may be corrected.
  const hasBegun = newest.enumerator !== null || newest.subtasks.length > 0;
  if (hasBegun) proveJobFits(newest.fingerprint, fingerprint, statePath);
}

/**
 * Where no lock keeps other processes away, the newest checkpoint is written again in this run's name, as the next one.
 * Of two that start at once, one succeeds; one that is still at work fails at its next checkpoint, before it can
 * publish anything. Only then may anything be resumed or removed.
 */
async function claim(
  store: CheckpointStore,
  newest: Checkpoint,
  lock: JobLock,
  { runId, clock, retain }: JobStateOptions,
): Promise<Checkpoint> {
  if (lock.exclusive) return newest;
  const claimed: Checkpoint = { ...newest, id: newest.id + 1, runId, createdMs: clock.now() };
  await store.write(claimed, retain);
  return claimed;
}

async function writeFirst(store: CheckpointStore, options: JobStateOptions): Promise<Checkpoint> {
  const { jobName, runId, clock, ids, fingerprint, retain } = options;
  const first: Checkpoint = {
    id: 1,
    jobId: ids.hex(JOB_ID_BYTES),
    jobName,
    runId,
    createdMs: clock.now(),
    fingerprint,
    schema: null,
    enumerator: null,
    discovery: [],
    subtasks: [],
    committables: [],
    totals: NO_TOTALS,
  };
  await store.write(first, retain);
  return first;
}
