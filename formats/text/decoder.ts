/** Text: every line is a row with one string column. CR before the line feed is dropped; an empty line is a row. */
import { Batch } from '../../lib/core/batch.ts';
import type { Decoder, DecoderOptions, DecoderStart, DecoderState } from '../../lib/core/decoder.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import { behindLineFeed, byteOrderMark } from '../line-start.ts';
import { StringColumnWriter } from '../string-column-writer.ts';

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

export class TextDecoder implements Decoder {
  readonly #options: DecoderOptions;
  readonly #writer: StringColumnWriter;
  /** See {@link Decoder}. */
  readonly rowOffsets: Float64Array | null;
  #rows = 0;
  #offset = 0;
  #records = 0;

  /** @throws SluiceError JOB_INVALID where the schema is not one string column */
  constructor(options: DecoderOptions) {
    const [field, ...others] = options.schema.fields;
    if (field === undefined || field.type.kind !== 'string' || others.length > 0) {
      throw new SluiceError('JOB_INVALID', 'the text format has one column, of type string', {
        hint: 'leave source.format.schema out, or give one column of type string',
      });
    }
    this.#options = options;
    this.#writer = new StringColumnWriter(field.type, options.batchRows);
    this.rowOffsets = options.keepOffsets === true ? new Float64Array(options.batchRows) : null;
  }

  begin(start: DecoderStart): void {
    this.#rows = 0;
    this.#offset = start.offset;
    this.#records = 0;
  }

  decode(bytes: Uint8Array, from: number, to: number, last: boolean): number {
    let at = from;
    if (this.#offset === 0) {
      const mark = byteOrderMark(bytes, from, to, last);
      if (mark === null) return from;
      at += mark;
      this.#offset += mark;
    }
    while (at < to && !this.full) {
      const feed = bytes.subarray(at, to).indexOf(LINE_FEED);
      if (feed === -1 && !last) break;
      const end = feed === -1 ? to : at + feed;
      const next = feed === -1 ? to : end + 1;
      this.#line(bytes, at, end > at && bytes[end - 1] === CARRIAGE_RETURN ? end - 1 : end);
      this.#offset += next - at;
      this.#records++;
      at = next;
    }
    return at;
  }

  #line(bytes: Uint8Array, start: number, end: number): void {
    if (this.#writer.write(bytes, start, end, false, this.#rows)) {
      if (this.rowOffsets !== null) this.rowOffsets[this.#rows] = this.#offset;
      this.#rows++;
      return;
    }
    this.#options.onBadRecord({
      offset: this.#offset,
      recordIndex: this.#records,
      code: 'not_utf8',
      column: this.#options.schema.fields[0]!.name,
      reason: 'the line is not valid UTF-8',
      bytes: bytes.subarray(start, end),
    });
  }

  get rows(): number {
    return this.#rows;
  }

  get full(): boolean {
    return this.#rows === this.#options.batchRows;
  }

  take(): Batch {
    const { column } = this.#writer;
    column.length = this.#rows;
    const batch = new Batch(this.#options.schema, [column], this.#rows);
    this.#rows = 0;
    return batch;
  }

  get offset(): number {
    return this.#offset;
  }

  get records(): number {
    return this.#records;
  }

  state(): DecoderState {
    return null;
  }

  skipRecord(bytes: Uint8Array, from: number, to: number): number {
    return behindLineFeed(bytes, from, to);
  }
}
