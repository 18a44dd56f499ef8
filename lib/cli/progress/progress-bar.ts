/** Progress as a bar at the bottom of a terminal. */
import { Format, SingleBar } from 'cli-progress';
import type { ProcessingMode } from '../../core/specs.ts';
import type { JobProgress } from '../../pipeline/progress.ts';
import { humanBytes, humanCount, humanRate } from '../human.ts';
import type { CliIo } from '../io.ts';
import { bytesSince, type ProgressMeter, timeLeft } from './progress-meter.ts';

/** Redraws a second at the most: more is not seen, and each costs a write. */
const FRAMES_PER_SECOND = 5;

export class ProgressBar implements ProgressMeter {
  readonly #mode: ProcessingMode;
  readonly #io: CliIo;
  readonly #startedAt: number;
  #bar: SingleBar | null = null;
  #first: JobProgress | null = null;

  constructor(mode: ProcessingMode, io: CliIo) {
    this.#mode = mode;
    this.#io = io;
    this.#startedAt = io.clock.elapsed();
  }

  update(progress: JobProgress): void {
    this.#first ??= progress;
    const read = bytesSince(this.#first, progress);
    const total = Math.max(read + progress.bytesLeft, 1);
    this.#bar ??= this.#start(total);
    this.#bar.setTotal(total);
    this.#bar.update(read, { text: this.#describe(this.#first, progress) });
  }

  pause(): void {
    this.#bar?.stop();
    this.#bar = null;
  }

  close(): void {
    this.pause();
  }

  #start(total: number): SingleBar {
    const bar = new SingleBar({
      stream: this.#io.stderr,
      fps: FRAMES_PER_SECOND,
      hideCursor: true,
      clearOnComplete: true,
      stopOnComplete: false,
      barsize: 20,
      barCompleteChar: '#',
      barIncompleteChar: '.',
      // Signals are ours: a bar must not end the process before its last checkpoint.
      gracefulExit: false,
      format: (options, params, payload: { text?: string }) =>
        `${Format.BarFormat(params.progress, options)} ${payload.text ?? ''}`,
    });
    bar.start(total, 0);
    return bar;
  }

  #describe(first: JobProgress, progress: JobProgress): string {
    const elapsed = this.#io.clock.elapsed() - this.#startedAt;
    const left = this.#mode === 'once' ? timeLeft(first, progress, elapsed) : null;
    return [
      `${humanCount(progress.filesDone)}/${humanCount(progress.filesKnown)} files`,
      `${humanCount(progress.rows)} rows`,
      `${humanBytes(progress.bytesRead)} ${humanRate(bytesSince(first, progress), elapsed)}`,
      `${humanCount(progress.partsCommitted)}+${humanCount(progress.openParts)} parts`,
      ...(progress.rejected === 0 ? [] : [`${humanCount(progress.rejected)} rejected`]),
      ...(left === null ? [] : [`${left} left`]),
    ].join(' | ');
  }
}
