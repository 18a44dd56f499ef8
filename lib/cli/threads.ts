/** The threads of the commands that run a job. */
import type { Environment } from '../config/environment.ts';
import { killAtFailpoint } from '../core/failpoint.ts';
import type { RunOptions } from '../pipeline/run-options.ts';
import { threadSubtasks } from '../pipeline/subtask-host.ts';

/** A test's: where to kill the process, `name` or `name:nth time`. */
export const FAILPOINT_VARIABLE = 'SLUICE_FAILPOINT';

export type Threads = Pick<RunOptions, 'startSubtask' | 'startMerging'>;

const COMMANDS = new Set(['run', 'backfill', 'replay']);

/** Whether one of these commands is meant, as far as can be told before the command line is understood. */
export function needsThreads(argv: readonly string[]): boolean {
  return argv.some((argument) => COMMANDS.has(argument));
}

/** The first thread starts at once. */
export async function startThreads(environment: Environment): Promise<Threads> {
  const failpoint = environment[FAILPOINT_VARIABLE] ?? '';
  if (failpoint === '') return { startSubtask: threadSubtasks(null) };
  const { threadMerging } = await import('../compaction/merge-host.ts');
  killAtFailpoint(failpoint);
  return { startSubtask: threadSubtasks(failpoint), startMerging: threadMerging(failpoint) };
}
