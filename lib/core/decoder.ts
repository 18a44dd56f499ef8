/** Extension point: formats that sluice reads. */
import type { Batch } from './batch.ts';
import type { Schema } from './data-type.ts';

/** Why a record was refused, for programs. The list is in docs/data-quality.md. */
export type BadRecordCode =
  /** It breaks the format itself: not JSON, no object, a quote that is not closed. */
  | 'malformed'
  | 'not_utf8'
  /** More or fewer fields than the file has columns. */
  | 'field_count'
  /** A value that is not of its column's type. */
  | 'type_mismatch'
  /** No value where the column has to have one. */
  | 'null_value'
  /** A key that the schema does not have. */
  | 'new_field'
  /** Longer, deeper or with more items than there may be. */
  | 'too_large'
  /** It belongs in no bucket: an event time that cannot be read, a value that cannot name a folder. */
  | 'no_bucket'
  /** It came after the time of its bucket was over. */
  | 'late'
  /** The rest of a file whose beginning does not say what its columns are. */
  | 'file_header'
  /** The rest of a file that is damaged: a torn gzip. */
  | 'file_corrupt';

/** Where a record was read for the first time, where that is not where it is read now. */
export interface RecordOrigin {
  readonly path: string;
  /** Byte offset in the decompressed file. */
  readonly offset: number;
  /** From 1; null where it is not known. */
  readonly line: number | null;
}

/** A record that was refused, as the bad-record policy and the error message need it. */
export interface BadRecord {
  /** Byte offset of the record's first byte in the (decompressed) file. */
  readonly offset: number;
  /** Where it stands, for formats whose records are at no byte of their own: `row 12 of row group 3`. */
  readonly place?: string;
  /** Which record of the split it is, counted from 0 at the place where the decoder began. */
  readonly recordIndex: number;
  /** `malformed` where a decoder does not say. */
  readonly code?: BadRecordCode;
  /** The column that did not fit, where one can be named. */
  readonly column: string | null;
  /** Why, for people: `'abc' is not an int64`. */
  readonly reason: string;
  /** The record as it stands in the file, without its line end. A view: copy to keep. */
  readonly bytes: Uint8Array;
  /** Left out: it stands in the file that is being read. */
  readonly origin?: RecordOrigin;
}

/** The column that takes what is rescued. */
export const RESCUED_COLUMN = '_rescued';

/** What becomes of data that the schema does not hold. */
export interface DriftPolicy {
  /**
   * A field that is in no column: passed over · kept in `_rescued` · `decode` stops before it, see `Decoder.drift` · a bad
   * record.
   */
  readonly newField: 'ignore' | 'rescue' | 'evolve' | 'fail';
  /** A value that does not fit: a bad record · null, and kept in `_rescued` · `decode` stops before it. */
  readonly mismatch: 'refuse' | 'rescue' | 'widen';
}

export const NO_DRIFT: DriftPolicy = { newField: 'ignore', mismatch: 'refuse' };

export interface DecoderOptions {
  readonly schema: Schema;
  /** Rows after which a batch is full. */
  readonly batchRows: number;
  /** Called for each refused record; throws to stop (policy fail) or returns to go on without it (skip). */
  readonly onBadRecord: (record: BadRecord) => void;
  /** Whether batches have to carry their source lines (`Batch.lines`), so that an encoder may pass them on. */
  readonly keepLines: boolean;
  /**
   * The columns that are wanted; all where left out. Batches have these only, in the schema's order. Values of the others
   * may be passed over: the format is checked, their types need not be.
   */
  readonly columns?: ReadonlySet<string> | undefined;
  /** Whether the decoder has to tell where each row's record begins: see `Decoder.rowOffsets`. */
  readonly keepOffsets?: boolean;
  /** {@link NO_DRIFT} where left out. Formats that cannot tell ignore it. */
  readonly drift?: DriftPolicy;
}

/**
 * What a decoder needs to go on inside a file. Plain JSON, and small: it is written for each split that is being read
 * at every checkpoint. A few hundred bytes are usual; a file's own schema, where it has to be known, may be some more.
 */
export type DecoderState = Readonly<Record<string, unknown>> | null;

/** Where a decoder begins. */
export interface DecoderStart {
  /** Byte offset in the decompressed file of the next byte that `decode` will be given. Always a record's start. */
  readonly offset: number;
  /** What `state()` said when the position was taken; null at the file's first byte. */
  readonly state: DecoderState;
}

/**
 * Turns bytes into batches. One decoder serves one subtask for all its splits, one after the other, so that
 * dictionaries last; it is used by one caller at a time and never asynchronously.
 */
export interface Decoder {
  /** Begins a split. Called once a split, before any of its bytes. Rows of the split before were taken by then. */
  begin(start: DecoderStart): void;

  /**
   * Reads whole records from bytes[from, to) until the batch is full or no whole record is left.
   * @param last no bytes follow: an unfinished record is now a whole one (a last line without line end)
   * @returns the index of the first byte that was not consumed; what is left comes again, at any index, with more behind it
   * @throws SluiceError what onBadRecord throws; the refused record is then not consumed. INPUT_CORRUPT where the file is
   *   damaged: `rows`, `offset`, `records` and `state()` are then those of the whole records before the damage
   */
  decode(bytes: Uint8Array, from: number, to: number, last: boolean): number;
  /**
   * Called where the file ends and all of it was consumed, maybe more than once. Left out where a file may end behind any
   * record.
   * @throws SluiceError INPUT_CORRUPT where it may not: an array without its closing bracket
   */
  finish?(): void;

  /** Rows waiting for `take`. */
  readonly rows: number;
  /** Whether `take` has to be called before `decode` can go on. */
  readonly full: boolean;
  /** The rows decoded so far, 0 included. They are valid until the next `decode` or `begin`. */
  take(): Batch;

  /** Byte offset of the first byte not consumed, in the decompressed file: with state(), where a restart begins. */
  readonly offset: number;
  /** Records consumed since `begin`, refused ones included. */
  readonly records: number;
  state(): DecoderState;

  /**
   * Not null: `decode` has stopped before a record that the schema does not hold; these are the columns that it and those
   * behind it would need. Rows so far have to be taken. Reading goes on with a decoder of a wider schema, or with this one
   * after `passDrift`. Left out where a format never stops.
   */
  readonly drift?: Schema | null;
  /** The schema stays: the next record is read by it, whatever that leads to. */
  passDrift?(): void;

  /**
   * With `keepOffsets`: byte offset in the decompressed file of the record of each row that waits for `take`. Left out where
   * records have no byte of their own (blocks that are compressed).
   */
  readonly rowOffsets?: Float64Array | null;
  /** The same for rows of records that were first read elsewhere. */
  readonly rowOrigins?: readonly RecordOrigin[];

  /**
   * How a record that is too long, or that broke the framing, is left behind: the index after its end within
   * bytes[from, to), or -1 when the end is not among them. Line formats look for the next line feed.
   */
  skipRecord(bytes: Uint8Array, from: number, to: number): number;
}

/** A format that can be read as a stream of bytes. */
export interface InputFormat {
  readonly type: string;
  readonly access?: 'stream';
  /** Whether a byte range of an uncompressed file can be read on its own: every record is exactly one line. */
  readonly splittable: boolean;
  createDecoder(options: DecoderOptions): Decoder;
  /**
   * Where a decoder begins that reads one record alone, as a replay does, if not in the state of the record's place: an
   * element of an array stands behind whatever stood before it. Left out for others.
   */
  readonly recordState?: DecoderState;
  /**
   * For formats whose files begin with what later records need (a CSV header): the state of a decoder that begins at a
   * record further on, read from the file's first bytes (decompressed). null asks for more bytes; with `last` there are
   * none. Left out where a decoder can begin at any record with the state null.
   * @throws SluiceError where the header is wrong
   */
  readHeader?(head: Uint8Array, last: boolean): DecoderState;
  /**
   * Infers a schema from the beginnings of some files.
   * @throws SluiceError SCHEMA_UNKNOWN where nothing can be said
   */
  inferSchema(samples: readonly FileSample[]): Schema;
  /** What each column was inferred from. Left out where nothing is inferred. */
  explainSchema?(samples: readonly FileSample[]): readonly ColumnEvidence[];
}

/** The beginning of a file, decompressed. */
export interface FileSample {
  readonly bytes: Uint8Array;
  /** Whether that is all of it, and no more is to come. Otherwise its last record may be cut. */
  readonly isWhole: boolean;
}

/** How often values of a kind were seen in a sample, and some of them. */
export interface KindEvidence {
  /** `integer`, `float`, `string`, `timestamp-ms` ... */
  readonly kind: string;
  readonly values: number;
  readonly samples: readonly string[];
}

/** What the type of a column was inferred from. */
export interface ColumnEvidence {
  readonly name: string;
  /** Records that were looked at; those without a value are the rest. */
  readonly records: number;
  readonly kinds: readonly KindEvidence[];
}

/** A file, as it was listed, that can be read at any place. */
export interface RandomAccessFile {
  /** For errors. */
  readonly path: string;
  /** Nothing behind it is read. */
  readonly sizeBytes: number;
  /**
   * Reads the bytes [offset, offset + into.length).
   * @throws SluiceError INPUT_CORRUPT where the file does not have them; storage errors
   */
  read(offset: number, into: Uint8Array): Promise<void>;
}

/**
 * Turns files that say themselves where what is (Parquet: the footer) into batches. As with {@link Decoder}, one serves
 * a subtask for all its splits. It asks for bytes, so it waits: a few times a batch, never a row.
 */
export interface FileDecoder {
  /**
   * Begins a file, or goes on in it. Rows of the file before were taken by then.
   * @param state what `state()` said when the position was taken; null at the file's beginning
   * @throws SluiceError INPUT_CORRUPT; BAD_RECORD where the file's columns are not those of the schema
   */
  begin(file: RandomAccessFile, state: DecoderState): Promise<void>;
  /**
   * The next rows, valid until the next call; null at the file's end.
   * @throws SluiceError INPUT_CORRUPT; what onBadRecord throws
   */
  next(): Promise<Batch | null>;
  /** Records consumed since `begin`, refused ones included. */
  readonly records: number;
  /** About how many bytes of the file are done with. For progress, not for logic. */
  readonly offset: number;
  /** Where the batch that `next` returned last ends. */
  state(): DecoderState;
}

/** A format whose files are read at any place, not as a stream: never split, never compressed as a whole. */
export interface FileInputFormat {
  readonly type: string;
  readonly access: 'random';
  createDecoder(options: DecoderOptions): FileDecoder;
  /** The columns that a file says it has. @throws SluiceError INPUT_CORRUPT; SCHEMA_UNKNOWN */
  readSchema(file: RandomAccessFile): Promise<Schema>;
}
