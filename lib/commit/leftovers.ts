/**
 * Hidden files that dead runs of a job left in the lake and that no retained checkpoint can need: written after its
 * last checkpoint, or superseded. Flink leaves them for ever (FLINK-10963).
 */
import type { CompiledJob } from '../core/compiled-job.ts';
import { nameOf } from '../core/location.ts';
import type { FileSystem, UnfinishedUpload } from '../storage/file-system.ts';
import type { Checkpoint } from './checkpoint.ts';
import { claimsOf } from './gc/claims.ts';
import { judge } from './gc/verdict.ts';

/** Where a job has hidden files and uploads. */
export function writtenFolders({ sink, quarantine }: CompiledJob): string[] {
  return [sink.path, sink.staging, quarantine?.path ?? null].filter((folder) => folder !== null);
}

/** Whose leftovers. */
export interface LeftoversOf {
  readonly jobName: string;
  readonly jobId: string;
  /** Of the caller, which has the job. */
  readonly runId: string;
  /** Checkpoints that recovery could start from. */
  readonly needed: readonly Checkpoint[];
  /** Names of files that the job writes and replaces in its buckets. */
  readonly replaced: readonly string[];
}

/**
 * Removes hidden files. Anything not named like a hidden part of this job is never touched, nor are those of the present
 * run.
 * @param proveOwner throws once another process has the job. Asked between finding and removing: what was found before
 *   is then of runs that were fenced off, and not the other process's
 * @param signal stops it between two pieces of the listing
 * @returns the paths removed
 */
export async function removeLeftovers(
  fileSystem: FileSystem,
  folders: readonly string[],
  { jobName, jobId, runId, needed, replaced }: LeftoversOf,
  proveOwner: () => Promise<void>,
  signal?: AbortSignal,
): Promise<string[]> {
  const claims = claimsOf(needed);
  const runner = { runId, startedMs: null };
  const removed: string[] = [];
  for (const folder of folders) {
    if ((await fileSystem.stat(folder)) === null) continue;
    const isHidden = (file: string) => file.startsWith('.', file.lastIndexOf('/') + 1);
    for await (const files of fileSystem.list(folder, { enterFolder: () => true, wantFile: isHidden })) {
      const stale = files.filter(({ path }) => {
        const name = nameOf(path);
        return (
          judge({ area: 'lake', path, name }, claims, runner, { jobName, jobId, replaced }).kind === 'orphan'
        );
      });
      if (signal?.aborted) return removed;
      if (stale.length > 0) await proveOwner();
      for (const { path } of stale) if (await fileSystem.remove(path)) removed.push(path);
    }
  }
  return removed;
}

/**
 * Uploads of this job's parts that no checkpoint needs. To be found before this run begins any: an upload does not say
 * who began it.
 */
export async function findStaleUploads(
  fileSystem: FileSystem,
  folders: readonly string[],
  { jobName, jobId, needed, replaced }: LeftoversOf,
): Promise<readonly UnfinishedUpload[]> {
  const claims = claimsOf(needed);
  const stale: UnfinishedUpload[] = [];
  for (const folder of folders) {
    for await (const uploads of fileSystem.unfinishedUploads?.list(folder) ?? []) {
      for (const upload of uploads) {
        const name = nameOf(upload.path);
        const verdict = judge({ area: 'uploads', ...upload, name }, claims, null, {
          jobName,
          jobId,
          replaced,
        });
        if (verdict.kind === 'orphan') stale.push(upload);
      }
    }
  }
  return stale;
}

/** Both, once a run has begun. @param proveOwner, signal as for `removeLeftovers` */
export async function tidyUp(
  fileSystem: FileSystem,
  folders: readonly string[],
  leftovers: LeftoversOf,
  uploads: readonly UnfinishedUpload[],
  proveOwner: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  if (uploads.length > 0) await proveOwner();
  for (const { path, uploadId } of uploads) {
    if (signal.aborted) return;
    await fileSystem.unfinishedUploads?.abort(path, uploadId);
  }
  await removeLeftovers(fileSystem, folders, leftovers, proveOwner, signal);
}
