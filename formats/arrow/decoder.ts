/**
 * Arrow IPC files and streams. A position is a record batch and how many of its rows are taken. A restart passes over the
 * batches before by their headers; dictionaries are read again, as later batches need them.
 */

import * as arrow from 'apache-arrow';
import { Batch } from '../../lib/core/batch.ts';
import type { Column } from '../../lib/core/column.ts';
import type { Schema } from '../../lib/core/data-type.ts';
import type { DecoderOptions, DecoderState, FileDecoder, RandomAccessFile } from '../../lib/core/decoder.ts';
import { withoutRows } from '../bad-rows.ts';
import { sliceColumn } from '../columns/slice-column.ts';
import { withPath } from '../corrupt.ts';
import { proveColumns } from '../file-columns.ts';
import { ArrowColumns } from './arrow-columns.ts';
import { loadArrowCodecs } from './body-codecs.ts';
import { type ArrowMessage, findMessages, readMessage, readSchemaMessage } from './messages.ts';

export class ArrowDecoder implements FileDecoder {
  readonly #options: DecoderOptions;
  readonly #schema: Schema;
  readonly #columns = new ArrowColumns();
  #file: RandomAccessFile | null = null;
  #reader: AsyncIterator<arrow.RecordBatch> | null = null;
  /** The batch that is being handed out. */
  #open: OpenBatch | null = null;
  #batch = 0;
  #rowsTaken = 0;
  #records = 0;
  #offset = 0;
  /** Where the message ends that was read last. */
  #messageEnd = 0;

  constructor(options: DecoderOptions) {
    this.#options = options;
    const { schema, columns } = options;
    this.#schema =
      columns === undefined ? schema : { fields: schema.fields.filter((field) => columns.has(field.name)) };
  }

  async begin(file: RandomAccessFile, state: DecoderState): Promise<void> {
    this.#file = file;
    this.#open = null;
    this.#records = 0;
    this.#offset = 0;
    this.#batch = countOf(state?.batch);
    this.#rowsTaken = countOf(state?.rowsTaken);
    await loadArrowCodecs();
    await withPath(file.path, 'Arrow', async () => {
      const reader = await arrow.RecordBatchReader.from(this.#pieces(file, this.#batch));
      await reader.open();
      this.#checkColumns(file, reader.schema);
      this.#reader = reader[Symbol.asyncIterator]();
    });
  }

  async next(): Promise<Batch | null> {
    const file = this.#file;
    if (file === null) return null;
    return withPath(file.path, 'Arrow', async () => {
      for (;;) {
        const open = this.#open ?? (await this.#openBatch());
        if (open === null) {
          this.#offset = file.sizeBytes;
          return null;
        }
        if (this.#rowsTaken < open.rows) return this.#slice(open);
        this.#batch++;
        this.#rowsTaken = 0;
        this.#open = null;
        this.#offset = this.#messageEnd;
      }
    });
  }

  get records(): number {
    return this.#records;
  }

  get offset(): number {
    return this.#offset;
  }

  state(): DecoderState {
    return { batch: this.#batch, rowsTaken: this.#rowsTaken };
  }

  /** What the reader gets to see: no batch before `first`. In a file, dictionaries may stand behind those that need them. */
  async *#pieces(file: RandomAccessFile, first: number): AsyncGenerator<Uint8Array> {
    const range = await findMessages(file);
    if (range.isFile) {
      const schema = await readSchemaMessage(file, range);
      yield schema.header;
      for (let at = schema.end; ; ) {
        const message = await readMessage(file, range, at);
        if (message === null) break;
        if (message.kind !== 'batch') yield* this.#whole(file, message);
        at = message.end;
      }
    }
    let batch = 0;
    for (let at = range.from; ; ) {
      const message = await readMessage(file, range, at);
      if (message === null) return;
      at = message.end;
      const isWanted = message.kind === 'batch' ? batch++ >= first : !range.isFile;
      if (!isWanted) continue;
      this.#messageEnd = message.end;
      yield* this.#whole(file, message);
    }
  }

  /** The body in memory of its own, so that what is in it is aligned. */
  async *#whole(
    file: RandomAccessFile,
    { header, bodyOffset, bodyBytes }: ArrowMessage,
  ): AsyncGenerator<Uint8Array> {
    yield header;
    if (bodyBytes === 0) return;
    const body = new Uint8Array(bodyBytes);
    await file.read(bodyOffset, body);
    yield body;
  }

  async #openBatch(): Promise<OpenBatch | null> {
    const step = await this.#reader?.next();
    if (step === undefined || step.done === true) return null;
    const { data, numRows: rows } = step.value;
    const bad: BadRows = new Map();
    const names = step.value.schema.fields.map(({ name }) => name);
    const columns = this.#schema.fields.map((field) => {
      const child = data.children[names.indexOf(field.name)];
      const empty = child ?? arrow.makeData({ type: new arrow.Null(), length: rows });
      const { column, bad: misfits } = this.#columns.read(empty, field.type, [field.name], null);
      for (const [row, why] of misfits ?? []) if (!bad.has(row)) bad.set(row, [field.name, why]);
      if (!field.nullable && column.nullCount > 0) {
        for (let row = 0; row < rows; row++)
          if (column.isNull(row) && !bad.has(row))
            bad.set(row, [field.name, 'the value is missing and may not be']);
      }
      return column;
    });
    this.#open = { columns, rows, bad };
    return this.#open;
  }

  #slice({ columns, rows, bad }: OpenBatch): Batch {
    const from = this.#rowsTaken;
    const to = Math.min(rows, from + this.#options.batchRows);
    const isWhole = from === 0 && to === rows;
    const sliced = isWhole ? columns : columns.map((column) => sliceColumn(column, from, to));
    const batch = new Batch(this.#schema, sliced, to - from);
    const refused = new Set<number>();
    if (bad.size > 0) {
      for (let row = from; row < to; row++) {
        const why = bad.get(row);
        if (why === undefined) continue;
        this.#refuse(row, row - from, why);
        refused.add(row - from);
      }
    }
    this.#rowsTaken = to;
    this.#records += to - from;
    return refused.size === 0 ? batch : withoutRows(batch, refused);
  }

  /** @throws what onBadRecord throws */
  #refuse(row: number, index: number, [column, reason]: readonly [string, string]): void {
    this.#options.onBadRecord({
      offset: this.#offset,
      place: `row ${row + 1} of batch ${this.#batch + 1}`,
      recordIndex: this.#records + index,
      column,
      reason,
      bytes: new Uint8Array(0),
    });
  }

  #checkColumns(file: RandomAccessFile, schema: arrow.Schema): void {
    const names = schema.fields.map(({ name }) => name);
    proveColumns(file.path, names, this.#options.schema);
  }
}

/** A record batch that is being handed out. */
interface OpenBatch {
  readonly columns: readonly Column[];
  readonly rows: number;
  readonly bad: BadRows;
}

/** Column and reason, by row of the batch. */
type BadRows = Map<number, readonly [string, string]>;

function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}
