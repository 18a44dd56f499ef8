/**
 * Runs the kernel over lines: copies a piece of the input into its memory, lets it read, and carries the rows to the
 * columns. A piece fits into the second-level cache together with what comes of it, so that the copies cost little: some
 * 15 of 200 ms for 1,000,000 rows of 211 bytes.
 */
import { PAD_BYTES } from './assembly/layout.ts';
import type { PortContext } from './column-port.ts';
import { KernelMemory } from './kernel-memory.ts';
import { instantiateKernel, type KernelExports } from './kernel-module.ts';
import type { FieldsPlan } from './nested-ports.ts';

const LINE_FEED = 10;
const INPUT_BYTES = 128 * 1024;
/** Rows of a run at most. */
export const RUN_ROWS = 2048;

/** Where the lines of a batch's rows begin and end. */
export interface LineRanges {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

export class KernelRunner {
  readonly context: PortContext;
  readonly #read: KernelExports['readJson'];
  readonly #input: number;
  /** Addresses of a word a row each, 0 where lines are not wanted. */
  readonly #lineStarts: number;
  readonly #lineEnds: number;
  /** There is no memory left for it, or it cannot be of one mind with the decoder: it reads nothing any more. */
  #exhausted = false;
  /** Rows of the last run. */
  rows = 0;
  /** The last run ended at a line that the kernel does not read. */
  stopped = false;

  private constructor(context: PortContext, read: KernelExports['readJson'], keepLines: boolean) {
    const { memory } = context;
    this.context = context;
    this.#read = read;
    this.#input = memory.allocate(INPUT_BYTES + PAD_BYTES);
    this.#lineStarts = keepLines ? memory.allocate(RUN_ROWS * 4) : 0;
    this.#lineEnds = keepLines ? memory.allocate(RUN_ROWS * 4) : 0;
    context.kernel.setLines(this.#lineStarts, this.#lineEnds);
  }

  /** null where the runtime has no WebAssembly. */
  static create(way: 'readJson' | 'readCsv', keepLines: boolean): KernelRunner | null {
    const kernel = instantiateKernel();
    if (kernel === null) return null;
    const context = { kernel, memory: new KernelMemory(kernel.memory), inputBytes: INPUT_BYTES };
    return new KernelRunner(context, kernel[way], keepLines);
  }

  /**
   * Reads lines of bytes[at, end) into the rows from `row` on; `rows` and `stopped` tell what was done.
   * @param plan address and number of its records
   * @param lines where ranges go, `shift` added
   * @returns the index of the first byte that was not read, always a line's first
   */
  read(
    plan: FieldsPlan,
    bytes: Uint8Array,
    at: number,
    end: number,
    row: number,
    maxRows: number,
    lines: LineRanges | null,
    shift: number,
  ): number {
    const { memory } = this.context;
    this.rows = 0;
    this.stopped = true;
    if (end <= at) return at;
    let to = Math.min(end, at + INPUT_BYTES);
    if (bytes[to - 1] !== LINE_FEED) {
      // The last line that ends in the piece; a line longer than that is the decoder's.
      const lastLineFeed = bytes.subarray(at, to).lastIndexOf(LINE_FEED);
      if (lastLineFeed < 0) return at;
      to = at + lastLineFeed + 1;
    }
    for (const port of plan.ports) this.#exhausted ||= !port.prepare(row);
    if (this.#exhausted) return at;
    const input = this.#input;
    memory.bytes.set(bytes.subarray(at, to), input);
    const inputEnd = input + to - at;
    if (lines !== null) this.context.kernel.setLineShift(at - input + shift);
    const next = this.#read(plan.address, plan.count, input, inputEnd, Math.min(maxRows, RUN_ROWS));
    for (const port of plan.ports) this.#exhausted ||= !port.check();
    if (this.#exhausted) return at;
    const rows = this.context.kernel.rows.value;
    this.rows = rows;
    this.stopped = next < inputEnd && rows < maxRows && rows < RUN_ROWS;
    // Also where there is none: a row that was given up may have left something.
    for (const port of plan.ports) port.take(row, rows);
    if (lines !== null) this.#takeLines(lines, row);
    return at + next - input;
  }

  #takeLines({ starts, ends }: LineRanges, row: number): void {
    const { words } = this.context.memory;
    const firstStart = this.#lineStarts >> 2;
    const firstEnd = this.#lineEnds >> 2;
    starts.set(words.subarray(firstStart, firstStart + this.rows), row);
    ends.set(words.subarray(firstEnd, firstEnd + this.rows), row);
  }

  get memoryBytes(): number {
    return this.context.memory.memoryBytes;
  }
}
