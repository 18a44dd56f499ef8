/**
 * The records of one split: bytes in chunks into the decoder, batches out. Knows which lines of the file are the split's,
 * how long a record may be, and where a restart would begin.
 */
import type { Batch } from '../core/batch.ts';
import type { ByteSource } from '../core/byte-source.ts';
import type { Decoder, DecoderState } from '../core/decoder.ts';
import { SluiceError } from '../core/errors.ts';
import type { StageClock } from '../core/stage-clock.ts';
import { ChunkReader } from './chunk-reader.ts';
import type { LineNumbers } from './line-numbers.ts';
import { isUntouched, type Split, type SplitPosition, startPosition } from './split.ts';

export interface RecordReaderOptions {
  readonly decoder: Decoder;
  readonly chunkBytes: number;
  readonly keepLines: boolean;
  readonly maxRecordBytes: number;
  readonly stages: StageClock;
  /** Called for a record that is too long, with its first bytes; throws to stop, or returns to leave it out. */
  readonly onTooLarge: (offset: number, start: Uint8Array) => void;
  /** Asked between two chunks: whether what was read so far has to be returned, be it an empty batch. */
  readonly mustReturn: () => boolean;
  /** Numbers the rows' lines; null where nobody asks for them, or there are none. */
  readonly lineNumbers: LineNumbers | null;
}

const LINE_FEED = 10;
/** After so many bytes without a row an empty batch is returned, so that a checkpoint can be taken. */
const QUIET_BYTES = 64 * 1024 * 1024;

/** What decoding what is there led to. */
type Step = 'drift' | 'full' | 'again' | 'more' | 'too-large' | 'end';

/** Offset at which the bytes of a split have to begin, for `RecordReader.begin`. */
export function readOffset(split: Split): number {
  // From the byte before a range: if that is a line feed, a line begins where the range does.
  return beginsInsideLine(split) ? split.startByte - 1 : split.position.offset;
}

/** Whether the split's first line has yet to be found. */
export function beginsInsideLine(split: Split): boolean {
  return split.startByte > 0 && isUntouched(split);
}

export class RecordReader {
  readonly #options: RecordReaderOptions;
  readonly #decoder: Decoder;
  readonly #chunks: ChunkReader;
  #endByte: number | null = null;
  /** Offset in the decompressed file of the window's first byte: what was taken so far ends here. */
  #offset = 0;
  /** Behind the last batch returned. */
  #position: SplitPosition = startPosition(0);
  /** Records taken before the decoder's last `begin`. */
  #recordsBefore = 0;
  #startState: DecoderState = null;
  /** The next line feed comes before the first line of the range. */
  #aligning = false;
  /** A record that is too long is being left behind. */
  #skipping = false;
  /** Such a record took all that was left of the file. */
  #skippedToEnd = false;
  /** The window has to be this long before decoding again makes sense: twice what held no whole record, or 0. */
  #wantedBytes = 0;
  #consumedBytes = 0;
  /** What reading on has led to, thrown once the rows before it were returned. */
  #failure: { readonly error: unknown } | null = null;

  constructor(options: RecordReaderOptions) {
    this.#options = options;
    this.#decoder = options.decoder;
    this.#chunks = new ChunkReader(options.chunkBytes);
  }

  /**
   * @param source at `readOffset(split)`; closed by `close`
   * @param state of a decoder that begins there, where the split's position has none
   * @param line that begins there, where lines are numbered
   */
  begin(source: ByteSource, split: Split, state: DecoderState, line = 1): void {
    // Rows of a split that ended in an error: nobody will ask for them.
    if (this.#decoder.rows > 0) this.#decoder.take();
    this.#position = split.position;
    this.#recordsBefore = split.position.records;
    this.#startState = split.position.state ?? state;
    this.#endByte = split.endByte;
    this.#aligning = beginsInsideLine(split);
    this.#offset = readOffset(split);
    this.#skipping = false;
    this.#skippedToEnd = false;
    this.#wantedBytes = 0;
    this.#failure = null;
    this.#options.lineNumbers?.begin(line);
    this.#chunks.begin(source);
    if (!this.#aligning) this.#decoder.begin({ offset: this.#offset, state: this.#startState });
  }

  /** The next rows, valid until the next call; null at the end. */
  async next(): Promise<Batch | null> {
    if (this.#failure !== null) throw this.#failure.error;
    for (;;) {
      if (this.#aligning) await this.#align();
      if (this.#skipping) await this.#skipRecord();
      const { stages } = this.#options;
      const before = stages.enter('decode');
      const step = this.#decodeToDamage();
      stages.enter(before);
      if (step === 'again' && !this.#options.mustReturn()) continue;
      if (step === 'full' || step === 'drift' || step === 'again' || this.#hasToTake(step)) {
        this.#notePosition();
        return this.#take();
      }
      if (step === 'end') {
        this.#notePosition();
        return null;
      }
      if (step === 'too-large') {
        const { bytes, from, to } = this.#chunks;
        this.#options.onTooLarge(this.#offset, bytes.subarray(from, to));
        this.#skipping = true;
        continue;
      }
      try {
        await this.#more();
      } catch (error) {
        if (this.#decoder.rows === 0) throw error;
        this.#failure = { error };
        this.#notePosition();
        return this.#take();
      }
    }
  }

  #take(): Batch {
    this.#options.lineNumbers?.take();
    return this.#decoder.take();
  }

  /** Records of the split before the decoder's last `begin`. */
  get recordsBefore(): number {
    return this.#recordsBefore;
  }

  /** Bytes behind the last whole record, as far as they are here: what a damaged file ends in. */
  get unread(): Uint8Array {
    return this.#chunks.bytes.subarray(this.#chunks.from, this.#chunks.to);
  }

  /** Where `unread` begins. */
  get unreadOffset(): number {
    return this.#offset;
  }

  /** Behind the last batch that `next` returned. */
  get position(): SplitPosition {
    return this.#position;
  }

  /** Bytes consumed since the last call, decompressed. Those of the ranges of a file add up to the file. */
  takeConsumedBytes(): number {
    const bytes = this.#consumedBytes;
    this.#consumedBytes = 0;
    return bytes;
  }

  /** Closes the source. Calls may repeat. */
  close(): Promise<void> {
    return this.#chunks.close();
  }

  /** Whether rows that do not fill a batch have to be returned before reading goes on. */
  #hasToTake(step: Step): boolean {
    if (step === 'more' && this.#options.mustReturn()) return true;
    if (this.#decoder.rows === 0)
      return step === 'more' && this.#offset - this.#position.offset >= QUIET_BYTES;
    // Source lines lie in the window: they have to be used before it moves.
    return step !== 'more' || this.#options.keepLines;
  }

  #notePosition(): void {
    const records = this.#recordsBefore + this.#decoder.records;
    const line = this.#options.lineNumbers?.line;
    const position = { offset: this.#offset, state: this.#decoder.state(), records };
    this.#position = line === undefined ? position : { ...position, line };
  }

  #advance(bytes: number): void {
    const { lineNumbers } = this.#options;
    if (lineNumbers !== null) {
      const { bytes: window, from } = this.#chunks;
      const { rowOffsets, rows } = this.#decoder;
      if (rowOffsets) lineNumbers.pass(window, from, from + bytes, this.#offset, rowOffsets, rows);
    }
    this.#chunks.from += bytes;
    this.#offset += bytes;
    this.#consumedBytes += bytes;
  }

  /** Where `decode` finds damage, what is whole before it counts as read: see `takeWhole`. */
  #decodeToDamage(): Step {
    try {
      return this.#decode();
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'INPUT_CORRUPT')
        this.#advance(this.#decoder.offset - this.#offset);
      throw error;
    }
  }

  /** The rows before the damage that `next` threw; null where there are none. The position is behind them then. */
  takeWhole(): Batch | null {
    if (this.#decoder.rows === 0) return null;
    this.#notePosition();
    return this.#take();
  }

  /** Gives the decoder what there is. Synchronous: this and the decoder are all that runs for each chunk. */
  #decode(): Step {
    const chunks = this.#chunks;
    const decoder = this.#decoder;
    const endByte = this.#endByte;
    const { maxRecordBytes } = this.#options;
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
    if (to === from) return sealed ? this.#end() : 'more';
    // A decoder sees no more than one record may have: what is too large does not depend on how the file was read.
    const limit = Math.min(to, from + maxRecordBytes);
    const consumed = decoder.decode(chunks.bytes, from, limit, sealed && limit === to);
    this.#advance(consumed - from);
    if (decoder.drift) return 'drift';
    if (decoder.full) return 'full';
    if (consumed === to && sealed) return this.#end();
    if (consumed > from) {
      this.#wantedBytes = 0;
      return limit < to ? 'again' : 'more';
    }
    if (limit - from >= maxRecordBytes) return 'too-large';
    if (sealed)
      throw new SluiceError('INTERNAL', `the decoder left the end of a split unread at byte ${this.#offset}`);
    // Asking again for every chunk of a long record would read it over and over.
    this.#wantedBytes = Math.min((limit - from) * 2, maxRecordBytes);
    return 'more';
  }

  /** All that there is of the split is consumed. */
  #end(): Step {
    if (this.#endByte === null && !this.#skippedToEnd) this.#decoder.finish?.();
    return 'end';
  }

  async #more(): Promise<void> {
    do await this.#chunks.more();
    while (!this.#chunks.ended && this.#chunks.length < this.#wantedBytes);
  }

  /** Goes to the first line that begins in the range, if one does. */
  async #align(): Promise<void> {
    const chunks = this.#chunks;
    const end = this.#endByte ?? Number.POSITIVE_INFINITY;
    for (;;) {
      const at = chunks.bytes.subarray(chunks.from, chunks.to).indexOf(LINE_FEED);
      this.#advance(at === -1 ? chunks.length : at + 1);
      if (at !== -1 || this.#offset >= end || chunks.ended) break;
      await chunks.more();
    }
    this.#aligning = false;
    // They are the range's before.
    this.#consumedBytes = 0;
    this.#decoder.begin({ offset: this.#offset, state: this.#startState });
  }

  /** Leaves the record at the window's start behind, however long it is, and lets the decoder begin behind it. */
  async #skipRecord(): Promise<void> {
    const chunks = this.#chunks;
    for (;;) {
      const end = this.#decoder.skipRecord(chunks.bytes, chunks.from, chunks.to);
      this.#advance(end === -1 ? chunks.length : end - chunks.from);
      this.#skippedToEnd = end === -1;
      if (end !== -1 || chunks.ended) break;
      await chunks.more();
    }
    this.#skipping = false;
    this.#wantedBytes = 0;
    this.#recordsBefore += this.#decoder.records + 1;
    // Behind the record: a decoder may say something else there than before it.
    this.#decoder.begin({ offset: this.#offset, state: this.#decoder.state() });
  }
}
