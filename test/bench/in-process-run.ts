/**
 * A job run several times in one process, subtask and coordinator in one thread: what it costs once the code is warm,
 * and where. Stages are timed by the CPU, so that they mean something on a busy machine too; threads that compile,
 * collect garbage or do I/O meanwhile count for the stage that is under way. `tsx in-process-run.ts <job file> <runs>`.
 */
import path from 'node:path';
import { readJob } from '../../lib/config/read-job.ts';
import { type Clock, systemClock } from '../../lib/core/clock.ts';
import { runJob } from '../../lib/pipeline/job-runner.ts';
import { localFileSystem } from '../../lib/storage/local/local-file-system.ts';
import { inlineSubtasks } from '../support/inline-subtasks.ts';
import { repeat } from './in-process.mjs';

const [file = '', runs = '5'] = process.argv.slice(2);
const cpuClock: Clock = {
  ...systemClock,
  elapsed() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
};
const job = await readJob(path.resolve(file), {
  fileSystem: localFileSystem('bench'),
  environment: process.env,
  parallelism: 1,
});

await repeat(Number(runs), [job.sink.path, job.statePath], async () => {
  const { timings } = await runJob(
    { ...job, parallelism: 1 },
    { mode: 'once', startSubtask: inlineSubtasks(localFileSystem('bench'), cpuClock) },
  );
  return { timings };
});
