/** Takes hold of a job, for one process at a time: its storage, its lock and its state. */
import type { Clock } from '../core/clock.ts';
import type { CompiledJob } from '../core/compiled-job.ts';
import type { Ids } from '../core/ids.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { acquireJobLock } from '../storage/job-lock.ts';
import { jobFingerprint } from './fingerprint.ts';
import { type JobState, openJobState } from './job-state.ts';

export interface JobHolder {
  /** Closed in the end. */
  readonly fileSystem: FileSystem;
  readonly runId: string;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** @throws SluiceError what openJobState throws; what `work` does */
export async function holdJob<T>(
  job: CompiledJob,
  { fileSystem, runId, clock, ids }: JobHolder,
  work: (state: JobState) => Promise<T>,
): Promise<T> {
  try {
    const state = await openJobState({
      jobName: job.name,
      statePath: job.statePath,
      sinkPath: job.sink.path,
      fingerprint: jobFingerprint(job),
      retain: job.checkpoint.retain,
      ...{ runId, fileSystem, clock, ids },
      lock: () => acquireJobLock(job.statePath, ids, { runId, startedMs: clock.now() }),
    });
    try {
      return await work(state);
    } finally {
      await state.lock.release();
    }
  } finally {
    await fileSystem.close?.();
  }
}
