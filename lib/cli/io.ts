/** What the command line touches of its process. Injected, so that tests run commands without one. */
import { availableParallelism } from 'node:os';
import type { Environment } from '../config/environment.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import type { CompiledJob } from '../core/compiled-job.ts';
import { type Ids, newRunId, randomIds } from '../core/ids.ts';
import type { S3Spec } from '../core/specs.ts';
import type { JobSummary } from '../pipeline/progress.ts';
import type { RunOptions } from '../pipeline/run-options.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { startThreads, type Threads } from './threads.ts';

export type StopSignal = 'SIGINT' | 'SIGTERM';
const STOP_SIGNALS: readonly StopSignal[] = ['SIGINT', 'SIGTERM'];
/** A terminal, and a program that started this one (npx), both pass a signal on: what comes so soon is the same one. */
const SAME_SIGNAL_MS = 500;
/** How long a start may take until it listens to a signal. */
const HOLD_MS = 5000;

export interface OutputStream extends NodeJS.WritableStream {
  /** Whether it is a terminal. */
  readonly isTTY?: boolean;
  /** Characters a line, on a terminal. */
  readonly columns?: number;
}

export interface Engine {
  readonly runJob: (job: CompiledJob, options: RunOptions) => Promise<JobSummary>;
}

export interface CliIo {
  /** For machines: JSON, YAML. */
  readonly stdout: OutputStream;
  /** For people. */
  readonly stderr: OutputStream;
  readonly environment: Environment;
  /** Absolute; relative paths of the command line are relative to it. */
  readonly workingFolder: string;
  /** Cores there are. */
  readonly parallelism: number;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Loaded when it is needed: `sluice --version` needs no storage. */
  readonly openFileSystem: (s3: S3Spec) => Promise<FileSystem>;
  /** What runs jobs; loaded when it is first asked for. */
  readonly loadEngine: () => Promise<Engine>;
  /** The threads that a job runs in. The first one starts at the first call; later calls give the same. */
  readonly startThreads: () => Promise<Threads>;
  /** Of all threads of the process, from their next collection on: see heap-growth.ts. */
  readonly setHeapGrowth: (percent: number) => void;
  /** Calls back for each signal that asks to stop. The returned function stops that, and gives the signals back. */
  readonly onSignal: (listener: (signal: StopSignal) => void) => () => void;
  /** Ends the process at once. */
  readonly exit: (status: number) => void;
}

/** Of a process that a signal ended. */
export function statusOf(signal: StopSignal): number {
  return signal === 'SIGINT' ? 130 : 143;
}

/** @param holdSignals whether a signal that comes before anybody listens waits, instead of ending the process */
export function processIo(holdSignals: boolean): CliIo {
  for (const stream of [process.stdout, process.stderr]) {
    // Whoever read our output went away (`| head`). A daemon does not stop for that.
    stream.on('error', () => {});
  }
  let threads: Promise<Threads> | null = null;
  let early = null as StopSignal | null;
  const hold = (signal: StopSignal) => {
    if (early !== null) return;
    early = signal;
    systemClock.after(HOLD_MS, () => {
      if (early !== null) process.exit(statusOf(signal));
    });
  };
  if (holdSignals) for (const signal of STOP_SIGNALS) process.on(signal, hold);
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    workingFolder: process.cwd(),
    parallelism: availableParallelism(),
    clock: systemClock,
    ids: randomIds,
    openFileSystem: async (s3) => {
      const { openFileSystem } = await import('../storage/open-file-system.ts');
      const onWarning = (message: string) => process.stderr.write(`warning ${message}\n`);
      return openFileSystem({ runId: newRunId(randomIds), s3, onWarning });
    },
    loadEngine: () => import('../pipeline/job-runner.ts'),
    startThreads: () => (threads ??= startThreads(process.env)),
    // This file is also loaded by the threads, which have no need for all that comes with the module.
    setHeapGrowth: (percent) =>
      process.getBuiltinModule('node:v8').setFlagsFromString(`--heap-growing-percent=${percent}`),
    onSignal(listener) {
      let lastMs = Number.NEGATIVE_INFINITY;
      const listen = (signal: StopSignal) => {
        const nowMs = systemClock.elapsed();
        if (nowMs - lastMs < SAME_SIGNAL_MS) return;
        lastMs = nowMs;
        listener(signal);
      };
      for (const signal of STOP_SIGNALS) process.on(signal, listen).off(signal, hold);
      if (early !== null) listen(early);
      early = null;
      return () => {
        for (const signal of STOP_SIGNALS) process.off(signal, listen);
      };
    },
    exit: (status) => process.exit(status),
  };
}
