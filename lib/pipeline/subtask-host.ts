/** Where a subtask runs: a thread of its own. */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { SluiceError } from '../core/errors.ts';
import { type ServedWriter, serveWriter } from '../storage/local/delegating-writer.ts';
import { LocalRecoverableWriter } from '../storage/local/local-recoverable-writer.ts';
import type { FromSubtask, ToSubtask } from './messages.ts';
import type { SubtaskConfig } from './subtask-config.ts';

export interface SubtaskHost {
  send(message: ToSubtask): void;
  /** Ends it at once, wherever it is. */
  terminate(): Promise<void>;
}

export type StartSubtask = (config: SubtaskConfig, receive: (message: FromSubtask) => void) => SubtaskHost;

/** What the thread gets when it starts. Its subtask's configuration is the first message. */
export interface ThreadData {
  /** For tests that kill the process at a failpoint: `name` or `name:nth time`. */
  readonly failpoint: string | null;
  /** To whom the subtask hands files that it does not write itself. */
  readonly files: MessagePort;
}

/** Memory of a thread's young generation: larger than the default, so that a batch's short-lived views die there. */
const YOUNG_GENERATION_MB = 32;

/**
 * Threads run the built program, where this file is in a folder beside `pipeline`; from sources (tests), they need the
 * loader that the main thread has.
 */
const ENTRY = new URL(
  import.meta.url.endsWith('.ts') ? '../pipeline/subtask-thread.ts' : '../pipeline/subtask-thread.cjs',
  import.meta.url,
);

/**
 * Subtasks in threads. The first thread starts at once and loads the program while the caller still reads the job and its
 * state: on two cores that takes 0.1 s off the start. Until a subtask gets it, it keeps no process alive.
 */
export function threadSubtasks(failpoint: string | null): StartSubtask {
  let spare: SubtaskThread | null = new SubtaskThread(failpoint);
  return (config, receive) => {
    const thread = spare ?? new SubtaskThread(failpoint);
    spare = null;
    thread.begin(config, receive);
    return thread;
  };
}

class SubtaskThread implements SubtaskHost {
  readonly #worker: Worker;
  readonly #files: MessagePort;
  /** What writes the files that come through #files; null until a subtask began. */
  #writer: ServedWriter | null = null;
  #begun: { readonly subtask: number; readonly receive: (message: FromSubtask) => void } | null = null;
  #ended = false;
  /** Why it died before a subtask began. */
  #died: { readonly why: string; readonly cause: unknown } | null = null;

  constructor(failpoint: string | null) {
    const { port1, port2 } = new MessageChannel();
    this.#files = port1;
    const workerData: ThreadData = { failpoint, files: port2 };
    this.#worker = new Worker(ENTRY, {
      workerData,
      transferList: [port2],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
      ...(ENTRY.pathname.endsWith('.ts') ? { execArgv: ['--import', 'tsx'] } : {}),
    });
    this.#worker.unref();
    this.#worker.on('message', (message: FromSubtask) => {
      // All that counts is safe by then: what fails afterwards, such as the removal of its temporary files, does not.
      if (this.#ended) return;
      this.#ended = message.type === 'ended' || message.type === 'failed';
      this.#begun?.receive(message);
    });
    this.#worker.on('error', (error) =>
      this.#onDeath(error instanceof Error ? error.message : String(error), error),
    );
    this.#worker.on('exit', (code) => this.#onDeath(`its thread ended with code ${code}`, undefined));
  }

  begin(config: SubtaskConfig, receive: (message: FromSubtask) => void): void {
    this.#begun = { subtask: config.subtask, receive };
    this.#writer = serveWriter(this.#files, new LocalRecoverableWriter(config.runId));
    this.#worker.ref();
    this.#worker.postMessage(config);
    const died = this.#died;
    // In a turn of its own, as every message comes.
    if (died !== null) setImmediate(() => this.#report(died.why, died.cause));
  }

  send(message: ToSubtask): void {
    this.#worker.postMessage(message);
  }

  async terminate(): Promise<void> {
    this.#ended = true;
    await Promise.all([this.#writer?.stop(), this.#worker.terminate()]);
  }

  #onDeath(why: string, cause: unknown): void {
    if (this.#begun === null) this.#died ??= { why, cause };
    else this.#report(why, cause);
  }

  #report(why: string, cause: unknown): void {
    if (this.#ended || this.#begun === null) return;
    this.#ended = true;
    const { subtask, receive } = this.#begun;
    const error = new SluiceError('INTERNAL', `subtask ${subtask} died: ${why}`, { cause });
    receive({ type: 'failed', subtask, error: error.toMessage() });
  }
}
