/**
 * The values of one leaf of a row group, nulls left out, in the form that pages and statistics are made from. Taken
 * from the column without a copy where there are no nulls.
 */
import type { Column, FixedColumn } from '../../lib/core/column.ts';
import type { Entries } from './levels.ts';
import type { Leaf } from './schema.ts';

export type ChunkValues = BitValues | FixedValues | ByteValues;

/** Booleans: value i is bit i. */
export interface BitValues {
  readonly kind: 'bits';
  readonly count: number;
  readonly bits: Uint8Array;
}

/** Values of `words` 32-bit words each, little-endian: the words of value i begin at i * words. */
export interface FixedValues {
  readonly kind: 'fixed';
  readonly count: number;
  readonly words: 1 | 2 | 4;
  readonly values: Int32Array;
}

/** Byte strings: value i is entry index[i], or entry i where there is no index; entry e is bytes[offsets[e], offsets[e + 1]). */
export interface ByteValues {
  readonly kind: 'bytes';
  readonly count: number;
  readonly index: Int32Array | null;
  readonly offsets: Int32Array;
  readonly bytes: Uint8Array;
  /** Entries there are behind an index that a decoder's dictionary gave; 0 where entries are rows. */
  readonly dictionaryEntries: number;
}

/** Makes ChunkValues, in memory that is used again for each leaf. */
export class ValueCollector {
  #words = new Int32Array(0);
  #bits = new Uint8Array(0);

  collect(leaf: Leaf, column: Column, entries: Entries): ChunkValues {
    const { valueCount: count, valueRows } = entries;
    switch (column.layout) {
      case 'bits':
        return {
          kind: 'bits',
          count,
          bits: valueRows === null ? column.values : this.#gatherBits(column.values, valueRows, count),
        };
      case 'fixed': {
        const words = storedWords(leaf, column);
        const values =
          valueRows === null && words === column.words
            ? column.values
            : this.#gatherWords(column, words, valueRows, count);
        return { kind: 'fixed', count, words, values };
      }
      case 'bytes': {
        const { offsets, bytes } = column;
        return { kind: 'bytes', count, index: valueRows, offsets, bytes, dictionaryEntries: 0 };
      }
      case 'dictionary': {
        const { offsets, bytes, count: dictionaryEntries } = column.dictionary;
        const index = valueRows === null ? column.codes : this.#gather(column.codes, valueRows, count);
        return { kind: 'bytes', count, index, offsets, bytes, dictionaryEntries };
      }
      case 'list':
      case 'struct':
        throw new TypeError('a leaf is not nested');
    }
  }

  #gather(codes: Int32Array, rows: Int32Array, count: number): Int32Array {
    const out = this.#scratch(count);
    for (let i = 0; i < count; i++) out[i] = codes[rows[i]!]!;
    return out;
  }

  #gatherWords(column: FixedColumn, words: 1 | 2 | 4, rows: Int32Array | null, count: number): Int32Array {
    const out = this.#scratch(count * words);
    const { values, words: step } = column;
    for (let i = 0, o = 0; i < count; i++) {
      const at = (rows === null ? i : rows[i]!) * step;
      out[o++] = values[at]!;
      if (words > 1) out[o++] = values[at + 1]!;
      if (words > 2) {
        out[o++] = values[at + 2]!;
        out[o++] = values[at + 3]!;
      }
    }
    return out;
  }

  #gatherBits(bits: Uint8Array, rows: Int32Array, count: number): Uint8Array {
    const size = (count + 7) >> 3;
    if (this.#bits.length < size) this.#bits = new Uint8Array(size * 2);
    const out = this.#bits;
    out.fill(0, 0, size);
    for (let i = 0; i < count; i++) {
      const row = rows[i]!;
      out[i >> 3]! |= ((bits[row >> 3]! >> (row & 7)) & 1) << (i & 7);
    }
    return out;
  }

  #scratch(count: number): Int32Array {
    if (this.#words.length < count) this.#words = new Int32Array(Math.max(count, this.#words.length * 2));
    return this.#words;
  }
}

/** Decimals of up to 9 and 18 digits are the low words of their 128 bits, as the value fits in them. */
function storedWords(leaf: Leaf, column: FixedColumn): 1 | 2 | 4 {
  if (leaf.type.kind !== 'decimal') return column.words;
  if (leaf.type.precision <= 9) return 1;
  return leaf.type.precision <= 18 ? 2 : 4;
}
