/** Where a subtask runs: a thread of its own, or (in tests that need to control it) the caller's. */
import { Worker } from 'node:worker_threads';
import type { Clock } from '../core/clock.ts';
import { SluiceError } from '../core/errors.ts';
import type { FileSystem } from '../storage/file-system.ts';
import type { FromSubtask, ToSubtask } from './messages.ts';
import type { SubtaskConfig } from './subtask-config.ts';
import type { RunningSubtask } from './subtask-start.ts';

export interface SubtaskHost {
  send(message: ToSubtask): void;
  /** Ends it at once, wherever it is. */
  terminate(): Promise<void>;
}

export type StartSubtask = (config: SubtaskConfig, receive: (message: FromSubtask) => void) => SubtaskHost;

/** What the thread needs besides its subtask's configuration. */
export interface ThreadData {
  readonly config: SubtaskConfig;
  /** For tests that kill the process at a failpoint: `name` or `name:nth time`. */
  readonly failpoint: string | null;
}

/** Memory of a thread's young generation: larger than the default, so that a batch's short-lived views die there. */
const YOUNG_GENERATION_MB = 32;

/**
 * Threads run the built program, where this file is in a folder beside `pipeline`; from sources (tests), they need the
 * loader that the main thread has.
 */
const ENTRY = new URL(
  import.meta.url.endsWith('.ts') ? '../pipeline/subtask-thread.ts' : '../pipeline/subtask-thread.js',
  import.meta.url,
);

export function threadSubtasks(failpoint: string | null): StartSubtask {
  return (config, receive) => {
    const workerData: ThreadData = { config, failpoint };
    const worker = new Worker(ENTRY, {
      workerData,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
      ...(ENTRY.pathname.endsWith('.ts') ? { execArgv: ['--import', 'tsx'] } : {}),
    });
    let ended = false;
    worker.on('message', (message: FromSubtask) => {
      ended ||= message.type === 'ended' || message.type === 'failed';
      receive(message);
    });
    const died = (why: string, cause?: unknown) => {
      if (ended) return;
      ended = true;
      const error = new SluiceError('INTERNAL', `subtask ${config.subtask} died: ${why}`, { cause });
      receive({ type: 'failed', subtask: config.subtask, error: error.toJSON() });
    };
    worker.on('error', (error) => died(error instanceof Error ? error.message : String(error), error));
    worker.on('exit', (code) => died(`its thread ended with code ${code}`));
    return {
      send: (message) => worker.postMessage(message),
      terminate: async () => {
        ended = true;
        await worker.terminate();
      },
    };
  };
}

/** Subtasks in the calling thread, on its clock and file system. Messages are copied as a thread would. */
export function inlineSubtasks(fileSystem: FileSystem, clock: Clock): StartSubtask {
  return (config, receive) => {
    const early: ToSubtask[] = [];
    let running: RunningSubtask | null = null;
    let dead = false;
    const send = (message: FromSubtask) => {
      setImmediate(() => {
        if (!dead) receive(structuredClone(message));
      });
    };
    const start = async () => {
      const { startSubtask } = await import('./subtask-start.ts');
      running = await startSubtask(structuredClone(config), fileSystem, clock, send);
      for (const message of early.splice(0)) running.receive(message);
      await running.done;
    };
    const ended = start().catch((error: unknown) =>
      send({ type: 'failed', subtask: config.subtask, error: SluiceError.from(error).toJSON() }),
    );
    const deliver = (message: ToSubtask) => {
      if (running === null) early.push(structuredClone(message));
      else running.receive(structuredClone(message));
    };
    return {
      send: deliver,
      terminate: async () => {
        dead = true;
        deliver({ type: 'end' });
        await ended;
        await running?.release();
      },
    };
  };
}
