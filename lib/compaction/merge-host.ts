/** Where merging happens: a thread of its own, so that neither rows nor checkpoints wait for it, or the caller's. */
import { Worker } from 'node:worker_threads';
import type { Clock } from '../core/clock.ts';
import { type ErrorMessage, SluiceError } from '../core/errors.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { type MergeAnswer, type MergeConfig, type MergeRequest, mergeParts } from './merge-parts.ts';

/** One merge at a time. */
export interface MergeHost {
  /** @throws SluiceError see mergeParts */
  merge(request: MergeRequest): Promise<MergeAnswer>;
  /** Ends it wherever it is. What it wrote stays hidden. */
  terminate(): Promise<void>;
}

export type StartMerging = (config: MergeConfig, runId: string) => MergeHost;

export interface MergeThreadData {
  readonly config: MergeConfig;
  readonly runId: string;
  /** See ThreadData of the subtasks. */
  readonly failpoint: string | null;
}

export type FromMergeThread =
  | { readonly type: 'merged'; readonly answer: MergeAnswer }
  | { readonly type: 'failed'; readonly error: ErrorMessage };

/** From the sources in tests, otherwise from the built program: see subtask-host.ts. */
const ENTRY = new URL(
  import.meta.url.endsWith('.ts') ? '../compaction/merge-thread.ts' : '../compaction/merge-thread.cjs',
  import.meta.url,
);

export function threadMerging(failpoint: string | null): StartMerging {
  return (config, runId) => new MergeThread({ config, runId, failpoint });
}

/** Merging in the calling thread, on its clock and file system. */
export function inlineMerging(fileSystem: FileSystem, clock: Clock): StartMerging {
  return (config) => ({
    merge: (request) => mergeParts(request, config, fileSystem, clock),
    terminate: async () => {},
  });
}

class MergeThread implements MergeHost {
  readonly #data: MergeThreadData;
  #worker: Worker | null = null;
  #waiting: { resolve: (answer: MergeAnswer) => void; reject: (error: unknown) => void } | null = null;

  constructor(data: MergeThreadData) {
    this.#data = data;
  }

  merge(request: MergeRequest): Promise<MergeAnswer> {
    // Begun with the first merge: many jobs never need one.
    this.#worker ??= this.#start();
    const worker = this.#worker;
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      worker.postMessage(request);
    });
  }

  async terminate(): Promise<void> {
    this.#waiting?.reject(new SluiceError('INTERNAL', 'the compaction thread was ended'));
    this.#waiting = null;
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(ENTRY, {
      workerData: this.#data,
      ...(ENTRY.pathname.endsWith('.ts') ? { execArgv: ['--import', 'tsx'] } : {}),
    });
    worker.on('message', (message: FromMergeThread) => {
      const waiting = this.#waiting;
      this.#waiting = null;
      if (message.type === 'merged') waiting?.resolve(message.answer);
      else waiting?.reject(SluiceError.fromMessage(message.error));
    });
    const died = (why: string, cause?: unknown) => {
      // Told of once: 'exit' follows 'error', and by then the next one may be at work.
      if (this.#worker !== worker) return;
      this.#worker = null;
      this.#waiting?.reject(new SluiceError('INTERNAL', `the compaction thread died: ${why}`, { cause }));
      this.#waiting = null;
    };
    worker.on('error', (error) => died(error instanceof Error ? error.message : String(error), error));
    worker.on('exit', (code) => died(`it ended with code ${code}`));
    return worker;
  }
}
