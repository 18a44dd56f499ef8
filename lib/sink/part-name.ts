/**
 * Names of part files: `<prefix>-<job id>-<subtask>-<counter><suffix>`, hidden as `.<name>.inprogress.<run id>` until
 * they are committed. The job id is random and made once, so two jobs in one folder never meet; the counter comes from
 * the checkpoint and never goes back, so a name is never used twice. Gaps mean nothing. Parts that compaction made have
 * `c` in place of the subtask, and a counter of their own.
 */
import { nameOf } from '../core/location.ts';

export interface PartNaming {
  readonly prefix: string;
  /** 8 hex digits. */
  readonly jobId: string;
  /** What every name ends with: `.parquet`, `.ndjson.gz`. */
  readonly suffix: string;
}

export function partName(naming: PartNaming, subtask: number, counter: number): string {
  return `${naming.prefix}-${naming.jobId}-${subtask}-${counter}${naming.suffix}`;
}

/**
 * The run that made a hidden file of this job; null for any other name. The prefix may have changed between runs. In an
 * object store, the pieces of a hidden file carry the run that wrote them as well.
 */
export function hiddenPartRun(name: string, jobId: string): string | null {
  const match = /^\..*-([0-9a-f]{8})-(?:\d+|c)-\d+[^/]*\.inprogress\.([0-9a-f]+)(?:\.([0-9a-f]+)-\d+)?$/.exec(
    name,
  );
  return match !== null && match[1] === jobId ? (match[3] ?? match[2] ?? null) : null;
}

/** Whether a name is that of a part of this job, finished or to be. The prefix may have changed between runs. */
export function isPartName(name: string, jobId: string): boolean {
  return /^[^._].*-([0-9a-f]{8})-(?:\d+|c)-\d+[^/]*$/.exec(name)?.[1] === jobId;
}

/** What stands behind the counter in the name of a part of this job: `.ndjson.gz`. */
export function partSuffix(path: string, jobId: string): string {
  const name = nameOf(path);
  return new RegExp(`-${jobId}-(?:\\d+|c)-\\d+([^/]*)$`).exec(name)?.[1] ?? '';
}
