/**
 * A test of single texts, run over a column: once a value of the dictionary where there is one, however many rows have it.
 */
import type { BytesColumn, Dictionary, DictionaryColumn } from '../../core/column.ts';
import { compareBytes, type Outcome } from './comparisons.ts';
import type { Truth } from './truth.ts';

/** The truth, 0 or 1, of the UTF-8 text bytes[start, end). */
export type TestOfText = (bytes: Uint8Array, start: number, end: number) => number;

export class TextTest {
  readonly #test: TestOfText;
  #dictionary: Dictionary | null = null;
  /** By code, as far as `#known`. */
  #truths: Uint8Array = new Uint8Array(64);
  #known = 0;

  constructor(test: TestOfText) {
    this.#test = test;
  }

  run(out: Truth, column: BytesColumn | DictionaryColumn, rows: number): void {
    if (column.layout === 'bytes') {
      const { bytes, offsets } = column;
      for (let row = 0; row < rows; row++) out[row] = this.#test(bytes, offsets[row]!, offsets[row + 1]!);
      return;
    }
    this.#learn(column.dictionary);
    const { codes } = column;
    const truths = this.#truths;
    for (let row = 0; row < rows; row++) out[row] = truths[codes[row]!]!;
  }

  /** A dictionary is append-only: values that were tested stay so. */
  #learn(dictionary: Dictionary): void {
    if (this.#dictionary !== dictionary) this.#known = 0;
    this.#dictionary = dictionary;
    const { count, bytes, offsets } = dictionary;
    if (this.#truths.length < count) {
      const truths = new Uint8Array(Math.max(count, this.#truths.length * 2));
      truths.set(this.#truths);
      this.#truths = truths;
    }
    for (let code = this.#known; code < count; code++)
      this.#truths[code] = this.#test(bytes, offsets[code]!, offsets[code + 1]!);
    this.#known = count;
  }
}

export function orderTest(constant: Uint8Array, { less, equal, greater }: Outcome): TestOfText {
  return (bytes, start, end) => {
    const order = compareBytes(bytes, start, end, constant, 0, constant.length);
    return order < 0 ? less : order > 0 ? greater : equal;
  };
}

export function memberTest(members: readonly string[]): TestOfText {
  const wanted = members.map((text) => Buffer.from(text));
  return (bytes, start, end) =>
    wanted.some((each) => compareBytes(bytes, start, end, each, 0, each.length) === 0) ? 1 : 0;
}

/** UTF-8 texts hold each other where their bytes do. */
export function partTest(test: 'startsWith' | 'endsWith' | 'contains', text: string): TestOfText {
  const part = Buffer.from(text);
  const { length } = part;
  const isAt = (bytes: Uint8Array, at: number) => compareBytes(bytes, at, at + length, part, 0, length) === 0;
  return (bytes, start, end) => {
    const last = end - length;
    if (last < start) return 0;
    if (test === 'startsWith') return isAt(bytes, start) ? 1 : 0;
    if (test === 'endsWith') return isAt(bytes, last) ? 1 : 0;
    for (let at = start; at <= last; at++) if (isAt(bytes, at)) return 1;
    return 0;
  };
}
