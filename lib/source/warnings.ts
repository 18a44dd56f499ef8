/**
 * Warnings of the source, bounded: a folder with a million modified files must not write a million lines a scan. The
 * first few of a kind within a minute pass; the rest is counted, and named with the next of its kind after the minute, or by
 * `flush`.
 */
import type { Clock } from '../core/clock.ts';

export type WarningCode =
  | 'after-commit-failed'
  | 'file-modified'
  | 'file-changed-while-read'
  | 'file-is-copy'
  | 'file-missing'
  | 'file-name-unreadable'
  | 'file-replaced'
  | 'file-too-young'
  | 'line-unfinished'
  | 'folder-replaced'
  | 'listing-retried'
  | 'notification-unreadable'
  | 'notifications-unavailable'
  | 'record-quarantined'
  | 'record-skipped'
  | 'watcher-unavailable';

export interface Warning {
  readonly code: WarningCode;
  readonly message: string;
}

const PER_WINDOW = 10;
const WINDOW_MS = 60_000;

interface Window {
  startedMs: number;
  passed: number;
  held: number;
}

export class Warnings {
  readonly #clock: Clock;
  readonly #report: (warning: Warning) => void;
  /** One a kind. */
  readonly #windows = new Map<WarningCode, Window>();

  constructor(clock: Clock, report: (warning: Warning) => void) {
    this.#clock = clock;
    this.#report = report;
  }

  warn(code: WarningCode, message: string): void {
    const now = this.#clock.elapsed();
    let window = this.#windows.get(code);
    if (window === undefined || now - window.startedMs >= WINDOW_MS) {
      if (window !== undefined) this.#tell(code, window);
      window = { startedMs: now, passed: 0, held: 0 };
      this.#windows.set(code, window);
    }
    if (window.passed === PER_WINDOW) {
      window.held++;
      return;
    }
    window.passed++;
    this.#report({ code, message });
  }

  /** Tells what was held back so far; for the end of a run. */
  flush(): void {
    for (const [code, window] of this.#windows) {
      this.#tell(code, window);
      window.held = 0;
    }
  }

  #tell(code: WarningCode, window: Window): void {
    if (window.held > 0) this.#report({ code, message: `and ${window.held} more warnings ${code}` });
  }
}
