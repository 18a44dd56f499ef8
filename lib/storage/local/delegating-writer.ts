/**
 * Whole files that a thread hands to another one to write: a subtask to the main thread, which has little to do while the
 * subtask is busy. A file takes a dozen calls, each of them a turn through node's thread pool. Where 1,000 buckets got 1,000
 * rows each, they took 0.5 of the 3.4 s of the subtask's thread; handing a file over takes a twentieth of that.
 */
import type { MessagePort } from 'node:worker_threads';
import pLimit from 'p-limit';
import { type Clock, systemClock } from '../../core/clock.ts';
import { type ErrorMessage, SluiceError } from '../../core/errors.ts';
import type { PendingFile, RecoverableWriter } from '../recoverable-writer.ts';
import { CONCURRENT_FILES } from '../whole-files.ts';
import { LocalRecoverableWriter } from './local-recoverable-writer.ts';

/** Larger files are written where they are: they would be copied, and the calls are few beside their bytes. */
const MAX_BYTES = 1024 * 1024;

interface Request {
  readonly number: number;
  readonly finalPath: string;
  readonly hiddenFolder: string | null;
  readonly bytes: Uint8Array;
}

type Answer =
  | { readonly number: number; readonly file: PendingFile }
  | { readonly number: number; readonly error: ErrorMessage };

interface Waiting {
  readonly resolve: (file: PendingFile) => void;
  readonly reject: (error: SluiceError) => void;
}

/**
 * The end of who hands over. Whoever asks for files bounds how many are on their way. Once the other end has stopped, nothing
 * is answered: this thread is about to be ended then.
 */
export class DelegatingWriter extends LocalRecoverableWriter {
  readonly #port: MessagePort;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;

  /** @param port to whom {@link serveWriter} serves; it keeps no thread alive */
  constructor(runId: string, port: MessagePort) {
    super(runId);
    this.#port = port;
    port.on('message', (answer: Answer) => this.#onAnswer(answer));
    port.unref();
  }

  override writeWhole(
    finalPath: string,
    hiddenFolder: string | null,
    bytes: Uint8Array,
  ): Promise<PendingFile> {
    if (bytes.length > MAX_BYTES) return super.writeWhole(finalPath, hiddenFolder, bytes);
    const number = this.#next++;
    // A copy is given away, and not the memory itself: an encoder may have more in it.
    const request: Request = { number, finalPath, hiddenFolder, bytes: new Uint8Array(bytes) };
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      this.#port.postMessage(request, [request.bytes.buffer as ArrayBuffer]);
    });
  }

  #onAnswer(answer: Answer): void {
    const waiting = this.#waiting.get(answer.number);
    this.#waiting.delete(answer.number);
    if ('file' in answer) waiting?.resolve(answer.file);
    else waiting?.reject(SluiceError.fromMessage(answer.error));
  }
}

/** The end of who writes. */
export interface ServedWriter {
  /**
   * Begins no more files, and waits for those under way: they are hidden ones that nobody will ask for. Not for ever, since the
   * disk may be what keeps the job from ending. Before the other thread ends, or at the same time.
   */
  stop(): Promise<void>;
}

/** Of files that are under way when nobody needs them any more. */
const GRACE_MS = 1000;

/** Writes what comes through the port, and answers. The port keeps no process alive. */
export function serveWriter(
  port: MessagePort,
  writer: RecoverableWriter,
  clock: Clock = systemClock,
): ServedWriter {
  // The writer has a bound of its own, but what waits there cannot be called back.
  const limit = pLimit(CONCURRENT_FILES);
  const underWay = new Set<Promise<void>>();
  let stopped = false;
  const answerTo = async ({ number, finalPath, hiddenFolder, bytes }: Request): Promise<Answer> => {
    try {
      return { number, file: await writer.writeWhole(finalPath, hiddenFolder, bytes) };
    } catch (error) {
      return { number, error: SluiceError.from(error).toMessage() };
    }
  };
  port.on('message', (request: Request) => {
    const done = limit(async () => {
      if (!stopped) port.postMessage(await answerTo(request));
    }).then(() => {
      underWay.delete(done);
    });
    underWay.add(done);
  });
  port.unref();
  return {
    async stop() {
      stopped = true;
      let cancel = () => {};
      const grace = new Promise<void>((resolve) => {
        cancel = clock.after(GRACE_MS, resolve);
      });
      await Promise.race([Promise.all(underWay), grace]);
      cancel();
    },
  };
}
