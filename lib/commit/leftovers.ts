/**
 * Hidden files that dead runs of a job left in the lake and that no retained checkpoint can need: written after its
 * last checkpoint, or superseded. Flink leaves them for ever (FLINK-10963).
 */
import type { FileSystem } from '../storage/file-system.ts';
import type { Checkpoint } from './checkpoint.ts';
import { claimsOf } from './gc/claims.ts';
import { judge } from './gc/verdict.ts';

/**
 * Removes them. Anything not named like a hidden part of this job is never touched, nor are those of the present run.
 * @param runId of the caller, which has the job's lock
 * @param replaced names of files that the job writes and replaces in its buckets
 * @param needed checkpoints that recovery could start from
 * @returns the paths removed
 */
export async function removeLeftovers(
  fileSystem: FileSystem,
  folders: readonly string[],
  jobName: string,
  jobId: string,
  runId: string,
  needed: readonly Checkpoint[],
  replaced: readonly string[] = [],
): Promise<string[]> {
  const claims = claimsOf(needed);
  const runner = { runId, startedMs: null };
  const removed: string[] = [];
  for (const folder of folders) {
    if ((await fileSystem.stat(folder)) === null) continue;
    const isHidden = (file: string) => file.startsWith('.', file.lastIndexOf('/') + 1);
    for await (const files of fileSystem.list(folder, { enterFolder: () => true, wantFile: isHidden })) {
      for (const { path } of files) {
        const name = path.slice(path.lastIndexOf('/') + 1);
        const verdict = judge({ area: 'lake', path, name }, claims, runner, { jobName, jobId, replaced });
        if (verdict.kind === 'orphan' && (await fileSystem.remove(path))) removed.push(path);
      }
    }
  }
  return removed;
}
