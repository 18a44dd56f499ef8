/**
 * Newline-delimited JSON into columns: one object a line (https://github.com/ndjson/ndjson-spec).
 *
 * Accepted is what JSON.parse accepts, with the same values, but for: values nested deeper than 512; lone halves of
 * surrogate pairs, which become U+FFFD; int64 keeps every digit; a number too large for a double is refused. Missing keys
 * and null are null. Keys that are no columns are passed over, and checked. Blank lines are no records, a UTF-8 byte order
 * mark at the file's start is skipped, and the last line needs no line feed.
 */
import { Batch, type SourceLines } from '../../lib/core/batch.ts';
import type { Column } from '../../lib/core/column.ts';
import type { Schema } from '../../lib/core/data-type.ts';
import {
  type Decoder,
  type DecoderOptions,
  type DecoderStart,
  type DecoderState,
  NO_DRIFT,
  RESCUED_COLUMN,
} from '../../lib/core/decoder.ts';
import { KernelUse } from '../kernel/kernel-use.ts';
import { RescuedColumn } from '../rescued-column.ts';
import { createObjectReader } from './create-reader.ts';
import { ObjectDrift } from './drift.ts';
import { JsonKernel } from './json-kernel.ts';
import type { ItemLimit } from './list-reader.ts';
import type { ObjectReader } from './object-reader.ts';
import { recordProblem } from './record-problem.ts';
import { skipSpace } from './skip-value.ts';

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;
/**
 * Bytes that there have to be behind a line's end. Readers look at words, and at places where something usually stands,
 * without a check of bounds; the line feed stops them all, so they get no further than this.
 */
const PAD_BYTES = 64;
/** Input of a batch, after which it is full whatever its rows: wide rows must not take memory by the thousands. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024;
/** Input that new columns' types are inferred from. */
const SEEN_BYTES = 256 * 1024;

/** Ways to decode that differ in speed only. */
export interface NdjsonTuning {
  /** Read rows of the usual shape in WebAssembly, where there is one. */
  readonly kernel: boolean;
  /** Make functions for the shapes of objects, where the runtime allows it. */
  readonly generate: boolean;
  /** Begin columns of strings as codes into a dictionary. */
  readonly dictionaries: boolean;
}

const FASTEST: NdjsonTuning = { kernel: true, generate: true, dictionaries: true };

export class NdjsonDecoder implements Decoder {
  readonly #options: DecoderOptions;
  readonly #schema: Schema;
  readonly #object: ObjectReader;
  readonly #limit: ItemLimit = { reached: false };
  /** null where the schema is all that counts: then nothing below is looked at for a record of it. */
  readonly #drift: ObjectDrift | null;
  readonly #rescued: RescuedColumn | null;
  #needed: Schema | null = null;
  /** Where whole lines end in the bytes being read. */
  #windowEnd = 0;
  readonly #lines: { starts: Int32Array; ends: Int32Array } | null;
  /** See {@link Decoder}. */
  readonly rowOffsets: Float64Array | null;
  /** null where there is none, or it is of no use. */
  readonly #kernel: JsonKernel | null;
  readonly #kernelUse = new KernelUse();
  #lineBytes: Uint8Array = new Uint8Array(0);
  #rows = 0;
  #records = 0;
  #offset = 0;
  /** Input of the rows that wait for `take`. */
  #batchBytes = 0;
  /** The rows were taken: columns are emptied when they are written to again. */
  #taken = false;
  /** The batch cannot go on, though there are fewer rows than it may have. */
  #ended = false;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #viewed: Uint8Array | null = null;
  /** A copy of lines that end too near the buffer's end, or without a line feed. */
  #tail: Uint8Array = new Uint8Array(0);

  /** @throws SluiceError JOB_INVALID where the schema has a name twice or is nested too deep */
  constructor(options: DecoderOptions, tuning: NdjsonTuning = FASTEST) {
    this.#options = options;
    const { schema, columns, batchRows, keepLines, keepOffsets = false, drift = NO_DRIFT } = options;
    this.#schema =
      columns === undefined ? schema : { fields: schema.fields.filter((field) => columns.has(field.name)) };
    const watches = drift.newField !== 'ignore' || drift.mismatch !== 'refuse';
    this.#drift = watches ? new ObjectDrift(drift) : null;
    const isRescued = ({ name }: { name: string }) => watches && name === RESCUED_COLUMN;
    this.#rescued = this.#schema.fields.some(isRescued) ? new RescuedColumn(batchRows) : null;
    const fields = this.#schema.fields.filter((field) => !isRescued(field));
    this.#object = createObjectReader(fields, {
      ...tuning,
      drift: this.#drift,
      capacity: batchRows,
      limit: this.#limit,
    });
    const needsLines = keepLines || keepOffsets;
    this.#kernel = tuning.kernel ? JsonKernel.create(this.#object, needsLines) : null;
    this.#lines = needsLines ? { starts: new Int32Array(batchRows), ends: new Int32Array(batchRows) } : null;
    this.rowOffsets = keepOffsets ? new Float64Array(batchRows) : null;
  }

  begin(start: DecoderStart): void {
    this.#offset = start.offset;
    this.#records = 0;
    this.#needed = null;
    this.#startBatch();
  }

  decode(bytes: Uint8Array, from: number, to: number, last: boolean): number {
    if (this.full || this.#needed !== null) return from;
    if (this.#taken) this.#startBatch();
    let at = from;
    if (this.#offset === 0) {
      const mark = byteOrderMark(bytes, from, to);
      // Some bytes of a mark: what follows decides.
      if (mark < 0 && !last) return from;
      if (mark > 0) {
        at += mark;
        this.#offset += mark;
      }
    }
    const end = at + bytes.subarray(at, to).lastIndexOf(LINE_FEED) + 1;
    // Lines of the last bytes of the buffer are read from a copy with enough bytes behind.
    const safeEnd =
      end + PAD_BYTES <= bytes.length
        ? end
        : at + bytes.subarray(at, Math.max(at, bytes.length - PAD_BYTES)).lastIndexOf(LINE_FEED) + 1;
    const tailEnd = last ? to : end;
    this.#windowEnd = tailEnd;
    at = this.#readLines(bytes, at, safeEnd, 0);
    if (at === safeEnd && at < tailEnd && !this.full) at = this.#readTail(bytes, at, tailEnd);
    if (this.#options.keepLines && this.#rows > 0) {
      this.#lineBytes = bytes;
      this.#ended = true;
    }
    return at;
  }

  #readTail(bytes: Uint8Array, from: number, to: number): number {
    const length = to - from;
    if (this.#tail.length < length + 1 + PAD_BYTES)
      this.#tail = new Uint8Array(2 * length + 1024 + PAD_BYTES);
    const tail = this.#tail;
    tail.set(bytes.subarray(from, to));
    const closed = tail[length - 1] === LINE_FEED;
    if (!closed) tail[length] = LINE_FEED;
    this.#windowEnd = length;
    const end = this.#readLines(tail, 0, closed ? length : length + 1, from);
    // The line feed that was put there is no byte of the file.
    if (end <= length) return from + end;
    this.#offset--;
    return to;
  }

  /**
   * Reads the lines of bytes[from, end), each of which ends with a line feed.
   * @param shift from an index here to one in what `decode` was given
   * @returns the index behind the last line read
   */
  #readLines(bytes: Uint8Array, from: number, end: number, shift: number): number {
    if (this.#viewed !== bytes) {
      this.#viewed = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const view = this.#view;
    const object = this.#object;
    const drift = this.#drift;
    const lines = this.#lines;
    const { rowOffsets } = this;
    const kernel = this.#kernel;
    const { batchRows } = this.#options;
    const maxEnd = from + MAX_BATCH_BYTES - this.#batchBytes;
    const offset = this.#offset - from;
    let row = this.#rows;
    let records = this.#records;
    let at = from;
    while (at < end && row < batchRows && (at < maxEnd || row === 0)) {
      if (kernel !== null && this.#kernelUse.pays) {
        at = kernel.read(bytes, at, Math.min(end, maxEnd), row, batchRows - row, lines, shift);
        if (rowOffsets !== null && lines !== null)
          for (let i = row; i < row + kernel.rows; i++) rowOffsets[i] = lines.starts[i]! - shift + offset;
        row += kernel.rows;
        records += kernel.rows;
        object.noteRead(kernel.rows);
        this.#kernelUse.note(kernel.rows, kernel.stopped);
        if (!kernel.stopped) continue;
      }
      const first = bytes[at]! > 32 ? at : skipSpace(bytes, at);
      if (bytes[first] === LINE_FEED) {
        at = first + 1;
        continue;
      }
      if (drift !== null) this.#beginRecord(drift);
      let next = object.read(bytes, view, first, row);
      if (next >= 0 && bytes[next] !== LINE_FEED) {
        next = skipSpace(bytes, next);
        if (bytes[next] !== LINE_FEED) next = -1;
      }
      if (drift?.touched && this.#stops(drift, bytes, first, next < 0)) break;
      if (next >= 0 && drift?.refusesNewField) {
        this.#rows = row;
        this.#records = records;
        this.#offset = offset + at;
        next = this.#refuseNewField(bytes, at, drift);
        records++;
      } else if (next < 0) {
        this.#rows = row;
        this.#records = records;
        this.#offset = offset + at;
        if (this.#limit.reached) {
          this.#limit.reached = false;
          if (row > 0) {
            this.#ended = true;
            break;
          }
          next = this.#refuse(bytes, at, true);
        } else next = this.#refuse(bytes, at, false);
        records++;
      } else {
        if (lines !== null) {
          lines.starts[row] = at + shift;
          lines.ends[row] = (bytes[next - 1] === CARRIAGE_RETURN ? next - 1 : next) + shift;
        }
        if (rowOffsets !== null) rowOffsets[row] = offset + at;
        if (drift?.touched && this.#rescued !== null) drift.rescue(this.#rescued, bytes, row);
        row++;
        records++;
      }
      at = next + 1;
    }
    this.#rows = row;
    this.#records = records;
    this.#offset = offset + at;
    this.#batchBytes = row === 0 ? 0 : this.#batchBytes + at - from;
    return at;
  }

  #beginRecord(drift: ObjectDrift): void {
    drift.beginRecord();
    this.#rescued?.beginRecord();
  }

  /** Whether the record has to wait for a wider schema: see `drift`. */
  #stops(drift: ObjectDrift, bytes: Uint8Array, start: number, refused: boolean): boolean {
    // Whole lines, and this one always: what follows tells the types better than one value does.
    const lineEnd = bytes.indexOf(LINE_FEED, start) + 1;
    const end = Math.max(lineEnd, Math.min(this.#windowEnd, start + SEEN_BYTES));
    this.#needed = drift.needed(this.#schema, bytes.subarray(start, end), refused);
    return this.#needed !== null;
  }

  /** @returns the index of the line feed @throws what onBadRecord throws */
  #refuseNewField(bytes: Uint8Array, start: number, drift: ObjectDrift): number {
    const lineFeed = bytes.indexOf(LINE_FEED, start);
    const end = lineFeed > start && bytes[lineFeed - 1] === CARRIAGE_RETURN ? lineFeed - 1 : lineFeed;
    this.#options.onBadRecord({
      offset: this.#offset,
      recordIndex: this.#records,
      ...drift.newFieldProblem(),
      bytes: bytes.subarray(start, end),
    });
    return lineFeed;
  }

  /** See {@link Decoder}. */
  get drift(): Schema | null {
    return this.#needed;
  }

  passDrift(): void {
    if (this.#needed !== null) this.#drift?.settle(this.#needed);
    this.#needed = null;
  }

  /** @returns the index of the line feed @throws what onBadRecord throws */
  #refuse(bytes: Uint8Array, start: number, tooManyItems: boolean): number {
    const lineFeed = bytes.indexOf(LINE_FEED, start);
    const { mismatch } = this.#object;
    const problem = recordProblem(bytes, this.#view, start, lineFeed, mismatch, tooManyItems);
    const end = lineFeed > start && bytes[lineFeed - 1] === CARRIAGE_RETURN ? lineFeed - 1 : lineFeed;
    this.#options.onBadRecord({
      offset: this.#offset,
      recordIndex: this.#records,
      code: problem.code,
      column: problem.column,
      reason: problem.reason,
      bytes: bytes.subarray(start, end),
    });
    return lineFeed;
  }

  get rows(): number {
    return this.#taken ? 0 : this.#rows;
  }

  get full(): boolean {
    return (
      !this.#taken &&
      this.#rows > 0 &&
      (this.#ended || this.#rows >= this.#options.batchRows || this.#batchBytes >= MAX_BATCH_BYTES)
    );
  }

  take(): Batch {
    if (this.#taken) this.#startBatch();
    const rows = this.#rows;
    // The slot behind the last row may hold what a refused one left.
    const touched = Math.min(rows + 1, this.#options.batchRows);
    const columns: Column[] = this.#object.fields.map(({ reader }) => {
      reader.finish(rows, touched);
      return reader.column;
    });
    if (this.#rescued !== null) {
      const at = this.#schema.fields.findIndex(({ name }) => name === RESCUED_COLUMN);
      columns.splice(at, 0, this.#rescued.finish(rows));
    }
    this.#taken = true;
    const lines: SourceLines | null =
      this.#lines === null || !this.#options.keepLines ? null : { bytes: this.#lineBytes, ...this.#lines };
    return new Batch(this.#schema, columns, rows, lines);
  }

  #startBatch(): void {
    for (const { reader } of this.#object.fields) reader.clear();
    this.#rescued?.clear();
    this.#rows = 0;
    this.#batchBytes = 0;
    this.#taken = false;
    this.#ended = false;
    this.#kernelUse.reset();
  }

  get offset(): number {
    return this.#offset;
  }

  get records(): number {
    return this.#records;
  }

  /** The byte offset is all there is to know. */
  state(): DecoderState {
    return null;
  }

  skipRecord(bytes: Uint8Array, from: number, to: number): number {
    const at = bytes.subarray(from, to).indexOf(LINE_FEED);
    return at < 0 ? -1 : from + at + 1;
  }
}

/** Bytes of the byte order mark at `from`; 0 where there is none, -1 where there are too few bytes to say. */
function byteOrderMark(bytes: Uint8Array, from: number, to: number): number {
  for (let i = 0; i < BYTE_ORDER_MARK.length; i++) {
    if (from + i === to) return -1;
    if (bytes[from + i] !== BYTE_ORDER_MARK[i]) return 0;
  }
  return BYTE_ORDER_MARK.length;
}
