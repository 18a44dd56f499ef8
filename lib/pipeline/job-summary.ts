/** What a run did: the difference between two checkpoints. */
import type { Totals } from '../commit/checkpoint.ts';
import type { JobSummary } from './progress.ts';

export function summarize(
  before: Totals,
  after: Totals,
  run: Pick<JobSummary, 'job' | 'seconds' | 'checkpoints' | 'stopped' | 'timings'>,
): JobSummary {
  return {
    job: run.job,
    files: after.files - before.files,
    rows: after.rows - before.rows,
    rejected: after.rejected - before.rejected,
    late: after.late - before.late,
    filtered: (after.filtered ?? 0) - (before.filtered ?? 0),
    duplicates: (after.duplicates ?? 0) - (before.duplicates ?? 0),
    quarantined: (after.quarantined ?? 0) - (before.quarantined ?? 0),
    bytes_in: after.bytesIn - before.bytesIn,
    parts: after.parts - before.parts,
    bytes_out: after.bytesOut - before.bytesOut,
    seconds: run.seconds,
    checkpoints: run.checkpoints,
    stopped: run.stopped,
    timings: run.timings,
  };
}
