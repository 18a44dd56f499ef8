/**
 * Messages about new objects, as hints: each makes the source look at the objects that it names. Nothing depends on them.
 * Lost ones cost latency, up to `monitor_interval`; repeated, late, reordered and invented ones cost a look; a receiver
 * that fails warns, and is started again.
 */
import type { Clock } from '../../core/clock.ts';
import { SluiceError } from '../../core/errors.ts';
import type { NotificationSpec } from '../../core/specs.ts';
import type { Warnings } from '../warnings.ts';

/** Looks at objects; resolves once that is done, to false where it will not be. */
export type HintSink = (paths: readonly string[]) => Promise<boolean>;

export interface ReceiverOptions {
  readonly warnings: Warnings;
  readonly onHint: HintSink;
  /** Aborted when the source is closed. */
  readonly signal: AbortSignal;
  /** It works: what failed before is over. */
  readonly onReady: () => void;
}

const MIN_BACKOFF_MS = 1000;
const MAX_BACKOFF_MS = 60_000;

export class Notifications {
  readonly #spec: NotificationSpec;
  readonly #clock: Clock;
  readonly #warnings: Warnings;
  readonly #onHint: HintSink;
  readonly #closing = new AbortController();
  #running: Promise<void> | null = null;

  constructor(spec: NotificationSpec, clock: Clock, warnings: Warnings, onHint: HintSink) {
    this.#spec = spec;
    this.#clock = clock;
    this.#warnings = warnings;
    this.#onHint = onHint;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Returns once nothing is received any more. Calls may repeat. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let failures = 0;
    const options: ReceiverOptions = {
      warnings: this.#warnings,
      onHint: this.#onHint,
      signal,
      onReady: () => {
        failures = 0;
      },
    };
    while (!signal.aborted) {
      try {
        await receive(this.#spec, options);
      } catch (thrown) {
        if (signal.aborted) return;
        const waitMs = Math.min(MAX_BACKOFF_MS, MIN_BACKOFF_MS * 2 ** Math.min(failures++, 10));
        this.#warnings.warn(
          'notifications-unavailable',
          `${SluiceError.from(thrown).message}; it is tried again in ${waitMs / 1000} s. New objects are found by the listing every monitor_interval`,
        );
        await this.#pause(waitMs);
      }
    }
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#closing;
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = this.#clock.after(ms, end);
      signal.addEventListener('abort', end);
    });
  }
}

/** Each way is loaded when a job has it. */
async function receive(spec: NotificationSpec, options: ReceiverOptions): Promise<void> {
  if (spec.type === 'http') return (await import('./http-endpoint.ts')).serveHints(spec, options);
  return (await import('./queue-poller.ts')).pollQueue(spec, options);
}
