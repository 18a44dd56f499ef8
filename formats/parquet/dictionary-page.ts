/**
 * Dictionaries of a column chunk, made from the codes that the decoder gave: no value is hashed again.
 * https://parquet.apache.org/docs/file-format/data-pages/encodings/#DICTIONARY
 */
import type { ByteValues } from './chunk-values.ts';
import { plainBytes } from './plain.ts';
import { bitWidth } from './rle.ts';

/** Readers hold a dictionary in memory for the whole chunk. */
const MAX_DICTIONARY_BYTES = 16 << 20;
/** Beyond that the indexes alone take 2.5 bytes a value, and readers' memory suffers. */
const MAX_ENTRIES = 1 << 20;

export interface ChunkDictionary {
  /** Entries used, in order of appearance, as codes of the stream's dictionary. */
  readonly entries: Int32Array;
  readonly count: number;
  /** For each value, its index into `entries`. */
  readonly indexes: Int32Array;
  /** Bits of an index. */
  readonly width: number;
}

/** Makes ChunkDictionaries, in memory that is used again for each leaf. */
export class DictionaryBuilder {
  /** Of a stream code: its index + 1. All 0 between two calls, cleared by the entries used: it is far longer than they. */
  #indexOf = new Int32Array(0);
  #entries = new Int32Array(0);
  #indexes = new Int32Array(0);

  /** The dictionary of a chunk. null where it would save nothing, or the values did not come as codes. */
  build(values: ByteValues): ChunkDictionary | null {
    const { index: codes, count, offsets, dictionaryEntries } = values;
    if (codes === null || dictionaryEntries === 0 || count === 0) return null;
    if (this.#indexOf.length < dictionaryEntries) this.#indexOf = new Int32Array(dictionaryEntries * 2);
    if (this.#indexes.length < count)
      this.#indexes = new Int32Array(Math.max(count, this.#indexes.length * 2));
    const most = Math.min(dictionaryEntries, count);
    if (this.#entries.length < most) this.#entries = new Int32Array(most * 2);
    const indexOf = this.#indexOf;
    const entries = this.#entries;
    const indexes = this.#indexes;
    const used = numberCodes(codes, count, indexOf, entries, indexes);
    const dictionaryBytes = closeEntries(entries, used, offsets, indexOf);
    if (used > MAX_ENTRIES || dictionaryBytes > MAX_DICTIONARY_BYTES) return null;
    const width = bitWidth(used - 1);
    const bytes = dictionaryBytes + (count * width) / 8;
    // The lengths alone take 4 bytes a value: mostly that settles it, and the values need not be summed up.
    if (bytes >= 4 * count && bytes >= plainBytes(values, 0, count)) return null;
    return { entries, count: used, indexes, width };
  }
}

/** Loops stand alone here: each is compiled once, whatever comes behind it. @returns how many codes there are */
function numberCodes(
  codes: Int32Array,
  count: number,
  indexOf: Int32Array,
  entries: Int32Array,
  indexes: Int32Array,
): number {
  let used = 0;
  for (let i = 0; i < count; i++) {
    const code = codes[i]!;
    let index = indexOf[code]!;
    if (index === 0) {
      entries[used++] = code;
      index = used;
      indexOf[code] = index;
    }
    indexes[i] = index - 1;
  }
  return used;
}

/** Clears what the entries left. @returns what they take as PLAIN byte strings */
function closeEntries(entries: Int32Array, used: number, offsets: Int32Array, indexOf: Int32Array): number {
  let size = 4 * used;
  for (let i = 0; i < used; i++) {
    const code = entries[i]!;
    indexOf[code] = 0;
    size += offsets[code + 1]! - offsets[code]!;
  }
  return size;
}

/** The dictionary's entries as values: what its page holds, and all that its statistics have to look at. */
export function dictionaryValues(dictionary: ChunkDictionary, values: ByteValues): ByteValues {
  const { offsets, bytes, dictionaryEntries } = values;
  return {
    kind: 'bytes',
    count: dictionary.count,
    index: dictionary.entries,
    offsets,
    bytes,
    dictionaryEntries,
  };
}
