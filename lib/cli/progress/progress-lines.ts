/** Progress as lines of a log: one per interval, and only when something has changed. */
import type { Clock } from '../../core/clock.ts';
import type { ProcessingMode } from '../../core/specs.ts';
import type { JobProgress } from '../../pipeline/progress.ts';
import { counted, humanBytes, humanCount, humanDuration, humanRate } from '../human.ts';
import { bytesSince, LINE_INTERVAL_MS, type ProgressMeter, timeLeft } from './progress-meter.ts';

export class ProgressLines implements ProgressMeter {
  readonly #mode: ProcessingMode;
  readonly #clock: Clock;
  readonly #print: (line: string) => void;
  readonly #startedAt: number;
  #printedAt: number;
  #printed: JobProgress | null = null;
  #first: JobProgress | null = null;

  constructor(mode: ProcessingMode, clock: Clock, print: (line: string) => void) {
    this.#mode = mode;
    this.#clock = clock;
    this.#print = print;
    this.#startedAt = clock.elapsed();
    this.#printedAt = this.#startedAt;
  }

  update(progress: JobProgress): void {
    this.#first ??= progress;
    const now = this.#clock.elapsed();
    if (now - this.#printedAt < LINE_INTERVAL_MS) return;
    const before = this.#printed;
    if (before !== null && !hasChanged(before, progress)) return;
    const read = bytesSince(before ?? this.#first, progress);
    const left = this.#mode === 'once' ? timeLeft(this.#first, progress, now - this.#startedAt) : null;
    this.#print(
      [
        humanDuration(now - this.#startedAt),
        `files ${humanCount(progress.filesDone)}/${humanCount(progress.filesKnown)}`,
        counted(progress.rows, 'row'),
        `${humanBytes(progress.bytesRead)} at ${humanRate(read, now - this.#printedAt)}`,
        `${counted(progress.partsCommitted, 'part')} (${humanBytes(progress.bytesOut)}), ${humanCount(progress.openParts)} open`,
        ...(progress.rejected === 0 ? [] : [`${counted(progress.rejected, 'record')} rejected`]),
        ...(progress.filtered === 0 ? [] : [`${counted(progress.filtered, 'row')} filtered out`]),
        ...(progress.quarantined === 0 ? [] : [`${counted(progress.quarantined, 'record')} quarantined`]),
        ...(left === null ? [] : [`${left} left`]),
      ].join(' | '),
    );
    this.#printedAt = now;
    this.#printed = progress;
  }

  pause(): void {}

  close(): void {}
}

function hasChanged(a: JobProgress, b: JobProgress): boolean {
  return (
    a.rows !== b.rows ||
    a.bytesRead !== b.bytesRead ||
    a.filesDone !== b.filesDone ||
    a.partsCommitted !== b.partsCommitted
  );
}
