/**
 * A job's state as a process takes hold of it: the lock, the newest checkpoint (or a first one), proven to belong to
 * this job and this lake. Everything that can be wrong with state is found here, before a row is read.
 */
import type { Clock } from '../core/clock.ts';
import type { Ids } from '../core/ids.ts';
import type { FileSystem } from '../storage/file-system.ts';
import type { ProcessLock } from '../storage/local/process-lock.ts';
import { type Checkpoint, type JobFingerprint, NO_TOTALS } from './checkpoint.ts';
import { CheckpointStore } from './checkpoint-store.ts';
import { proveJobFits } from './fingerprint.ts';
import { proveLakeMatches, readLakeMarker, writeLakeMarker } from './lake-marker.ts';

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
  readonly lock: () => Promise<ProcessLock>;
}

export interface JobState {
  readonly lock: ProcessLock;
  readonly store: CheckpointStore;
  /** What the run goes on from. */
  readonly base: Checkpoint;
  /** Whether there was no state before. */
  readonly fresh: boolean;
}

/**
 * @throws SluiceError JOB_RUNNING, STATE_CORRUPT, STATE_VERSION, STATE_MISSING, JOB_MISMATCH; the lock is then free
 *   again and nothing has changed
 */
export async function openJobState(options: JobStateOptions): Promise<JobState> {
  const lock = await options.lock();
  try {
    const { fileSystem, statePath, sinkPath, jobName } = options;
    const store = new CheckpointStore(fileSystem, statePath);
    const newest = await store.load();
    const marker = await readLakeMarker(fileSystem, sinkPath, jobName);
    proveLakeMatches(marker, newest?.jobId ?? null, sinkPath, jobName, statePath);
    const begun = newest !== null && hasBegun(newest);
    if (begun) proveJobFits(newest.fingerprint, options.fingerprint, statePath);
    await store.removeTemporaries();
    const { fingerprint } = options;
    // Nothing was read under the old job file: a first start that failed for a wrong path may be corrected.
    const base = newest === null ? await writeFirst(store, options) : { ...newest, fingerprint };
    // After the state, so that a crash in between leaves state without a marker: the next start makes it.
    if (marker === null) await writeLakeMarker(fileSystem, sinkPath, jobName, base.jobId);
    return { lock, store, base, fresh: newest === null };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Whether anything was read or written since the state was made. */
function hasBegun(checkpoint: Checkpoint): boolean {
  return checkpoint.enumerator !== null || checkpoint.subtasks.length > 0;
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
