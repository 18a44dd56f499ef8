/**
 * Quarantined records as input (`sluice replay`): each line of a replay file is a row of the quarantine in JSON, and the
 * record in it is read by the job's own decoder, as if it stood in its source file.
 */
import { Batch } from '../../lib/core/batch.ts';
import type {
  Decoder,
  DecoderOptions,
  DecoderStart,
  DecoderState,
  FileInputFormat,
  InputFormat,
  RecordOrigin,
} from '../../lib/core/decoder.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import { behindLineFeed } from '../line-start.ts';

/** A quarantined record, as a replay file has it. */
export interface ReplayRecord {
  readonly file: string;
  readonly offset: number;
  readonly line: number | null;
  /** Base64. */
  readonly record: string;
  readonly state: DecoderState;
}

const LINE_FEED = 10;
/** Any but 0, where a byte order mark would be looked for. */
const INNER_OFFSET = 1;

/** @param inner the job's format */
export function replayInput(inner: InputFormat | FileInputFormat): InputFormat {
  if (inner.access === 'random') {
    throw new SluiceError(
      'JOB_INVALID',
      `records of ${inner.type} files are not kept as bytes: they cannot be replayed`,
      {
        hint: 'mend the files and give them under new names',
      },
    );
  }
  return {
    type: 'replay',
    // A file may hold records of many headers; it is small.
    splittable: false,
    createDecoder: (options) => new ReplayDecoder(inner, options),
    inferSchema: (samples) => inner.inferSchema(samples),
  };
}

class ReplayDecoder implements Decoder {
  readonly #inner: Decoder;
  /** undefined: records are read in the states that they were found in. */
  readonly #recordState: DecoderState | undefined;
  readonly #batchRows: number;
  readonly #nothing: Batch;
  #offset = 0;
  #records = 0;
  /** What the inner decoder was begun with, as JSON. */
  #begun: string | null = null;
  #origin: RecordOrigin = { path: '', offset: 0, line: null };
  /** The next record needs another state: rows have to be taken first. */
  #mustTake = false;
  /** Of the rows that wait for `take`. */
  #origins: RecordOrigin[] = [];
  #taken = false;
  readonly #keepsOrigins: boolean;

  constructor(inner: InputFormat, options: DecoderOptions) {
    this.#batchRows = options.batchRows;
    this.#keepsOrigins = options.keepOffsets === true;
    this.#recordState = inner.recordState;
    this.#inner = inner.createDecoder({
      ...options,
      keepLines: false,
      keepOffsets: false,
      onBadRecord: (record) =>
        options.onBadRecord({
          ...record,
          offset: this.#offset,
          recordIndex: this.#records,
          origin: this.#origin,
        }),
    });
    this.#nothing = new Batch(options.schema, [], 0);
  }

  begin(start: DecoderStart): void {
    this.#offset = start.offset;
    this.#records = 0;
    this.#begun = null;
    this.#mustTake = false;
    this.#origins = [];
  }

  decode(bytes: Uint8Array, from: number, to: number, last: boolean): number {
    let at = from;
    if (this.#taken) this.#origins = [];
    this.#taken = false;
    while (at < to && !this.full) {
      const feed = bytes.subarray(at, to).indexOf(LINE_FEED);
      if (feed === -1 && !last) break;
      const end = feed === -1 ? to : at + feed;
      if (end > at && !this.#record(parseReplayRecord(bytes.subarray(at, end), this.#offset))) break;
      const next = Math.min(end + 1, to);
      this.#offset += next - at;
      this.#records++;
      at = next;
    }
    return at;
  }

  /** @returns false where rows have to be taken first */
  #record({ file, offset, line, record, state }: ReplayRecord): boolean {
    const begun = JSON.stringify(state);
    if (begun !== this.#begun || this.#recordState !== undefined) {
      if (this.#inner.rows > 0) {
        this.#mustTake = true;
        return false;
      }
      this.#inner.begin({ offset: INNER_OFFSET, state: this.#recordState ?? state });
      this.#begun = begun;
    }
    this.#origin = { path: file, offset, line };
    const rowsBefore = this.#inner.rows;
    const bytes = Buffer.concat([Buffer.from(record, 'base64'), Buffer.from([LINE_FEED])]);
    const before = this.#inner.records;
    try {
      const read = this.#inner.decode(bytes, 0, bytes.length, false);
      // A quote that is not closed may be so for the want of what followed in the file.
      if (read < bytes.length) this.#inner.decode(bytes, read, bytes.length, true);
    } catch (error) {
      // The file is ours: it must not be quarantined in its turn, as a damaged one.
      if (error instanceof SluiceError && error.code === 'INPUT_CORRUPT')
        throw notOneRecord(file, offset, error);
      throw error;
    }
    if (this.#inner.records !== before + 1) throw notOneRecord(file, offset, null);
    if (this.#keepsOrigins && this.#inner.rows > rowsBefore) this.#origins.push(this.#origin);
    return true;
  }

  /** See {@link Decoder}. */
  get rowOrigins(): readonly RecordOrigin[] {
    return this.#origins;
  }

  get rows(): number {
    return this.#inner.rows;
  }

  get full(): boolean {
    return this.#mustTake || this.#inner.full || this.#inner.rows >= this.#batchRows;
  }

  take(): Batch {
    this.#mustTake = false;
    this.#taken = true;
    return this.#begun === null ? this.#nothing : this.#inner.take();
  }

  get offset(): number {
    return this.#offset;
  }

  get records(): number {
    return this.#records;
  }

  /** That of the record being read, so that it may be quarantined again. */
  state(): DecoderState {
    return this.#begun === null ? null : this.#inner.state();
  }

  skipRecord(bytes: Uint8Array, from: number, to: number): number {
    return behindLineFeed(bytes, from, to);
  }
}

function notOneRecord(file: string, offset: number, cause: unknown): SluiceError {
  return new SluiceError('INTERNAL', `the quarantined record of ${file}, byte ${offset}, is not one record`, {
    cause,
  });
}

/** @throws SluiceError STATE_CORRUPT: replay files are ours */
export function parseReplayRecord(bytes: Uint8Array, offset: number): ReplayRecord {
  try {
    return JSON.parse(
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(),
    ) as ReplayRecord;
  } catch (cause) {
    throw new SluiceError('STATE_CORRUPT', `a replay file is damaged at byte ${offset}`, { cause });
  }
}
