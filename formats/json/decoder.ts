/**
 * One JSON array of objects, `[{...}, ...]`, as a stream: elements are found one after the other and given to the NDJSON
 * decoder as lines, so both accept the same and give the same values. A position is behind an element, or a comma.
 */
import type { Batch } from '../../lib/core/batch.ts';
import type {
  BadRecord,
  Decoder,
  DecoderOptions,
  DecoderStart,
  DecoderState,
} from '../../lib/core/decoder.ts';
import { corrupt } from '../corrupt.ts';
import { NdjsonDecoder } from '../ndjson/decoder.ts';
import { type ArrayPlace, ElementScanner, skipBetween } from './elements.ts';

/** Bytes behind the lines, which the decoder of lines may look at. */
const PAD_BYTES = 64;
/** Bytes made into lines at a time, about: what does not fit into the batch is made again. */
const LINES_BYTES = 256 * 1024;

export class JsonArrayDecoder implements Decoder {
  readonly #lines: NdjsonDecoder;
  readonly #scanner = new ElementScanner();
  readonly #batchRows: number;
  #place: ArrayPlace = 'start';
  #offset = 0;
  /** Elements as lines; where each line and its element end. */
  #text: Uint8Array = new Uint8Array(LINES_BYTES + PAD_BYTES);
  #lineEnds = new Int32Array(1024);
  #elementStarts = new Int32Array(1024);
  #elementEnds = new Int32Array(1024);
  /** Offset in the file of index 0 of what `decode` was given. */
  #base = 0;

  constructor(options: DecoderOptions) {
    this.#batchRows = options.batchRows;
    this.#lines = new NdjsonDecoder({
      ...options,
      keepLines: false,
      onBadRecord: (record) => options.onBadRecord(this.#inFile(record)),
    });
  }

  begin({ offset, state }: DecoderStart): void {
    this.#offset = offset;
    this.#place = placeOf(state);
    this.#scanner.reset();
    // Never 0: at a file's first byte the decoder of lines would look for a mark, which is looked for here.
    this.#lines.begin({ offset: 1, state: null });
  }

  decode(bytes: Uint8Array, from: number, end: number, last: boolean): number {
    let at = from;
    // One byte is kept back until there are more: so the end of the file is never passed without a look at it.
    const to = last ? end : Math.max(from, end - 1);
    if (this.#offset === 0 && this.#place === 'start' && bytes[at] === 0xef) {
      if (end - at < 4 && !last) return at;
      if (bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf) at = this.#advance(at, at + 3);
    }
    while (!this.#lines.full) {
      const next = this.#decodeSome(bytes, at, to, last);
      if (next === at) break;
      at = next;
    }
    return at;
  }

  finish(): void {
    if (this.#place !== 'end' && this.#offset > 0) corrupt('the closing bracket is missing');
  }

  get rows(): number {
    return this.#lines.rows;
  }

  get full(): boolean {
    return this.#lines.full;
  }

  take(): Batch {
    return this.#lines.take();
  }

  /** See {@link Decoder}. */
  get rowOffsets(): Float64Array | null {
    return this.#lines.rowOffsets;
  }

  get offset(): number {
    return this.#offset;
  }

  get records(): number {
    return this.#lines.records;
  }

  state(): DecoderState {
    return { place: this.#place };
  }

  skipRecord(bytes: Uint8Array, from: number, to: number): number {
    const end = this.#scanner.scan(bytes, from, to, null, 0);
    if (end !== -1) this.#place = 'behind';
    return end;
  }

  /** Makes lines of some elements and has them decoded. @returns the first byte that was not consumed */
  #decodeSome(bytes: Uint8Array, from: number, to: number, last: boolean): number {
    const between = skipBetween(bytes, from, to, this.#place);
    if (between.damage !== null) corrupt(between.damage);
    this.#place = between.place;
    let at = this.#advance(from, between.at);
    if (!between.isElement) return at;
    this.#base = this.#offset - at;
    const most = Math.max(1, this.#batchRows - this.#lines.rows);
    let count = 0;
    let written = 0;
    let next = at;
    while (count < most && written < LINES_BYTES) {
      this.#reserve(written + to - next + 1, count + 1);
      const end = this.#scanner.scan(bytes, next, to, this.#text, written);
      if (end === -1) {
        this.#scanner.reset();
        break;
      }
      this.#elementStarts[count] = next;
      this.#elementEnds[count] = end;
      written += end - next;
      this.#text[written++] = 10;
      this.#lineEnds[count++] = written;
      // Whatever is wrong there, what is whole before it comes first.
      const behind = skipBetween(bytes, end, to, 'behind');
      next = behind.at;
      if (!behind.isElement) break;
    }
    if (count === 0) {
      if (last) corrupt('the last element does not end');
      return at;
    }
    const firstRow = this.#lines.rows;
    const textOffset = this.#lines.offset;
    const decoded = this.#lines.decode(this.#text, 0, written, true);
    if (this.rowOffsets !== null) this.#placeRows(this.rowOffsets, firstRow, textOffset);
    let done = 0;
    while (done < count && this.#lineEnds[done]! <= decoded) done++;
    if (done === 0) return at;
    this.#place = 'behind';
    at = this.#advance(at, this.#elementEnds[done - 1]!);
    return at;
  }

  /** Where rows stand in the file, instead of where among the lines that were made of their elements. */
  #placeRows(offsets: Float64Array, firstRow: number, textOffset: number): void {
    let element = 0;
    for (let row = firstRow; row < this.#lines.rows; row++) {
      const start = offsets[row]! - textOffset;
      while (this.#lineEnds[element]! <= start) element++;
      offsets[row] = this.#base + this.#elementStarts[element]!;
    }
  }

  #advance(at: number, to: number): number {
    this.#offset += to - at;
    return to;
  }

  #reserve(bytes: number, elements: number): void {
    if (this.#text.length < bytes + PAD_BYTES) {
      const grown = new Uint8Array(Math.max(bytes + PAD_BYTES, this.#text.length * 2));
      grown.set(this.#text);
      this.#text = grown;
    }
    if (this.#lineEnds.length >= elements) return;
    this.#lineEnds = doubled(this.#lineEnds);
    this.#elementStarts = doubled(this.#elementStarts);
    this.#elementEnds = doubled(this.#elementEnds);
  }

  /** The record's place in the file, instead of that among the lines. */
  #inFile(record: BadRecord): BadRecord {
    const { bytes } = record;
    const start = bytes.byteOffset - this.#text.byteOffset;
    let element = 0;
    while (this.#lineEnds[element]! <= start) element++;
    return { ...record, offset: this.#base + this.#elementStarts[element]! };
  }
}

function doubled(numbers: Int32Array): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(numbers.length * 2);
  grown.set(numbers);
  return grown;
}

function placeOf(state: DecoderState): ArrayPlace {
  switch (state?.place) {
    case 'first':
    case 'behind':
    case 'comma':
    case 'end':
      return state.place;
    default:
      return 'start';
  }
}
