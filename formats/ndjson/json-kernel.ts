/**
 * The kernel's view of objects: a plan made of the usual shape, and a port a column. Types that it does not know
 * (decimals, binary, lists of lists or of objects) make it of no use to a schema: null, and everything is read in
 * JavaScript.
 */
import { FIELD_BYTES, LEAD, LEAD_BYTES, NULLABLE } from '../kernel/assembly/layout.ts';
import type { ColumnPort, PortContext } from '../kernel/column-port.ts';
import { BitsPort, FixedPort, fixedKind } from '../kernel/fixed-ports.ts';
import { KernelRunner, type LineRanges, RUN_ROWS } from '../kernel/kernel-runner.ts';
import { ListPort, StructPort } from '../kernel/nested-ports.ts';
import { JsonPort, StringPort } from '../kernel/text-ports.ts';
import { BooleanReader } from './boolean-reader.ts';
import { JsonReader } from './bytes-readers.ts';
import { ListReader } from './list-reader.ts';
import type { ObjectReader } from './object-reader.ts';
import { MAX_UNKNOWN_KEYS, type ObjectShape } from './object-shape.ts';
import { StringReader } from './string-reader.ts';
import { StructReader } from './struct-reader.ts';
import { FixedReader, type ValueReader } from './value-reader.ts';

export class JsonKernel {
  readonly #runner: KernelRunner;
  readonly #plan: ObjectPlan;

  private constructor(runner: KernelRunner, plan: ObjectPlan) {
    this.#runner = runner;
    this.#plan = plan;
  }

  /** null where it cannot be had, or is of no use. */
  static create(object: ObjectReader, keepLines: boolean): JsonKernel | null {
    const runner = KernelRunner.create('readJson', keepLines);
    const plan = runner === null ? null : ObjectPlan.create(runner.context, object);
    return runner === null || plan === null ? null : new JsonKernel(runner, plan);
  }

  /** See KernelRunner. */
  read(
    bytes: Uint8Array,
    at: number,
    end: number,
    row: number,
    maxRows: number,
    lines: LineRanges | null,
    shift: number,
  ): number {
    if (!this.#plan.follow()) {
      this.#runner.rows = 0;
      this.#runner.stopped = true;
      return at;
    }
    return this.#runner.read(this.#plan, bytes, at, end, row, maxRows, lines, shift);
  }

  get rows(): number {
    return this.#runner.rows;
  }

  get stopped(): boolean {
    return this.#runner.stopped;
  }
}

/** The plan of an object, made anew when its usual shape is another one. */
class ObjectPlan {
  readonly #context: PortContext;
  readonly #object: ObjectReader;
  readonly #children: readonly ObjectPlan[];
  readonly address: number;
  readonly ports: readonly ColumnPort[];
  #shape: ObjectShape | null = null;
  count = 0;

  private constructor(
    context: PortContext,
    object: ObjectReader,
    ports: readonly ColumnPort[],
    children: readonly ObjectPlan[],
  ) {
    this.#context = context;
    this.#object = object;
    this.ports = ports;
    this.#children = children;
    this.address = context.memory.allocate((object.fields.length + MAX_UNKNOWN_KEYS) * FIELD_BYTES);
  }

  static create(context: PortContext, object: ObjectReader): ObjectPlan | null {
    const ports: ColumnPort[] = [];
    const children: ObjectPlan[] = [];
    for (const { reader } of object.fields) {
      if (reader instanceof StructReader) {
        const child = ObjectPlan.create(context, reader.object);
        if (child === null) return null;
        children.push(child);
        ports.push(new StructPort(context, reader.column, child, RUN_ROWS));
        continue;
      }
      const port =
        reader instanceof ListReader ? listPort(context, reader) : scalarPort(context, reader, RUN_ROWS);
      if (port === null) return null;
      ports.push(port);
    }
    return new ObjectPlan(context, object, ports, children);
  }

  /** Brings the plan up to date. @returns false where there is no memory for it */
  follow(): boolean {
    for (const child of this.#children) if (!child.follow()) return false;
    const { shape } = this.#object;
    return shape === this.#shape || this.#write(shape);
  }

  #write(shape: ObjectShape): boolean {
    const { memory, kernel } = this.#context;
    if (shape.blankAfterComma) kernel.setBlankAfterComma(1);
    let record = this.address;
    let complete = this.address !== 0;
    for (const { text, field } of shape.keys) {
      const lead = Buffer.from(
        `"${Buffer.from(text).toString('latin1')}":${shape.blankAfterColon ? ' ' : ''}`,
        'latin1',
      );
      const address = memory.allocate(lead.length);
      if (address === 0 || !complete) return false;
      memory.bytes.set(lead, address);
      memory.bytes.fill(0, record, record + FIELD_BYTES);
      memory.words[(record + LEAD) >> 2] = address;
      memory.words[(record + LEAD_BYTES) >> 2] = lead.length;
      // What is passed over may be missing.
      if (field < 0) memory.words[(record + NULLABLE) >> 2] = 1;
      else complete = this.ports[field]!.bind(record, this.#object.fields[field]!.nullable);
      record += FIELD_BYTES;
    }
    this.count = shape.keys.length;
    if (complete) this.#shape = shape;
    return complete;
  }
}

function scalarPort(context: PortContext, reader: ValueReader, slots: number): ColumnPort | null {
  if (reader instanceof StringReader) return new StringPort(context, reader, slots);
  if (reader instanceof BooleanReader) return new BitsPort(context, reader.column, slots);
  if (reader instanceof JsonReader) return new JsonPort(context, reader.column, slots);
  if (reader instanceof FixedReader && fixedKind(reader.column) !== null)
    return new FixedPort(context, reader.column, slots);
  return null;
}

function listPort(context: PortContext, reader: ListReader): ColumnPort | null {
  // Each item is followed by a byte.
  const port = scalarPort(context, reader.element, context.inputBytes / 2);
  if (port === null) return null;
  return new ListPort(context, reader.column, reader, port, RUN_ROWS, reader.maxItems);
}
