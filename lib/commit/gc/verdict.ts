/**
 * Whether a file may go: a pure decision over what was found, what retained checkpoints name, and who runs the job.
 *
 * What makes it safe beside a running daemon is the order in which the three were looked at: first the files, then who
 * runs the job, then the checkpoints. A file found then, whose run no longer has the lock, can be named by later
 * checkpoints only if it was named by the newest one already, because a run names only files that it made itself and
 * those that it recovered. So an orphan stays an orphan, however old the verdict is when the file is removed.
 */
import { hiddenPartRun, isPartName } from '../../sink/part-name.ts';
import { isLakeMarker, markerRun } from '../lake-marker.ts';
import { manifestName } from '../lake-table.ts';
import type { Claim, Claims } from './claims.ts';

export type FoundFile =
  /** A hidden file of the lake or the staging folder. */
  | { readonly area: 'lake'; readonly path: string; readonly name: string }
  | { readonly area: 'checkpoints' | 'segments'; readonly path: string; readonly name: string }
  /** A write that no listing of files shows. `name` is the last piece of the name it would get. */
  | {
      readonly area: 'uploads';
      readonly path: string;
      readonly name: string;
      readonly uploadId: string;
      readonly startedMs: number;
    };

/** Who had the job's lock after the files were listed. null: nobody. */
export interface Runner {
  /** null where it does not answer: it may be any run. */
  readonly runId: string | null;
  readonly startedMs: number | null;
}

export type Verdict =
  | Claim
  /** The process that runs the job has it, or may have it. */
  | { readonly kind: 'in use' }
  /** A lasting file of the job. */
  | { readonly kind: 'kept'; readonly why: string }
  | { readonly kind: 'orphan'; readonly why: string }
  | { readonly kind: 'not ours' };

export interface JobNames {
  readonly jobName: string;
  /** null where the job never wrote a checkpoint: then nothing in the lake is its own. */
  readonly jobId: string | null;
  /** Names of files that the job writes and replaces in its buckets (`_SUCCESS`). */
  readonly replaced?: readonly string[];
}

/** How far the clocks of a storage and of this machine may be apart. */
const CLOCK_SKEW_MS = 15 * 60_000;

export function judge(file: FoundFile, claims: Claims, runner: Runner | null, names: JobNames): Verdict {
  switch (file.area) {
    case 'lake':
      return judgeHidden(file, claims, runner, names);
    case 'checkpoints':
      return judgeCheckpoint(file, claims, runner);
    case 'segments':
      return judgeSegment(file, claims, runner);
    case 'uploads':
      return judgeUpload(file, claims, runner, names);
  }
}

function judgeHidden(
  { path, name }: FoundFile & { area: 'lake' },
  claims: Claims,
  runner: Runner | null,
  { jobName, jobId, replaced = [] }: JobNames,
): Verdict {
  const claim = claims.named.get(path);
  if (claim !== undefined) return claim;
  if (isLakeMarker(name, jobName)) return { kind: 'kept', why: 'names the job that the lake belongs to' };
  const lists = jobId === null ? replaced : [...replaced, manifestName(jobId)];
  if (lists.includes(name)) return { kind: 'kept', why: 'says what the partition holds' };
  const run =
    (jobId === null ? null : hiddenPartRun(name, jobId)) ??
    markerRun(name, jobName) ??
    replacedRun(name, lists);
  if (run === null) return { kind: 'not ours' };
  return mayRun(run, runner) ? { kind: 'in use' } : orphanOf(run);
}

function judgeCheckpoint({ name }: FoundFile, claims: Claims, runner: Runner | null): Verdict {
  const digits = /^(\d{10,15})\.checkpoint$/.exec(name)?.[1];
  if (digits === undefined) return judgeTemporary(name, runner);
  const id = Number(digits);
  if (claims.retained.includes(id)) return { kind: 'resumable', checkpointId: id };
  // Written after the checkpoints were read.
  if (id > claims.newestId) return { kind: 'in use' };
  return { kind: 'orphan', why: `older than the ${claims.retained.length} checkpoints that are retained` };
}

function judgeSegment({ name }: FoundFile, claims: Claims, runner: Runner | null): Verdict {
  const claim = claims.named.get(name);
  if (claim !== undefined) return claim;
  const match = /^(\d{1,15})-.+-([0-9a-f]+)\.segment$/.exec(name);
  if (match === null) return judgeTemporary(name, runner);
  // The checkpoint of its number is there and does not name it: no later one will.
  if (Number(match[1]) <= claims.newestId && runner?.runId !== null)
    return { kind: 'orphan', why: 'no retained checkpoint names it' };
  return mayRun(match[2]!, runner) ? { kind: 'in use' } : orphanOf(match[2]!);
}

function judgeTemporary(name: string, runner: Runner | null): Verdict {
  const run = /^\..+\.tmp\.([0-9a-f]+)$/.exec(name)?.[1];
  if (run === undefined) return { kind: 'not ours' };
  return mayRun(run, runner)
    ? { kind: 'in use' }
    : { kind: 'orphan', why: `half written by run ${run}, which is over` };
}

function judgeUpload(
  { name, uploadId, startedMs }: FoundFile & { area: 'uploads' },
  claims: Claims,
  runner: Runner | null,
  { jobId }: JobNames,
): Verdict {
  const claim = claims.named.get(uploadId);
  if (claim !== undefined) return claim;
  if (jobId === null || !isPartName(name, jobId)) return { kind: 'not ours' };
  const why = 'no retained checkpoint names it';
  if (runner === null) return { kind: 'orphan', why };
  // Nothing tells an upload's run but its age.
  const before = runner.startedMs !== null && startedMs < runner.startedMs - CLOCK_SKEW_MS;
  return before
    ? { kind: 'orphan', why: `${why}, and it is older than the running process` }
    : { kind: 'in use' };
}

function mayRun(run: string, runner: Runner | null): boolean {
  return runner !== null && (runner.runId === null || runner.runId === run);
}

function orphanOf(run: string): Verdict {
  return { kind: 'orphan', why: `run ${run} is over, and no retained checkpoint names it` };
}

/** The run that began to write one of these files and died, by the name of what it left; null for any other name. */
function replacedRun(name: string, replaced: readonly string[]): string | null {
  const match = /^\.(.+)\.tmp\.([0-9a-f]+)$/.exec(name);
  return match !== null && replaced.includes(match[1]!) ? match[2]! : null;
}
