/**
 * A job run several times in one process, subtask and coordinator in one thread: what it costs once the code is warm,
 * and where. Stages are timed by the CPU, so that they mean something on a busy machine too; threads that compile,
 * collect garbage or do I/O meanwhile count for the stage that is under way. `tsx in-process-run.ts <job file> <runs>`; prints one JSON line a run.
 */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { readJob } from '../../lib/config/read-job.ts';
import { type Clock, systemClock } from '../../lib/core/clock.ts';
import { runJob } from '../../lib/pipeline/job-runner.ts';
import { inlineSubtasks } from '../../lib/pipeline/subtask-host.ts';
import { localFileSystem } from '../../lib/storage/local/local-file-system.ts';

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

for (let run = 0; run < Number(runs); run++) {
  await rm(job.sink.path, { recursive: true, force: true });
  await rm(job.statePath, { recursive: true, force: true });
  const before = process.cpuUsage();
  const started = performance.now();
  const { timings, rows } = await runJob(
    { ...job, parallelism: 1 },
    { mode: 'once', startSubtask: inlineSubtasks(localFileSystem('bench'), cpuClock) },
  );
  const wallSeconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(before);
  const cpuSeconds = (user + system) / 1e6;
  console.log(JSON.stringify({ run, rows, wallSeconds, cpuSeconds, timings }));
}
