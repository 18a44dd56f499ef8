/** What a job that de-duplicates cannot have. */
import type { CompiledJob } from '../core/compiled-job.ts';
import { windowBytes } from '../transform/key-window.ts';
import type { Problem } from './problems.ts';
import { formatSize } from './units.ts';

/** Where one window of keys would not see all rows, or would see a row that comes a second time. */
export function* deduplicate(job: CompiledJob): Iterable<Problem> {
  const steps = [...job.transform.entries()].filter(([, { kind }]) => kind === 'deduplicate');
  for (const [n, [i, step]] of steps.entries()) {
    const path = ['transform', i, 'deduplicate'];
    if (n > 0) yield { path, message: 'a job de-duplicates once' };
    if (job.parallelism !== 1)
      yield {
        path,
        message: `subtasks do not know each other's keys, and there are ${job.parallelism}: set \`parallelism: 1\``,
      };
    if (job.quarantine !== null)
      yield {
        path,
        message:
          'a quarantined row would be a duplicate of itself when it is replayed: leave `quarantine` out, or de-duplicate in a job of its own',
      };
    if (step.kind === 'deduplicate' && windowBytes(step.rows) > job.memoryBytes / 2)
      yield {
        path: [...path, 'window', 'rows'],
        message: `${step.rows} keys take ${formatSize(windowBytes(step.rows))}, more than half of \`memory\``,
      };
  }
}
