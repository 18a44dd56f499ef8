/** The JSON form of a dictionary's values, made once a value instead of once a row. */
import { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import type { Dictionary } from '../../lib/core/column.ts';
import { pushJsonString } from './json-string.ts';
import { pushWords } from './literal.ts';

/** Bounds of what is remembered; values beyond are escaped again for each row. */
const MAX_CODES = 65_536;
const MAX_WORDS = 1 << 18;

export class EscapedValues {
  #dictionary: Dictionary | null = null;
  #codes = 0;
  /** Code c is the first #sizes[c] bytes from #words[#starts[c]] on. */
  #starts = new Int32Array(64);
  #sizes = new Int32Array(64);
  #words = new Int32Array(1024);
  #usedWords = 0;
  readonly #scratch = new ByteBuffer(256);

  /**
   * Takes in what the dictionary has got since the last call; another dictionary starts over. Dictionaries only grow,
   * so what is there stays right.
   * @param data the dictionary's bytes
   */
  follow(dictionary: Dictionary, data: DataView): void {
    if (dictionary !== this.#dictionary) {
      this.#dictionary = dictionary;
      this.#codes = 0;
      this.#usedWords = 0;
    }
    const count = Math.min(dictionary.count, MAX_CODES);
    while (this.#codes < count && this.#usedWords < MAX_WORDS) this.#add(dictionary, data);
  }

  #add(dictionary: Dictionary, data: DataView): void {
    const { bytes, offsets } = dictionary;
    const code = this.#codes++;
    const scratch = this.#scratch;
    scratch.clear();
    pushJsonString(scratch, bytes, data, offsets[code]!, offsets[code + 1]!);
    if (code === this.#starts.length) {
      this.#starts = grown(this.#starts, code * 2);
      this.#sizes = grown(this.#sizes, code * 2);
    }
    const start = this.#usedWords;
    const end = start + ((scratch.length + 3) >> 2);
    if (end > this.#words.length) this.#words = grown(this.#words, Math.max(end, this.#words.length * 2));
    new Uint8Array(this.#words.buffer, start * 4).set(scratch.view());
    this.#starts[code] = start;
    this.#sizes[code] = scratch.length;
    this.#usedWords = end;
  }

  /** Appends the value of a code. @returns false, and appends nothing, where it is not remembered */
  push(code: number, out: ByteBuffer): boolean {
    if (code >= this.#codes) return false;
    pushWords(out, this.#words, this.#starts[code]!, this.#sizes[code]!);
    return true;
  }
}

function grown(from: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(length);
  to.set(from);
  return to;
}
