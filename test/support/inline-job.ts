/** Runs a job in this process, on the local disk, its subtasks in this thread: for tests that watch or break it. */

import { systemClock } from '../../lib/core/clock.ts';
import type { CompiledJob } from '../../lib/core/compiled-job.ts';
import { runJob } from '../../lib/pipeline/job-runner.ts';
import type { JobEvent, JobSummary } from '../../lib/pipeline/progress.ts';
import type { RunOptions } from '../../lib/pipeline/run-options.ts';
import { localFileSystem } from '../../lib/storage/local/local-file-system.ts';
import { inlineSubtasks } from './inline-subtasks.ts';

export function runInline(job: CompiledJob, options: Partial<RunOptions> = {}): Promise<JobSummary> {
  return runJob(job, {
    mode: 'once',
    startSubtask: (config, receive) =>
      inlineSubtasks(localFileSystem(config.runId), systemClock)(config, receive),
    ...options,
  });
}

/** A daemon in this process: `stop` ends it in good order. */
export function startInline(job: CompiledJob): {
  readonly events: readonly JobEvent[];
  readonly ended: Promise<JobSummary>;
  readonly stop: () => Promise<JobSummary>;
} {
  const events: JobEvent[] = [];
  const stopping = new AbortController();
  const ended = runInline(job, {
    mode: 'continuously',
    signal: stopping.signal,
    onEvent: (event) => events.push(event),
  });
  // The test awaits it; until then a failure is nobody's.
  ended.catch(() => {});
  return {
    events,
    ended,
    stop: () => {
      stopping.abort();
      return ended;
    },
  };
}
