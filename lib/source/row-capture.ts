/**
 * A decoder that gives one row at a time together with the record that it was made from, as it stands in the file: for the
 * few rows that turn out to be bad only once they are decoded. It reads what another decoder has read before.
 */
import type { Batch } from '../core/batch.ts';
import type { Schema } from '../core/data-type.ts';
import type {
  Decoder,
  DecoderOptions,
  DecoderStart,
  DecoderState,
  InputFormat,
  RecordOrigin,
} from '../core/decoder.ts';

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const NO_RECORD = { bytes: new Uint8Array(0), offset: null, origin: null, state: null };

/** The record of the row that was taken last. */
export interface CapturedRecord {
  /** Without its line end; empty where records have no bytes of their own. */
  readonly bytes: Uint8Array;
  /** Byte offset in the decompressed file; null for the same. */
  readonly offset: number | null;
  /** Where it was read first, if not here. */
  readonly origin: RecordOrigin | null;
  /** What a decoder has to know to read it alone. */
  readonly state: DecoderState;
}

/** A format that reads as `inner`, one row a batch, and tells `onRow` the record of each. */
export function capturing(inner: InputFormat, onRow: (record: CapturedRecord) => void): InputFormat {
  return {
    ...inner,
    createDecoder: (options) => new CapturingDecoder(inner, options, onRow),
    inferSchema: (samples) => inner.inferSchema(samples),
  };
}

class CapturingDecoder implements Decoder {
  readonly #inner: Decoder;
  readonly #onRow: (record: CapturedRecord) => void;
  #record: CapturedRecord = NO_RECORD;

  constructor(inner: InputFormat, options: DecoderOptions, onRow: (record: CapturedRecord) => void) {
    this.#inner = inner.createDecoder({ ...options, batchRows: 1, keepOffsets: true });
    this.#onRow = onRow;
  }

  begin(start: DecoderStart): void {
    this.#inner.begin(start);
  }

  decode(bytes: Uint8Array, from: number, to: number, last: boolean): number {
    const consumed = this.#inner.decode(bytes, from, to, last);
    if (this.#inner.rows > 0) this.#record = this.#recordOf(bytes, from, consumed);
    return consumed;
  }

  #recordOf(bytes: Uint8Array, from: number, to: number): CapturedRecord {
    const { rowOffsets, rowOrigins, offset: end } = this.#inner;
    const state = this.#inner.state();
    const offset = rowOffsets?.[0];
    // Records that were refused stand before it.
    if (offset !== undefined) {
      const start = Math.max(from, to - (end - offset));
      return { bytes: withoutLineEnd(bytes.slice(start, to)), offset, origin: null, state };
    }
    const origin = rowOrigins?.[0];
    if (origin === undefined) return NO_RECORD;
    const line = withoutLineEnd(bytes.slice(from, to));
    return { bytes: line.subarray(line.lastIndexOf(LINE_FEED) + 1), offset: origin.offset, origin, state };
  }

  take(): Batch {
    const hasRow = this.#inner.rows > 0;
    const batch = this.#inner.take();
    if (hasRow) this.#onRow(this.#record);
    return batch;
  }

  skipRecord(bytes: Uint8Array, from: number, to: number): number {
    return this.#inner.skipRecord(bytes, from, to);
  }

  state(): DecoderState {
    return this.#inner.state();
  }

  passDrift(): void {
    this.#inner.passDrift?.();
  }

  get rows(): number {
    return this.#inner.rows;
  }

  get full(): boolean {
    return this.#inner.full || this.#inner.rows > 0;
  }

  get offset(): number {
    return this.#inner.offset;
  }

  get records(): number {
    return this.#inner.records;
  }

  get drift(): Schema | null {
    return this.#inner.drift ?? null;
  }
}

function withoutLineEnd(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  if (bytes[end - 1] === LINE_FEED) end--;
  if (end < bytes.length && bytes[end - 1] === CARRIAGE_RETURN) end--;
  return bytes.subarray(0, end);
}
