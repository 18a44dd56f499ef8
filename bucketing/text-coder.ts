/** The coder for columns of strings. */
import type { Column, Dictionary } from '../lib/core/column.ts';
import { SluiceError } from '../lib/core/errors.ts';
import type { PartitionValues } from './partition-values.ts';
import type { ValueCoder } from './value-coder.ts';

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
/** A direct-mapped cache of short values: a collision costs one decoding, whoever chose the values. */
const CACHE_SLOTS = 4096;
const CACHE_BYTES = 32;

/** Strings: by dictionary code where there is one, else by their bytes. */
export class TextCoder implements ValueCoder {
  readonly #values: PartitionValues;
  #dictionary: Dictionary | null = null;
  #indexOfCode = new Int32Array(0);
  readonly #cached = new Uint8Array(CACHE_SLOTS * CACHE_BYTES);
  readonly #cachedSize = new Int8Array(CACHE_SLOTS).fill(-1);
  readonly #cachedIndex = new Int32Array(CACHE_SLOTS);

  constructor(values: PartitionValues) {
    this.#values = values;
  }

  code(column: Column, rows: number, into: Int32Array): void {
    if (column.layout === 'dictionary') this.#follow(column.dictionary);
    for (let row = 0; row < rows; row++) {
      if (column.isNull(row)) into[row] = this.#values.index(null);
      else if (column.layout === 'dictionary') {
        const code = column.codes[row]!;
        const known = this.#indexOfCode[code]!;
        into[row] = known !== -1 ? known : this.#meet(column.dictionary, code);
      } else if (column.layout === 'bytes') {
        into[row] = this.#lookUp(column.bytes, column.offsets[row]!, column.offsets[row + 1]!);
      } else
        throw new SluiceError('INTERNAL', `a ${column.type.kind} column has the layout ${column.layout}`);
    }
  }

  #follow(dictionary: Dictionary): void {
    if (dictionary !== this.#dictionary) {
      this.#dictionary = dictionary;
      this.#indexOfCode.fill(-1);
    }
    const known = this.#indexOfCode;
    if (dictionary.count <= known.length) return;
    this.#indexOfCode = new Int32Array(Math.max(dictionary.count, known.length * 2)).fill(-1);
    this.#indexOfCode.set(known);
  }

  #meet({ bytes, offsets }: Dictionary, code: number): number {
    const index = this.#values.index(utf8.decode(bytes.subarray(offsets[code]!, offsets[code + 1]!)));
    this.#indexOfCode[code] = index;
    return index;
  }

  #lookUp(bytes: Uint8Array, start: number, end: number): number {
    const size = end - start;
    if (size > CACHE_BYTES) return this.#values.index(utf8.decode(bytes.subarray(start, end)));
    let hash = size;
    for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0;
    const slot = (hash ^ (hash >>> 12) ^ (hash >>> 20)) & (CACHE_SLOTS - 1);
    const at = slot * CACHE_BYTES;
    if (this.#cachedSize[slot] === size) {
      let i = 0;
      while (i < size && this.#cached[at + i] === bytes[start + i]) i++;
      if (i === size) return this.#cachedIndex[slot]!;
    }
    const index = this.#values.index(utf8.decode(bytes.subarray(start, end)));
    for (let i = 0; i < size; i++) this.#cached[at + i] = bytes[start + i]!;
    this.#cachedSize[slot] = size;
    this.#cachedIndex[slot] = index;
    return index;
  }

  forget(): void {
    this.#indexOfCode.fill(-1);
    this.#cachedSize.fill(-1);
  }
}
