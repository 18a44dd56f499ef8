/**
 * What keeps a second process away from a job whose state lies in a folder. On the local disk the kernel does. An object
 * store knows no processes: there, whoever starts claims the job with a checkpoint of its own, and the one before is
 * fenced off at its next (see lib/commit/job-state.ts).
 */
import type { Ids } from '../core/ids.ts';
import { isS3Location } from '../core/location.ts';
import {
  acquireProcessLock,
  type LockOwner,
  lockOwner,
  type ProcessLock,
  type RunIdentity,
} from './local/process-lock.ts';

export interface JobLock extends ProcessLock {
  /** Whether no other process can hold the job as long as this lock is held. */
  readonly exclusive: boolean;
}

/** @throws SluiceError JOB_RUNNING */
export async function acquireJobLock(statePath: string, ids: Ids, run: RunIdentity): Promise<JobLock> {
  if (isS3Location(statePath)) return { exclusive: false, release: async () => {} };
  const lock = await acquireProcessLock(statePath, ids, run);
  return { exclusive: true, release: () => lock.release() };
}

/** Who runs a job: null where nobody does, `unknown` where that cannot be told. */
export async function jobOwner(statePath: string): Promise<LockOwner | 'unknown' | null> {
  return isS3Location(statePath) ? 'unknown' : lockOwner(statePath);
}
