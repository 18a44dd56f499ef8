/**
 * Reads splits in a subtask, one after the other: bytes from storage, decompressed, into the decoder, out as batches
 * (Flink: SplitReader, BulkFormat.Reader). Between two batches `split()` is exactly what was returned so far, so a
 * checkpoint may be taken there and another process goes on behind the last row.
 *
 * A file is read as the version that was listed: its size and mtime are compared when it is opened and again at its end.
 * A file that is gone, or changed, before a byte of it was read is not read at all; the enumerator decides what then.
 */
import type { Batch } from '../core/batch.ts';
import type { Clock } from '../core/clock.ts';
import type { Schema } from '../core/data-type.ts';
import type { BadRecord, Decoder, DecoderState, InputFormat } from '../core/decoder.ts';
import { SluiceError } from '../core/errors.ts';
import type { BadRecordPolicy, Compression } from '../core/specs.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { ChunkReader } from './chunk-reader.ts';
import { checkVersion } from './file-version.ts';
import { lineNumberAt } from './line-counter.ts';
import type { ModifiedPolicy } from './modification.ts';
import { readFully } from './read-range.ts';
import { badRecordError, copyRefused, type RefusedRecord, tooLargeError } from './record-errors.ts';
import { isUntouched, type Split, type SplitOutcome, type SplitPosition, startPosition } from './split.ts';
import { openSplitSource } from './split-source.ts';
import { type Warning, Warnings } from './warnings.ts';

export interface SplitReaderOptions {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly format: InputFormat;
  readonly compression: 'auto' | Compression;
  readonly schema: Schema;
  /** Rows of a batch. */
  readonly batchRows: number;
  /** Whether batches carry their source lines. They are then cut where the buffer is filled anew. */
  readonly keepLines: boolean;
  /** A record, with its line end, may be this long. */
  readonly maxRecordBytes: number;
  readonly onBadRecord: BadRecordPolicy;
  readonly modified: ModifiedPolicy;
  /** Bytes read at a time; 1 MiB where left out. */
  readonly chunkBytes?: number;
}

/** What was counted since the last call of `takeCounts`. */
export interface ReaderCounts {
  readonly rejected: number;
  /** Bytes of the files as they are stored. */
  readonly bytesIn: number;
  /** Bounded. */
  readonly warnings: readonly Warning[];
}

const CHUNK_BYTES = 1024 * 1024;
const LINE_FEED = 10;
/** After so many bytes without a row an empty batch is returned, so that a checkpoint can be taken. */
const QUIET_BYTES = 64 * 1024 * 1024;
/** First try at reading a header. */
const HEADER_BYTES = 64 * 1024;

/** What decoding what is there led to. */
type Step = 'full' | 'again' | 'more' | 'too-large' | 'end';

export class SplitReader {
  readonly #options: SplitReaderOptions;
  readonly #decoder: Decoder;
  readonly #chunks: ChunkReader;
  readonly #bounded: Warnings;
  #split: Split | null = null;
  #compression: Compression = 'none';
  #outcome: SplitOutcome['kind'] = 'read';
  /** Offset in the decompressed file of the window's first byte: what was taken so far ends here. */
  #offset = 0;
  /** Records taken before the decoder's `begin`. */
  #recordsBefore = 0;
  /** The next line feed comes before the first line of the range. */
  #aligning = false;
  #startState: DecoderState = null;
  /** A record that is too long is being left behind. */
  #skipping = false;
  /** Behind the last batch returned. */
  #position: SplitPosition = startPosition(0);
  /** The window has to be this long before decoding again makes sense: 0 or twice what held no whole record. */
  #wantedBytes = 0;
  #refused: RefusedRecord | null = null;
  #rejected = 0;
  /** Consumed of uncompressed files: so that ranges add up to the file. */
  #bytesIn = 0;
  /** Read of the file that is open, since it was asked last: what counts where it is compressed. */
  #takeStoredBytes: () => number = () => 0;
  #warnings: Warning[] = [];

  constructor(options: SplitReaderOptions) {
    this.#options = options;
    this.#chunks = new ChunkReader(options.chunkBytes ?? CHUNK_BYTES);
    this.#bounded = new Warnings(options.clock, (warning) => this.#warnings.push(warning));
    this.#decoder = options.format.createDecoder({
      schema: options.schema,
      batchRows: options.batchRows,
      keepLines: options.keepLines,
      onBadRecord: (record) => this.#refuse(record),
    });
  }

  /**
   * Begins a split, or goes on with one at its position.
   * @returns false where nothing can be read of it because its file is gone or changed: see `outcome`
   * @throws SluiceError FILE_MODIFIED under that policy; whatever opening throws. Nothing stays open then
   */
  async open(split: Split): Promise<boolean> {
    await this.close();
    // Rows of a split that ended in an error: nobody will ask for them.
    if (this.#decoder.rows > 0) this.#decoder.take();
    this.#split = split;
    this.#position = split.position;
    this.#refused = null;
    try {
      this.#outcome = await checkVersion(this.#options.fileSystem, split, this.#options.modified);
      if (this.#outcome === 'read') await this.#begin(split);
    } catch (error) {
      await this.close();
      if (!(error instanceof SluiceError) || error.code !== 'NOT_FOUND') throw error;
      this.#outcome = 'missing';
    }
    return this.#outcome === 'read';
  }

  /**
   * The next rows; null at the end of the split. A batch is valid until the next call, and may be empty.
   * @throws SluiceError BAD_RECORD, RECORD_TOO_LARGE under the policy fail; FILE_MODIFIED; INPUT_CORRUPT; storage errors.
   *   The file is closed then
   */
  async next(): Promise<Batch | null> {
    try {
      for (;;) {
        if (this.#aligning) await this.#align();
        if (this.#skipping) await this.#skipRecord();
        const step = this.#decode();
        if (step === 'again') continue;
        if (step === 'full' || this.#hasToTake(step)) return this.#take();
        if (step === 'end') return await this.#end();
        if (step === 'too-large') await this.#refuseTooLarge();
        else await this.#more();
      }
    } catch (error) {
      await this.#chunks.close().catch(() => {});
      await this.#explain(SluiceError.from(error));
      return null;
    }
  }

  /** Whether rows that do not fill a batch have to be returned before reading goes on. */
  #hasToTake(step: Step): boolean {
    if (this.#decoder.rows === 0)
      return this.#offset - this.#position.offset >= QUIET_BYTES && step === 'more';
    // Source lines lie in the window: they have to be used before it moves.
    return step !== 'more' || this.#options.keepLines;
  }

  #take(): Batch {
    this.#notePosition();
    return this.#decoder.take();
  }

  #notePosition(): void {
    const records = this.#recordsBefore + this.#decoder.records;
    this.#position = { offset: this.#offset, state: this.#decoder.state(), records };
  }

  /** The split at the position behind the last batch that `next` returned. */
  split(): Split {
    return { ...this.#current(), position: this.#position };
  }

  /** How the last split ended, once `open` returned false or `next` null. */
  get outcome(): SplitOutcome['kind'] {
    return this.#outcome;
  }

  takeCounts(): ReaderCounts {
    this.#countStored();
    const counts = { rejected: this.#rejected, bytesIn: this.#bytesIn, warnings: this.#warnings };
    this.#rejected = 0;
    this.#bytesIn = 0;
    this.#warnings = [];
    return counts;
  }

  #countStored(): void {
    const bytes = this.#takeStoredBytes();
    if (this.#compression !== 'none') this.#bytesIn += bytes;
  }

  /** Lets go of the file. Calls may repeat. */
  async close(): Promise<void> {
    this.#countStored();
    await this.#chunks.close();
  }

  #current(): Split {
    if (this.#split === null)
      throw new SluiceError('INTERNAL', 'a split reader was used before it was given a split');
    return this.#split;
  }

  async #begin(split: Split): Promise<void> {
    const { fileSystem } = this.#options;
    const { offset, state, records } = split.position;
    this.#aligning = split.startByte > 0 && isUntouched(split);
    this.#skipping = false;
    this.#wantedBytes = 0;
    this.#recordsBefore = records;
    // From the byte before the range: if that is a line feed, a line begins where the range does.
    this.#offset = this.#aligning ? offset - 1 : offset;
    this.#startState = state ?? (this.#aligning ? await this.#readHeader(split) : null);
    let storedBytes = 0;
    const wanted = split.compression ?? this.#options.compression;
    const opened = await openSplitSource(fileSystem, split, wanted, this.#offset, (bytes) => {
      storedBytes += bytes;
    });
    this.#compression = opened.compression;
    this.#takeStoredBytes = () => {
      const bytes = storedBytes;
      storedBytes = 0;
      return bytes;
    };
    this.#chunks.begin(opened.source);
    if (!this.#aligning) this.#decoder.begin({ offset, state: this.#startState });
  }

  /** What a decoder that begins inside a file has to know from the file's beginning. */
  async #readHeader(split: Split): Promise<DecoderState> {
    const { fileSystem, format, maxRecordBytes } = this.#options;
    if (format.readHeader === undefined) return null;
    for (
      let length = Math.min(HEADER_BYTES, maxRecordBytes);
      ;
      length = Math.min(length * 8, maxRecordBytes)
    ) {
      // A range: the file was found to be uncompressed before it was cut.
      const { source } = await openSplitSource(fileSystem, split, 'none', 0);
      const head = new Uint8Array(length);
      const read = await readFully(source, head).finally(() => source.close());
      const state = format.readHeader(head.subarray(0, read), read < length);
      if (state !== null || read < length) return state;
      if (length === maxRecordBytes) throw tooLargeError(split.path, 0, maxRecordBytes, 1);
    }
  }

  /** Goes to the first line that begins in the range, if one does. */
  async #align(): Promise<void> {
    const chunks = this.#chunks;
    const end = this.#current().endByte ?? Number.POSITIVE_INFINITY;
    for (;;) {
      const at = chunks.bytes.subarray(chunks.from, chunks.to).indexOf(LINE_FEED);
      const passed = at === -1 ? chunks.length : at + 1;
      this.#offset += passed;
      chunks.from += passed;
      if (at !== -1 || this.#offset >= end || chunks.ended) break;
      await chunks.more();
    }
    this.#aligning = false;
    this.#decoder.begin({ offset: this.#offset, state: this.#startState });
  }

  /** Gives the decoder what there is. Synchronous: this and the decoder are all that runs for each chunk. */
  #decode(): Step {
    const chunks = this.#chunks;
    const decoder = this.#decoder;
    const { maxRecordBytes } = this.#options;
    const { endByte } = this.#current();
    if (endByte !== null && this.#offset >= endByte) return 'end';
    let to = chunks.to;
    let sealed = chunks.ended;
    if (endByte !== null && this.#offset + chunks.length >= endByte) {
      // The last line that begins in the range is the one that holds the range's last byte. It ends here, or further on.
      const lastByte = chunks.from + (endByte - 1 - this.#offset);
      const at = chunks.bytes.subarray(lastByte, to).indexOf(LINE_FEED);
      if (at !== -1) {
        to = lastByte + at + 1;
        sealed = true;
      }
    }
    const { from } = chunks;
    if (to === from) return sealed ? 'end' : 'more';
    // A decoder sees no more than one record may have: what is too large does not depend on how the file was read.
    const limit = Math.min(to, from + maxRecordBytes);
    const consumed = decoder.decode(chunks.bytes, from, limit, sealed && limit === to);
    chunks.from = consumed;
    this.#offset += consumed - from;
    if (this.#compression === 'none') this.#bytesIn += consumed - from;
    if (decoder.full) return 'full';
    if (consumed === to && sealed) return 'end';
    if (consumed > from) {
      this.#wantedBytes = 0;
      return limit < to ? 'again' : 'more';
    }
    if (limit - from >= maxRecordBytes) return 'too-large';
    if (sealed)
      throw new SluiceError(
        'INTERNAL',
        `the decoder ${this.#options.format.type} leaves the end of ${this.#current().path} unread`,
      );
    // Asking again for every chunk of a long record would read it over and over.
    this.#wantedBytes = (limit - from) * 2;
    return 'more';
  }

  async #more(): Promise<void> {
    do await this.#chunks.more();
    while (
      !this.#chunks.ended &&
      this.#chunks.length < Math.min(this.#wantedBytes, this.#options.maxRecordBytes)
    );
  }

  #refuse(record: BadRecord): void {
    const refused = copyRefused(record);
    if (this.#options.onBadRecord === 'fail') {
      this.#refused = refused;
      // Reading on the way to a better message is not for here: `explain` adds the line.
      throw badRecordError(this.#current().path, refused, null);
    }
    this.#rejected++;
    this.#bounded.warn('record-skipped', badRecordError(this.#current().path, refused, null).message);
  }

  async #refuseTooLarge(): Promise<void> {
    const { onBadRecord, maxRecordBytes } = this.#options;
    const { path } = this.#current();
    if (onBadRecord === 'fail') {
      throw tooLargeError(path, this.#offset, maxRecordBytes, await this.#lineOf(this.#offset));
    }
    this.#bounded.warn('record-skipped', tooLargeError(path, this.#offset, maxRecordBytes, null).message);
    this.#rejected++;
    this.#skipping = true;
  }

  /** Leaves the record at the window's start behind, however long it is, and lets the decoder begin behind it. */
  async #skipRecord(): Promise<void> {
    const chunks = this.#chunks;
    const state = this.#decoder.state();
    for (;;) {
      const end = this.#decoder.skipRecord(chunks.bytes, chunks.from, chunks.to);
      const passed = end === -1 ? chunks.length : end - chunks.from;
      chunks.from += passed;
      this.#offset += passed;
      if (this.#compression === 'none') this.#bytesIn += passed;
      if (end !== -1 || chunks.ended) break;
      await chunks.more();
    }
    this.#skipping = false;
    this.#wantedBytes = 0;
    this.#recordsBefore += this.#decoder.records + 1;
    this.#decoder.begin({ offset: this.#offset, state });
  }

  async #end(): Promise<null> {
    this.#notePosition();
    await this.#chunks.close();
    const kind = await checkVersion(this.#options.fileSystem, this.#current(), this.#options.modified);
    // Gone only after it was read to its end: that is nobody's loss.
    if (kind === 'changed') this.#outcome = kind;
    return null;
  }

  /**
   * What an error means: a damaged file that is another one by now was read while it was being written, which is the
   * policy's affair; a refused record gets its line number, which takes reading the file once more.
   * @throws SluiceError unless the split just ends as changed
   */
  async #explain(error: SluiceError): Promise<void> {
    const split = this.#current();
    if (error.code === 'INPUT_CORRUPT') {
      const kind = await checkVersion(this.#options.fileSystem, split, this.#options.modified);
      if (kind === 'read') throw error;
      this.#outcome = kind;
      return;
    }
    if (error.code !== 'BAD_RECORD' || this.#refused === null) throw error;
    throw badRecordError(split.path, this.#refused, await this.#lineOf(this.#refused.offset));
  }

  /** null where the file does not tell any more. */
  async #lineOf(offset: number): Promise<number | null> {
    try {
      const { source } = await openSplitSource(
        this.#options.fileSystem,
        this.#current(),
        this.#compression,
        0,
      );
      return await lineNumberAt(source, offset).finally(() => source.close());
    } catch {
      return null;
    }
  }
}
