/**
 * The kernel's view of CSV records: one record of a plan for each column of the file. It reads records without quotes;
 * the decoder reads the others. Types that it does not know (json, binary, decimals), a text for null, and delimiters
 * that stand in numbers or times make it of no use: null, and everything is read in JavaScript.
 */
import { FIELD_BYTES, KIND, KIND_SKIP, NULLABLE } from '../kernel/assembly/layout.ts';
import type { ColumnPort, PortContext } from '../kernel/column-port.ts';
import { BitsPort, FixedPort, fixedKind } from '../kernel/fixed-ports.ts';
import { KernelRunner, type LineRanges, RUN_ROWS } from '../kernel/kernel-runner.ts';
import { StringPort } from '../kernel/text-ports.ts';
import { BooleanFieldWriter, type FieldWriter, FixedFieldWriter, StringFieldWriter } from './field-writer.ts';
import type { CsvSpec } from './spec.ts';

/** They stand in no number and in no time. */
const DELIMITERS: readonly string[] = [',', ';', '|', '\t'];

export class CsvKernel {
  readonly #runner: KernelRunner;
  readonly #ports: ReadonlyMap<FieldWriter, ColumnPort>;
  /** null while the file's columns are not known, or where the kernel cannot read such files. */
  #plan: { readonly address: number; readonly count: number; readonly ports: readonly ColumnPort[] } | null =
    null;

  private constructor(runner: KernelRunner, ports: ReadonlyMap<FieldWriter, ColumnPort>) {
    this.#runner = runner;
    this.#ports = ports;
  }

  /** null where it cannot be had, or is of no use. */
  static create(writers: readonly FieldWriter[], spec: CsvSpec, keepLines = false): CsvKernel | null {
    const { delimiter, quote, nullText } = spec;
    if (!DELIMITERS.includes(delimiter) || quote !== '"' || (nullText ?? '') !== '') return null;
    const runner = KernelRunner.create('readCsv', keepLines);
    if (runner === null) return null;
    const ports = new Map<FieldWriter, ColumnPort>();
    for (const writer of writers) {
      const port = columnPort(runner.context, writer);
      if (port === null) return null;
      ports.set(writer, port);
    }
    runner.context.kernel.setDelimiter(delimiter.charCodeAt(0));
    return new CsvKernel(runner, ports);
  }

  /** @param columns of the file, in order; null where a value is passed over */
  bind(columns: readonly (FieldWriter | null)[]): void {
    this.#plan = null;
    const { memory } = this.#runner.context;
    const address = memory.allocate(columns.length * FIELD_BYTES);
    if (address === 0) return;
    const ports: ColumnPort[] = [];
    for (const [i, writer] of columns.entries()) {
      const record = address + i * FIELD_BYTES;
      const port = writer === null ? undefined : this.#ports.get(writer);
      if (writer === null || port === undefined) {
        memory.words[(record + KIND) >> 2] = KIND_SKIP;
        memory.words[(record + NULLABLE) >> 2] = 1;
        continue;
      }
      // A name that stands twice in the header: the decoder knows which one counts.
      if (ports.includes(port) || !port.bind(record, writer.field.nullable)) return;
      ports.push(port);
    }
    this.#plan = { address, count: columns.length, ports };
  }

  /** See KernelRunner: `rows` and `stopped` tell what was done. */
  read(
    bytes: Uint8Array,
    at: number,
    end: number,
    row: number,
    maxRows: number,
    lines: LineRanges | null = null,
  ): number {
    if (this.#plan === null) return at;
    return this.#runner.read(this.#plan, bytes, at, end, row, maxRows, lines, 0);
  }

  get isBound(): boolean {
    return this.#plan !== null;
  }

  get rows(): number {
    return this.#runner.rows;
  }

  get stopped(): boolean {
    return this.#runner.stopped;
  }
}

function columnPort(context: PortContext, writer: FieldWriter): ColumnPort | null {
  if (writer instanceof StringFieldWriter) return new StringPort(context, writer, RUN_ROWS);
  if (writer instanceof BooleanFieldWriter) return new BitsPort(context, writer.column, RUN_ROWS);
  if (writer instanceof FixedFieldWriter && fixedKind(writer.column) !== null)
    return new FixedPort(context, writer.column, RUN_ROWS);
  return null;
}
