/**
 * Looks at everything under a job's paths that is not a finished part, says of each file whether it is still needed and
 * by what, and removes what nothing can need. Safe beside the running job, see verdict.ts.
 */
import type { Clock } from '../../core/clock.ts';
import type { CompiledJob } from '../../core/compiled-job.ts';
import { SluiceError } from '../../core/errors.ts';
import { nameOf } from '../../core/location.ts';
import type { FileSystem } from '../../storage/file-system.ts';
import type { LockOwner } from '../../storage/local/process-lock.ts';
import { CheckpointStore } from '../checkpoint-store.ts';
import { jobFingerprint, proveJobFits } from '../fingerprint.ts';
import { proveLakeMatches, readLakeMarker } from '../lake-marker.ts';
import { writtenFolders } from '../leftovers.ts';
import { replacedFiles } from '../partitions/replaced-files.ts';
import { claimsOf } from './claims.ts';
import { type FoundFile, judge, type Verdict } from './verdict.ts';

export interface GarbageOptions {
  readonly job: CompiledJob;
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly lockOwner: () => Promise<LockOwner | null>;
  readonly dryRun: boolean;
  /** Orphans younger than this stay. Milliseconds. */
  readonly minAgeMs: number;
}

export interface JudgedFile {
  readonly path: string;
  readonly area: FoundFile['area'];
  readonly sizeBytes: number;
  readonly ageMs: number;
  readonly verdict: Verdict;
  /** removed · kept: nothing is done to it · would remove: dry run · too young: an orphan, for a later run */
  readonly outcome: 'removed' | 'kept' | 'would remove' | 'too young';
}

export interface GarbageReport {
  readonly running: LockOwner | null;
  /** null: the job never wrote one. */
  readonly newestCheckpoint: number | null;
  readonly files: readonly JudgedFile[];
}

type Candidate = FoundFile & { readonly sizeBytes: number; readonly modifiedMs: number };

/**
 * @throws SluiceError STATE_CORRUPT, STATE_VERSION, STATE_MISSING, JOB_MISMATCH: then nothing was removed, because what
 *   is needed cannot be told
 */
export async function collectGarbage(options: GarbageOptions): Promise<GarbageReport> {
  const { job, fileSystem, clock, dryRun, minAgeMs } = options;
  // This order is what the verdicts rest on.
  const found = await findFiles(job, fileSystem);
  const running = await options.lockOwner();
  const store = new CheckpointStore(fileSystem, job.statePath);
  const newest = await store.load();
  const marker = await readLakeMarker(fileSystem, job.sink.path, job.name);
  proveLakeMatches(marker, newest?.jobId ?? null, job.sink.path, job.name, job.statePath);
  if (newest !== null) proveJobFits(newest.fingerprint, jobFingerprint(job), job.statePath);

  const claims = claimsOf(store.retained.slice(-job.checkpoint.retain));
  const names = { jobName: job.name, jobId: newest?.jobId ?? null, replaced: replacedFiles(job) };
  const files: JudgedFile[] = [];
  for (const file of found) {
    const verdict = judge(file, claims, running, names);
    const ageMs = Math.max(0, clock.now() - file.modifiedMs);
    let outcome: JudgedFile['outcome'] = 'kept';
    if (verdict.kind === 'orphan') {
      if (ageMs < minAgeMs) outcome = 'too young';
      else if (dryRun) outcome = 'would remove';
      else {
        await remove(file, fileSystem);
        outcome = 'removed';
      }
    }
    const { path, area, sizeBytes } = file;
    files.push({ path, area, sizeBytes, ageMs, verdict, outcome });
  }
  return { running, newestCheckpoint: newest?.id ?? null, files };
}

async function findFiles(job: CompiledJob, fileSystem: FileSystem): Promise<Candidate[]> {
  // By path: the state may lie below the lake, and a file is judged by the area that knows most about it.
  const found = new Map<string, Candidate>();
  for (const area of ['checkpoints', 'segments'] as const)
    await list(`${job.statePath}/${area}`, area, () => true, fileSystem, found);
  for (const folder of new Set(writtenFolders(job))) {
    // In the staging folder nothing is finished.
    const wanted = folder === job.sink.staging ? () => true : isHidden;
    await list(folder, 'lake', wanted, fileSystem, found);
    for await (const uploads of fileSystem.unfinishedUploads?.list(folder) ?? []) {
      for (const { path, uploadId, startedMs, sizeBytes } of uploads)
        found.set(`${path}?${uploadId}`, {
          area: 'uploads',
          path,
          name: nameOf(path),
          uploadId,
          startedMs,
          sizeBytes,
          modifiedMs: startedMs,
        });
    }
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function list(
  folder: string,
  area: 'lake' | 'checkpoints' | 'segments',
  wanted: (name: string) => boolean,
  fileSystem: FileSystem,
  found: Map<string, Candidate>,
): Promise<void> {
  if ((await fileSystem.stat(folder)) === null) return;
  const options = {
    enterFolder: () => area === 'lake',
    wantFile: (file: string) => wanted(nameOf(file)),
  };
  for await (const files of fileSystem.list(folder, options)) {
    for (const { path, sizeBytes, modifiedNs } of files) {
      if (found.has(path)) continue;
      const modifiedMs = Number(modifiedNs / 1_000_000n);
      found.set(path, { area, path, name: nameOf(path), sizeBytes, modifiedMs });
    }
  }
}

/** Whether readers skip it: everything else is a finished part, or somebody else's. */
function isHidden(name: string): boolean {
  return name.startsWith('.') || name.startsWith('_');
}

async function remove(file: Candidate, fileSystem: FileSystem): Promise<void> {
  if (file.area !== 'uploads') {
    await fileSystem.remove(file.path);
    return;
  }
  if (fileSystem.unfinishedUploads === undefined)
    throw new SluiceError('INTERNAL', `${file.path}: an upload where the storage has none`);
  await fileSystem.unfinishedUploads.abort(file.path, file.uploadId);
}
