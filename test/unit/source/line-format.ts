/** The smallest InputFormat: one line a record, one string column. Lines with `BAD` in them are refused. */
import { Batch } from '../../../lib/core/batch.ts';
import { BytesColumn } from '../../../lib/core/column.ts';
import type { Schema } from '../../../lib/core/data-type.ts';
import type {
  Decoder,
  DecoderOptions,
  DecoderStart,
  DecoderState,
  InputFormat,
} from '../../../lib/core/decoder.ts';

export const LINE_SCHEMA: Schema = { fields: [{ name: 'line', type: { kind: 'string' }, nullable: false }] };

/** @param header the first line of a file names something that every row carries, as a CSV header does */
export function lineFormat({ splittable = true, header = false } = {}): InputFormat {
  return {
    type: 'lines',
    splittable,
    createDecoder: (options) => new LineDecoder(options, header),
    inferSchema: () => LINE_SCHEMA,
    ...(header ? { readHeader } : {}),
  };
}

function readHeader(head: Uint8Array, last: boolean): DecoderState {
  const end = head.indexOf(10);
  if (end === -1 && !last) return null;
  return { header: Buffer.from(head.subarray(0, end === -1 ? head.length : end)).toString() };
}

class LineDecoder implements Decoder {
  readonly #options: DecoderOptions;
  readonly #withHeader: boolean;
  #header: string | null = null;
  #column = new BytesColumn({ kind: 'string' }, 16);
  #lines: { bytes: Uint8Array; starts: number[]; ends: number[] } | null = null;
  #taken = false;
  offset = 0;
  records = 0;

  constructor(options: DecoderOptions, withHeader: boolean) {
    this.#options = options;
    this.#withHeader = withHeader;
  }

  begin({ offset, state }: DecoderStart): void {
    if (this.rows > 0) throw new Error('begin with rows waiting');
    this.offset = offset;
    this.records = 0;
    const header = state?.header;
    this.#header = typeof header === 'string' ? header : null;
    if (this.#withHeader && offset > 0 && this.#header === null) throw new Error(`no header at ${offset}`);
  }

  get rows(): number {
    return this.#taken ? 0 : this.#column.length;
  }

  get full(): boolean {
    return this.rows >= this.#options.batchRows;
  }

  decode(bytes: Uint8Array, from: number, to: number, last: boolean): number {
    if (this.#taken) {
      this.#column.clear();
      this.#lines = null;
      this.#taken = false;
    }
    let at = from;
    while (at < to && !this.full) {
      const feed = bytes.subarray(at, to).indexOf(10);
      if (feed === -1 && !last) break;
      const next = feed === -1 ? to : at + feed + 1;
      let end = feed === -1 ? to : at + feed;
      if (end > at && bytes[end - 1] === 13) end--;
      this.#record(bytes, at, end);
      this.records++;
      this.offset += next - at;
      at = next;
    }
    return at;
  }

  #record(bytes: Uint8Array, start: number, end: number): void {
    const line = bytes.subarray(start, end);
    if (this.#withHeader && this.#header === null) {
      this.#header = Buffer.from(line).toString();
      return;
    }
    if (Buffer.from(line).includes('BAD')) {
      this.#options.onBadRecord({
        offset: this.offset,
        recordIndex: this.records,
        column: 'line',
        reason: 'it is bad',
        bytes: line,
      });
      return;
    }
    this.#column.push(this.#header === null ? line : Buffer.concat([Buffer.from(`${this.#header}:`), line]));
    if (!this.#options.keepLines) return;
    this.#lines ??= { bytes, starts: [], ends: [] };
    if (this.#lines.bytes !== bytes) throw new Error('the window moved while rows still refer to it');
    this.#lines.starts.push(start);
    this.#lines.ends.push(end);
  }

  take(): Batch {
    const lines =
      this.#lines === null
        ? null
        : {
            bytes: this.#lines.bytes,
            starts: Int32Array.from(this.#lines.starts),
            ends: Int32Array.from(this.#lines.ends),
          };
    const batch = new Batch(LINE_SCHEMA, [this.#column], this.rows, lines);
    this.#taken = true;
    return batch;
  }

  state(): DecoderState {
    return this.#header === null ? null : { header: this.#header };
  }

  skipRecord(bytes: Uint8Array, from: number, to: number): number {
    const feed = bytes.subarray(from, to).indexOf(10);
    return feed === -1 ? -1 : from + feed + 1;
  }
}

export function linesOf(batch: Batch): string[] {
  const lines: string[] = [];
  for (let row = 0; row < batch.length; row++)
    lines.push(String((batch.record(row) as { line: string }).line));
  return lines;
}
