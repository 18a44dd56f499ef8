/**
 * CSV after RFC 4180 into columns: quotes, doubled quotes, delimiters and line ends inside quotes, LF or CRLF. Bytes go
 * straight into columns; nothing is made for a field or a row.
 *
 * Beyond the RFC: a quote inside an unquoted field is a character like others; blank lines are skipped and are no
 * records; an unquoted empty field is null, a quoted one an empty string.
 */

import { Batch } from '../../lib/core/batch.ts';
import type { Column } from '../../lib/core/column.ts';
import type { Schema } from '../../lib/core/data-type.ts';
import type {
  BadRecordCode,
  Decoder,
  DecoderOptions,
  DecoderStart,
  DecoderState,
} from '../../lib/core/decoder.ts';
import { proveColumns } from '../file-columns.ts';
import type { LineRanges } from '../kernel/kernel-runner.ts';
import { KernelUse } from '../kernel/kernel-use.ts';
import { behindLineFeed, byteOrderMark } from '../line-start.ts';
import { CsvKernel } from './csv-kernel.ts';
import { CsvDrift } from './drift.ts';
import { type FieldWriter, fieldWriter } from './field-writer.ts';
import { headerState, readHeaderNames } from './header.ts';
import { article, blankLine, endOfText, equals, lineEnd, quotedText } from './line-bytes.ts';
import type { CsvSpec } from './spec.ts';

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

interface Problem {
  readonly code: BadRecordCode;
  readonly column: string | null;
  readonly reason: string;
}

/** Ways to decode that differ in speed only: records without quotes in WebAssembly, where there is one. */
export interface CsvTuning {
  readonly kernel: boolean;
}

export class CsvDecoder implements Decoder {
  readonly #options: DecoderOptions;
  readonly #spec: CsvSpec;
  readonly #delimiter: number;
  readonly #quote: number;
  readonly #nullText: Uint8Array | null;
  readonly #writers: readonly FieldWriter[];
  /** null where there is none, or it is of no use. */
  readonly #kernel: CsvKernel | null;
  readonly #kernelUse = new KernelUse();
  /** See {@link Decoder}. */
  readonly rowOffsets: Float64Array | null;
  readonly #lines: LineRanges | null;
  /** Names of the file's columns; null until the header was read. */
  #names: readonly string[] | null = null;
  /** For each column of the file, its writer; null where the schema has no such column. */
  #bound: readonly (FieldWriter | null)[] = [];
  /** Writers of columns that the file lacks. */
  #absent: readonly FieldWriter[] = [];
  /** Values with doubled quotes are put together here. */
  #scratch: Uint8Array = new Uint8Array(256);
  #rows = 0;
  /** Rows of the batch that was taken; columns are emptied when they are written to again. -1 where none was. */
  #takenRows = -1;
  #offset = 0;
  #records = 0;
  /** Of the record being read: the first thing wrong with it. */
  #problem: Problem | null = null;
  readonly #drift: CsvDrift;

  /** @throws SluiceError JOB_INVALID where the schema has types that CSV cannot hold */
  constructor(options: DecoderOptions, spec: CsvSpec, tuning: CsvTuning = { kernel: true }) {
    const { batchRows, keepOffsets = false } = options;
    this.#options = options;
    this.#spec = spec;
    this.#delimiter = spec.delimiter.charCodeAt(0);
    this.#quote = spec.quote.charCodeAt(0);
    this.#nullText = spec.nullText === null ? null : Buffer.from(spec.nullText);
    this.#drift = new CsvDrift(options, spec);
    this.#writers = this.#drift.fields.map((field) => fieldWriter(field, batchRows));
    this.#kernel = tuning.kernel ? CsvKernel.create(this.#writers, spec, keepOffsets) : null;
    this.rowOffsets = keepOffsets ? new Float64Array(batchRows) : null;
    this.#lines = keepOffsets ? { starts: new Int32Array(batchRows), ends: new Int32Array(batchRows) } : null;
  }

  begin(start: DecoderStart): void {
    this.#startBatch();
    this.#offset = start.offset;
    this.#records = 0;
    this.#drift.begin();
    if (start.state !== null) this.#bind(headerState(start.state));
    else if (this.#spec.header) this.#names = null;
    else this.#bind(this.#spec.columns ?? this.#options.schema.fields.map((field) => field.name));
  }

  decode(bytes: Uint8Array, from: number, to: number, last: boolean): number {
    if (this.#takenRows >= 0) this.#startBatch();
    let at = from;
    if (this.#offset === 0) {
      const mark = byteOrderMark(bytes, from, to, last);
      if (mark === null) return from;
      this.#offset += mark;
      at += mark;
    }
    if (this.#names === null) {
      const header = readHeaderNames(bytes, at, to, last, this.#spec);
      if (header === null) return at;
      this.#bind(header.names);
      this.#offset += header.end - at;
      at = header.end;
    }
    if (this.#drift.needed !== null || this.#drift.stopsAtFile(bytes, at, to)) return at;
    while (at < to && this.#rows < this.#options.batchRows) {
      const kernel = this.#kernel;
      // It passes over columns that the schema does not have.
      if (kernel?.isBound && this.#kernelUse.pays && !this.#drift.keepsNewFields) {
        at = this.#runKernel(kernel, bytes, at, to);
        if (!kernel.stopped || at === to) continue;
      }
      const next = this.#record(bytes, at, to, last);
      if (next === -1) break;
      this.#offset += next - at;
      at = next;
    }
    return at;
  }

  #runKernel(kernel: CsvKernel, bytes: Uint8Array, at: number, to: number): number {
    const row = this.#rows;
    const { rowOffsets } = this;
    const next = kernel.read(bytes, at, to, row, this.#options.batchRows - row, this.#lines);
    const { rows } = kernel;
    if (rowOffsets !== null && this.#lines !== null) {
      const offset = this.#offset - at;
      for (let i = row; i < row + rows; i++) rowOffsets[i] = offset + this.#lines.starts[i]!;
    }
    for (const writer of this.#absent) for (let i = row; i < row + rows; i++) writer.writeNull(i);
    this.#rows += rows;
    this.#records += rows;
    this.#offset += next - at;
    this.#kernelUse.note(rows, kernel.stopped);
    return next;
  }

  /** Reads the record at `start`. @returns where the next one begins, or -1 where this one is not whole */
  #record(bytes: Uint8Array, start: number, to: number, last: boolean): number {
    const blank = blankLine(bytes, start, to, last);
    if (blank !== 0) return blank;
    this.#problem = null;
    this.#drift.beginRecord();
    const row = this.#rows;
    let at = start;
    for (let field = 0; ; field++) {
      const next =
        bytes[at] === this.#quote && at < to
          ? this.#quotedField(bytes, at, to, last, field, row)
          : this.#plainField(bytes, at, to, last, field, row);
      if (next === -1) return -1;
      // What ends a record: its line feed, or the end of the file.
      if (next >= to || bytes[next] !== this.#delimiter) {
        const end = Math.min(next + 1, to);
        if (this.#drift.stopsAtRecord(bytes, start, to)) return -1;
        this.#endRecord(bytes, start, next, field + 1, row);
        return end;
      }
      at = next + 1;
    }
  }

  /** @returns the index of the delimiter or line feed behind the field, `to` at the end of the file, -1 for more bytes */
  #plainField(
    bytes: Uint8Array,
    start: number,
    to: number,
    last: boolean,
    field: number,
    row: number,
  ): number {
    const delimiter = this.#delimiter;
    let high = 0;
    let at = start;
    for (; at < to; at++) {
      const byte = bytes[at]!;
      if (byte === delimiter || byte === LINE_FEED) break;
      high |= byte;
    }
    if (at === to && !last) return -1;
    const end = at > start && bytes[at - 1] === CARRIAGE_RETURN && bytes[at] !== delimiter ? at - 1 : at;
    const isNull = end === start || (this.#nullText !== null && equals(bytes, start, end, this.#nullText));
    this.#value(bytes, start, end, high < 0x80, isNull, field, row);
    return at;
  }

  #quotedField(
    bytes: Uint8Array,
    start: number,
    to: number,
    last: boolean,
    field: number,
    row: number,
  ): number {
    const quote = this.#quote;
    let high = 0;
    let doubled = false;
    let at = start + 1;
    for (; ; at++) {
      if (at >= to) {
        if (!last) return -1;
        this.#refuse('malformed', this.#bound[field]?.field.name ?? null, 'a quote is opened and not closed');
        // Everything behind the quote would be lost with it: the record is taken to end with its line.
        return lineEnd(bytes, start, to);
      }
      const byte = bytes[at]!;
      if (byte === quote) {
        if (at + 1 >= to && !last) return -1;
        if (at + 1 >= to || bytes[at + 1] !== quote) break;
        doubled = true;
        at++;
      } else if (byte === LINE_FEED && !this.#spec.quotedNewlines) {
        this.#refuse(
          'malformed',
          this.#bound[field]?.field.name ?? null,
          'a line end inside quotes (quoted_newlines: false)',
        );
        return at;
      }
      high |= byte;
    }
    const behind = this.#behindQuote(bytes, at + 1, to, last, field);
    if (behind === -1) return -1;
    if (doubled) {
      const length = this.#undouble(bytes, start + 1, at);
      this.#value(this.#scratch, 0, length, high < 0x80, false, field, row);
    } else this.#value(bytes, start + 1, at, high < 0x80, false, field, row);
    return behind;
  }

  /** Only a delimiter or a line end may stand behind a closing quote. */
  #behindQuote(bytes: Uint8Array, from: number, to: number, last: boolean, field: number): number {
    if (from >= to) return last ? to : -1;
    const byte = bytes[from]!;
    if (byte === this.#delimiter || byte === LINE_FEED) return from;
    if (byte === CARRIAGE_RETURN) {
      if (from + 1 >= to) return last ? to : -1;
      if (bytes[from + 1] === LINE_FEED) return from + 1;
    }
    const end = endOfText(bytes, from, to, this.#delimiter);
    if (end === to && !last) return -1;
    this.#refuse('malformed', this.#bound[field]?.field.name ?? null, 'text stands behind a closing quote');
    return end;
  }

  /** Copies bytes[start, end) to the scratch, with doubled quotes made single. @returns the length */
  #undouble(bytes: Uint8Array, start: number, end: number): number {
    if (this.#scratch.length < end - start) this.#scratch = new Uint8Array((end - start) * 2);
    const { length } = this.#scratch;
    let out = 0;
    for (let at = start; at < end && out < length; at++) {
      const byte = bytes[at]!;
      this.#scratch[out++] = byte;
      if (byte === this.#quote) at++;
    }
    return out;
  }

  #value(
    bytes: Uint8Array,
    start: number,
    end: number,
    ascii: boolean,
    isNull: boolean,
    field: number,
    row: number,
  ): void {
    const writer = this.#bound[field];
    if (writer === undefined || this.#problem !== null) return;
    if (writer === null) {
      const lost = isNull ? null : this.#drift.newValue(field, bytes, start, end);
      if (lost !== null) this.#refuse('not_utf8', lost, 'a value that is not UTF-8 cannot be rescued');
      return;
    }
    if (isNull) {
      if (writer.field.nullable) writer.writeNull(row);
      else this.#refuse('null_value', writer.field.name, 'null, and the column may not be null');
      return;
    }
    if (writer.write(bytes, start, end, ascii, row)) return;
    const { name, nullable } = writer.field;
    if (this.#drift.misfit(name, nullable, bytes, start, end)) {
      writer.writeNull(row);
      return;
    }
    this.#refuse(
      writer.field.type.kind === 'string' ? 'not_utf8' : 'type_mismatch',
      writer.field.name,
      `'${quotedText(bytes, start, end)}' is not ${article(writer.field.type.kind)}`,
    );
  }

  #endRecord(bytes: Uint8Array, start: number, end: number, fields: number, row: number): void {
    if (fields !== this.#bound.length && this.#problem === null) {
      this.#refuse('field_count', null, `${fields} fields instead of ${this.#bound.length}`);
    }
    const problem: Problem | null = this.#problem;
    if (problem === null) {
      for (const writer of this.#absent) writer.writeNull(row);
      this.#drift.endRecord(row);
      if (this.rowOffsets !== null) this.rowOffsets[row] = this.#offset;
      this.#rows++;
    } else {
      const trimmed = end > start && bytes[end - 1] === CARRIAGE_RETURN ? end - 1 : end;
      this.#options.onBadRecord({
        offset: this.#offset,
        recordIndex: this.#records,
        ...problem,
        bytes: bytes.subarray(start, trimmed),
      });
    }
    this.#records++;
  }

  /** See {@link Decoder}. */
  get drift(): Schema | null {
    return this.#drift.needed;
  }

  passDrift(): void {
    this.#drift.pass();
  }

  #refuse(code: BadRecordCode, column: string | null, reason: string): void {
    this.#problem ??= { code, column, reason };
  }

  #bind(names: readonly string[]): void {
    const byName = new Map(this.#writers.map((writer) => [writer.field.name, writer]));
    this.#names = names;
    this.#bound = names.map((name) => byName.get(name) ?? null);
    this.#absent = this.#writers.filter((writer) => !names.includes(writer.field.name));
    this.#drift.bind(names);
    this.#kernel?.bind(this.#bound);
    proveColumns('the file', names, this.#drift, this.#drift.keepsOthers);
  }

  #startBatch(): void {
    for (const writer of this.#writers) writer.clear(Math.max(0, this.#takenRows));
    this.#rows = 0;
    this.#takenRows = -1;
    this.#kernelUse.reset();
  }

  get rows(): number {
    return this.#takenRows >= 0 ? 0 : this.#rows;
  }

  get full(): boolean {
    return this.#takenRows < 0 && this.#rows === this.#options.batchRows;
  }

  take(): Batch {
    if (this.#takenRows >= 0) this.#startBatch();
    const columns: Column[] = this.#writers.map(({ column }) => {
      column.length = this.#rows;
      return column;
    });
    this.#drift.finish(columns, this.#rows);
    const batch = new Batch(this.#options.schema, columns, this.#rows);
    this.#takenRows = this.#rows;
    return batch;
  }

  get offset(): number {
    return this.#offset;
  }

  get records(): number {
    return this.#records;
  }

  state(): DecoderState {
    return this.#spec.header && this.#names !== null ? { header: this.#names } : null;
  }

  skipRecord(bytes: Uint8Array, from: number, to: number): number {
    return behindLineFeed(bytes, from, to);
  }
}
