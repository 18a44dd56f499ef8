/** `sluice run` and `sluice backfill`: one job, driven in two ways. */

import { MAX_PARALLELISM, MIN_MEMORY_BYTES } from '../../config/bounds.ts';
import { formatSize } from '../../config/units.ts';
import type { CompiledJob } from '../../core/compiled-job.ts';
import { SluiceError } from '../../core/errors.ts';
import type { ProcessingMode } from '../../core/specs.ts';
import type { JobProgress, JobSummary } from '../../pipeline/progress.ts';
import type { RunOptions } from '../../pipeline/run-options.ts';
import { shutdownTimeout } from '../../pipeline/shutdown-timeout.ts';
import type { CommandContext, RunCommandOptions } from '../commands.ts';
import { heapGrowthPercent } from '../heap-growth.ts';
import { counted, humanBytes, humanCount, humanDuration, humanRate } from '../human.ts';
import { type CliIo, statusOf } from '../io.ts';
import type { Output } from '../output.ts';
import { createProgressDisplay } from '../progress/progress-display.ts';
import { loadJob } from './load-job.ts';

export async function runCommand(
  file: string,
  mode: ProcessingMode,
  options: RunCommandOptions,
  { io, output }: CommandContext,
): Promise<void> {
  const job = overridden((await loadJob(file, io)).job, options);
  const onRead = onceRead(() => io.setHeapGrowth(heapGrowthPercent(job)));
  const summary = await runUntilStopped(job, mode, io, output, async (started) => {
    const { runJob } = await io.loadEngine();
    return runJob(job, {
      mode,
      acceptMissing: options.acceptMissing,
      ...started,
      onProgress: (progress) => {
        onRead(progress);
        started.onProgress?.(progress);
      },
    });
  });
  if (mode === 'once') {
    if (output.json) output.document(documentOf(summary, options.timings === true));
  } else if (output.json) {
    output.document({ type: 'summary', ...documentOf(summary, options.timings === true) });
  }
  output.note(sentenceOf(summary));
  if (options.timings === true) output.answer(timingsOf(summary));
}

/**
 * Calls back once rows are read in this run: nothing is told of before all its threads have loaded. What is loaded while
 * V8 is set otherwise than by default has to be compiled anew.
 */
function onceRead(act: () => void): (progress: JobProgress) => void {
  let before: number | null = null;
  let done = false;
  return ({ bytesRead }) => {
    before ??= bytesRead;
    if (done || bytesRead === before) return;
    done = true;
    act();
  };
}

function overridden(job: CompiledJob, { memory, parallelism }: RunCommandOptions): CompiledJob {
  if (memory !== undefined && memory < MIN_MEMORY_BYTES) {
    throw new SluiceError('USAGE', `--memory ${formatSize(memory)} is too little`, {
      hint: `give at least ${formatSize(MIN_MEMORY_BYTES)}`,
    });
  }
  if (parallelism !== undefined && (parallelism < 1 || parallelism > MAX_PARALLELISM)) {
    throw new SluiceError('USAGE', `there cannot be ${parallelism} subtasks`, {
      hint: `give --parallelism a whole number from 1 to ${MAX_PARALLELISM}`,
    });
  }
  return { ...job, memoryBytes: memory ?? job.memoryBytes, parallelism: parallelism ?? job.parallelism };
}

/** What a job may take beyond `shutdown_timeout` to say so itself. It cannot while it waits for its storage at the start. */
const SHUTDOWN_GRACE_MS = 5000;

/** The first signal asks the job to stop in good order; a second one ends the process, as safely as a crash would. */
export async function runUntilStopped<Summary>(
  { shutdownTimeoutMs }: CompiledJob,
  mode: ProcessingMode,
  io: CliIo,
  output: Output,
  start: (options: Omit<RunOptions, 'mode'>) => Promise<Summary>,
): Promise<Summary> {
  const stopping = new AbortController();
  const display = await createProgressDisplay(mode, io, output);
  let cancelTimeout = () => {};
  const releaseSignals = io.onSignal((signal) => {
    if (stopping.signal.aborted) {
      io.exit(statusOf(signal));
      return;
    }
    display.pause();
    output.note(`stopping (${signal}): the last checkpoint is being taken; a second signal stops at once`);
    stopping.abort();
    cancelTimeout = io.clock.after(shutdownTimeoutMs + SHUTDOWN_GRACE_MS, () => {
      const error = shutdownTimeout(shutdownTimeoutMs);
      output.error(error);
      io.exit(error.exitCode);
    });
  });
  try {
    return await start({
      signal: stopping.signal,
      onProgress: (progress) => display.progress(progress),
      onEvent: (event) => display.event(event),
      ...(await io.startThreads()),
    });
  } finally {
    cancelTimeout();
    display.close();
    releaseSignals();
  }
}

/** What `--json` prints of a run. */
export function documentOf(summary: JobSummary, withTimings: boolean): object {
  const { timings, stopped, late, duplicates, ...counts } = summary;
  return {
    ...counts,
    ...(duplicates > 0 ? { duplicates } : {}),
    ...(late > 0 ? { late } : {}),
    ...(stopped ? { stopped } : {}),
    ...(withTimings ? { timings_ms: timings } : {}),
  };
}

function sentenceOf(summary: JobSummary): string {
  const {
    job,
    files,
    rows,
    rejected,
    filtered,
    duplicates,
    quarantined,
    late,
    bytes_in,
    parts,
    bytes_out,
    seconds,
    stopped,
  } = summary;
  const what = `${counted(files, 'file')}, ${counted(rows, 'row')} (${humanBytes(bytes_in)}) into ${counted(parts, 'part')} (${humanBytes(bytes_out)})`;
  const how = `in ${humanDuration(seconds * 1000)}, ${humanRate(bytes_in, seconds * 1000)}`;
  const besides = [
    ...(rejected === 0 ? [] : [`${counted(rejected, 'record')} rejected`]),
    ...(filtered === 0 ? [] : [`${counted(filtered, 'row')} filtered out`]),
    ...(duplicates === 0 ? [] : [`${humanCount(duplicates)} of them duplicates`]),
    ...(quarantined === 0 ? [] : [`${counted(quarantined, 'record')} quarantined`]),
    ...(late === 0 ? [] : [`${counted(late, 'row')} late`]),
  ];
  return `${job}: ${stopped ? 'stopped after ' : ''}${[`${what} ${how}`, ...besides].join('; ')}`;
}

function timingsOf({ timings }: JobSummary): string {
  const stages = Object.entries(timings).map(([stage, ms]) => `${stage} ${humanDuration(ms)}`);
  return `time by stage, summed over subtasks: ${stages.join(', ')}`;
}
