/** Who may be running a job, for those who want to remove what nobody needs. */
import type { FileSystem } from '../storage/file-system.ts';
import { jobOwner } from '../storage/job-lock.ts';
import type { LockOwner } from '../storage/local/process-lock.ts';
import { CheckpointStore } from './checkpoint-store.ts';

/**
 * null: nobody. In an object store a process cannot be seen, but only the run that wrote the newest checkpoint can be at
 * work: it claimed the job with one, and fenced off those before.
 */
export async function runnerOf(statePath: string, fileSystem: FileSystem): Promise<LockOwner | null> {
  const owner = await jobOwner(statePath);
  if (owner !== 'unknown') return owner;
  const newest = await new CheckpointStore(fileSystem, statePath).load();
  return newest === null ? null : { processId: null, host: null, runId: newest.runId, startedMs: null };
}
