/**
 * Whole files that a thread hands to another one to write: a subtask to the main thread, which has little to do while the
 * subtask is busy. A file takes a dozen calls, each of them a turn through node's thread pool. Where 1,000 buckets got 1,000
 * rows each, they took 0.5 of the 3.4 s of the subtask's thread; handing a file over takes a twentieth of that.
 */
import type { MessagePort } from 'node:worker_threads';
import { type ErrorMessage, SluiceError } from '../../core/errors.ts';
import type { PendingFile, RecoverableWriter } from '../recoverable-writer.ts';
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

/** The end of who hands over. Whoever asks for files bounds how many are on their way. */
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
  /** Takes no more files, and waits for those it took: afterwards nothing is written. */
  stop(): Promise<void>;
}

/** Writes what comes through the port, and answers. The port keeps no process alive. */
export function serveWriter(port: MessagePort, writer: RecoverableWriter): ServedWriter {
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
    if (stopped) return;
    const done = answerTo(request).then((answer) => {
      underWay.delete(done);
      port.postMessage(answer);
    });
    underWay.add(done);
  });
  port.unref();
  return {
    async stop() {
      stopped = true;
      await Promise.all(underWay);
    },
  };
}
