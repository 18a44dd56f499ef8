/** How a running job shows its progress: a bar on a terminal, lines elsewhere, JSON lines for machines. */
import { describeChange } from '../../core/schema-change.ts';
import type { ProcessingMode } from '../../core/specs.ts';
import type { JobEvent, JobProgress } from '../../pipeline/progress.ts';
import { counted } from '../human.ts';
import type { CliIo } from '../io.ts';
import type { Output } from '../output.ts';
import { ProgressLines } from './progress-lines.ts';
import { LINE_INTERVAL_MS, type ProgressMeter } from './progress-meter.ts';

export interface ProgressDisplay {
  /** Called as often as the job likes; how often something is shown is the display's own decision. */
  progress(progress: JobProgress): void;
  event(event: JobEvent): void;
  /** Makes room for other text; the next progress goes on. */
  pause(): void;
  close(): void;
}

export async function createProgressDisplay(
  mode: ProcessingMode,
  io: CliIo,
  output: Output,
): Promise<ProgressDisplay> {
  const meters: ProgressMeter[] = [];
  if (!output.quiet) {
    if (io.stderr.isTTY === true) {
      const { ProgressBar } = await import('./progress-bar.ts');
      meters.push(new ProgressBar(mode, io));
    } else {
      meters.push(new ProgressLines(mode, io.clock, (line) => output.note(line)));
    }
  }
  return new MeteredDisplay(meters, output, mode === 'continuously' && output.json, io);
}

class MeteredDisplay implements ProgressDisplay {
  readonly #meters: readonly ProgressMeter[];
  readonly #output: Output;
  /** Whether events are JSON lines on stdout: `run --json`. */
  readonly #jsonLines: boolean;
  readonly #io: CliIo;
  #progressAt = 0;

  constructor(meters: readonly ProgressMeter[], output: Output, jsonLines: boolean, io: CliIo) {
    this.#meters = meters;
    this.#output = output;
    this.#jsonLines = jsonLines;
    this.#io = io;
    this.#progressAt = io.clock.elapsed() + LINE_INTERVAL_MS;
  }

  progress(progress: JobProgress): void {
    for (const meter of this.#meters) meter.update(progress);
    const now = this.#io.clock.elapsed();
    if (!this.#jsonLines || now < this.#progressAt) return;
    this.#progressAt = now + LINE_INTERVAL_MS;
    this.#output.document({ type: 'progress', ...progress });
  }

  event(event: JobEvent): void {
    if (this.#jsonLines) this.#output.document(event);
    // Checkpoints come every few seconds, for months: they are for machines, and the meters count them.
    if (event.type === 'checkpoint') return;
    this.pause();
    if (event.type === 'schema') {
      const changes = event.changes.map(describeChange).join(', ');
      this.#output.note(`schema ${event.version}, because of ${event.path}: ${changes}`);
    } else if (event.type === 'warning') this.#output.warning(`${event.code}: ${event.message}`);
    else {
      const parts = `${counted(event.openParts, 'open part')}, ${counted(event.committed, 'pending part')} published`;
      this.#output.note(`going on from checkpoint ${event.checkpointId}: ${parts}`);
    }
  }

  pause(): void {
    for (const meter of this.#meters) meter.pause();
  }

  close(): void {
    for (const meter of this.#meters) meter.close();
  }
}
