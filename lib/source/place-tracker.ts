/** Where the rows of the batch that was read last come from, for jobs that ask for it: see RowPlaces. */
import type { Decoder, FileDecoder } from '../core/decoder.ts';
import { SluiceError } from '../core/errors.ts';
import type { RowPlaces } from '../core/row-places.ts';
import { LineNumbers } from './line-numbers.ts';

export class PlaceTracker {
  readonly #decoder: Decoder | FileDecoder;
  /** null where lines are not asked for, or there are none. */
  readonly lineNumbers: LineNumbers | null;
  /** Records that became no row since the batch before, as numbers in the split from 0. */
  readonly #gaps = new Set<number>();
  #from = 0;
  #to = 0;
  #rows = 0;

  constructor(decoder: Decoder | FileDecoder, batchRows: number, lines: boolean) {
    this.#decoder = decoder;
    const hasLines = 'rowOffsets' in decoder && decoder.rowOffsets != null;
    this.lineNumbers = lines && hasLines ? new LineNumbers(batchRows) : null;
  }

  /** A batch is read, behind so many records of the split. */
  beginBatch(records: number): void {
    this.#from = records;
    this.#gaps.clear();
  }

  /** A record of the split became no row. */
  refuse(record: number): void {
    this.#gaps.add(record);
  }

  endBatch(records: number, rows: number): void {
    this.#to = records;
    this.#rows = rows;
  }

  get places(): RowPlaces {
    const decoder = this.#decoder;
    const origins = 'rowOrigins' in decoder ? decoder.rowOrigins : undefined;
    if (origins !== undefined) {
      return {
        paths: origins.map(({ path }) => path),
        offsets: Float64Array.from(origins, ({ offset }) => offset),
        lines: Float64Array.from(origins, ({ line }) => line ?? Number.NaN),
      };
    }
    const offsets = ('rowOffsets' in decoder ? decoder.rowOffsets : null) ?? null;
    if (offsets !== null) return { paths: null, offsets, lines: this.lineNumbers?.lines ?? null };
    return { paths: null, offsets: null, lines: this.#recordNumbers() };
  }

  /** Of a file without lines: which record each row was, from 1. */
  #recordNumbers(): Float64Array {
    const numbers = new Float64Array(this.#rows);
    let row = 0;
    for (let record = this.#from; record < this.#to && row < numbers.length; record++)
      if (!this.#gaps.has(record)) numbers[row++] = record + 1;
    if (row < numbers.length)
      throw new SluiceError('INTERNAL', `${this.#to - this.#from} records gave ${this.#rows} rows`);
    return numbers;
  }
}
