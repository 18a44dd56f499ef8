/** The rows of one file of a format that is read at any place: what RecordReader is for streams. */
import type { Batch } from '../core/batch.ts';
import type { FileDecoder } from '../core/decoder.ts';
import type { StageClock } from '../core/stage-clock.ts';
import type { OpenRandomFile } from './random-file.ts';
import { type Split, type SplitPosition, startPosition } from './split.ts';

export class FileReader {
  readonly #decoder: FileDecoder;
  readonly #stages: StageClock;
  #file: OpenRandomFile | null = null;
  #position: SplitPosition = startPosition(0);
  /** Records taken before the decoder's last `begin`. */
  #recordsBefore = 0;

  constructor(decoder: FileDecoder, stages: StageClock) {
    this.#decoder = decoder;
    this.#stages = stages;
  }

  /** @param file closed by `close` @throws SluiceError what `FileDecoder.begin` throws */
  async open(file: OpenRandomFile, split: Split): Promise<void> {
    this.#file = file;
    this.#position = split.position;
    this.#recordsBefore = split.position.records;
    await this.#decoder.begin(file, split.position.state);
  }

  /** The next rows, valid until the next call; null at the end. */
  async next(): Promise<Batch | null> {
    // With the reading that it does in between: it reads ahead little, and works most of the time.
    const before = this.#stages.enter('decode');
    const batch = await this.#decoder.next();
    this.#stages.enter(before);
    const { offset, records } = this.#decoder;
    this.#position = { offset, state: this.#decoder.state(), records: this.#recordsBefore + records };
    return batch;
  }

  /** Records of the split before the decoder's last `begin`. */
  get recordsBefore(): number {
    return this.#recordsBefore;
  }

  /** Behind the last batch that `next` returned. */
  get position(): SplitPosition {
    return this.#position;
  }

  /** Nothing is counted here: files of this kind count as what is read of them from storage. */
  takeConsumedBytes(): number {
    return 0;
  }

  /** Where reading on begins: what is behind it is kept as a whole, should the file be damaged. */
  get unreadOffset(): number {
    return this.#position.offset;
  }

  /** There are no bytes that are a piece of a record. */
  get unread(): Uint8Array {
    return new Uint8Array(0);
  }

  /** Closes the file. Calls may repeat. */
  async close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }
}
