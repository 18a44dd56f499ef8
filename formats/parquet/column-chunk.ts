/** A column chunk: all pages of one leaf in a row group, and what the footer says about it. */
import type { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import type { Column } from '../../lib/core/column.ts';
import { bloomFilterOf } from './bloom-filter.ts';
import { type ChunkValues, ValueCollector } from './chunk-values.ts';
import type { Codec } from './codec.ts';
import { type ChunkDictionary, DictionaryBuilder, dictionaryValues } from './dictionary-page.ts';
import type { Entries } from './levels.ts';
import { ENCODING, PAGE, type PageSize, PageWriter } from './page.ts';
import { type PageSlice, slicePages } from './page-slices.ts';
import { plainBytes, pushPlain } from './plain.ts';
import { pushHybrid } from './rle.ts';
import type { Leaf } from './schema.ts';
import { type Bound, type Bounds, boundsOf } from './statistics.ts';
import type { CompactWriter } from './thrift.ts';

export interface ColumnChunk {
  readonly leaf: Leaf;
  /** Entries: values, nulls and empty lists. */
  readonly entries: number;
  readonly nulls: number;
  readonly bounds: Bounds;
  /** From the start of the file; null where there is no dictionary. */
  readonly dictionaryOffset: number | null;
  readonly dataOffset: number;
  readonly dataPages: number;
  /** Page headers included. */
  readonly uncompressedBytes: number;
  readonly compressedBytes: number;
  /** The bloom filter, which stands behind the pages of the row group; null where there is none. */
  readonly bloomFilter: Uint8Array | null;
}

/** What is chosen column by column. */
export interface ColumnChoices {
  readonly hasDictionary: (leaf: Leaf) => boolean;
  readonly hasBloomFilter: (leaf: Leaf) => boolean;
}

/** Encodes column chunks one after the other, in memory that is used again for each. */
export class ColumnChunkEncoder {
  readonly #codec: Codec;
  readonly #choices: ColumnChoices;
  readonly #pageBytes: number;
  readonly #pages: PageWriter;
  readonly #collector = new ValueCollector();
  readonly #dictionaries = new DictionaryBuilder();

  constructor(codec: Codec, pageBytes: number, choices: ColumnChoices) {
    this.#choices = choices;
    this.#codec = codec;
    this.#pageBytes = pageBytes;
    this.#pages = new PageWriter(codec);
  }

  get codec(): number {
    return this.#codec.id;
  }

  /** Appends the chunk to `out`, whose first byte is `fileOffset` bytes into the file. */
  encode(leaf: Leaf, column: Column, entries: Entries, out: ByteBuffer, fileOffset: number): ColumnChunk {
    const values = this.#collector.collect(leaf, column, entries);
    const mayHaveOne = values.kind === 'bytes' && this.#choices.hasDictionary(leaf);
    const dictionary = mayHaveOne ? this.#dictionaries.build(values) : null;
    const distinct =
      values.kind === 'bytes' && dictionary !== null ? dictionaryValues(dictionary, values) : values;
    const sizes: PageSize[] = [];
    const start = fileOffset + out.length;
    if (dictionary !== null) {
      this.#pages.beginDictionary();
      pushPlain(this.#pages.body, leaf, distinct, 0, dictionary.count);
      sizes.push(this.#pages.endDictionary(out, dictionary.count));
    }
    const dataOffset = fileOffset + out.length;
    const slices = this.#slices(leaf, entries, values, dictionary);
    for (const slice of slices) {
      this.#pages.beginData(leaf, entries, slice);
      if (dictionary === null) pushPlain(this.#pages.body, leaf, values, slice.valueFrom, slice.valueTo);
      else pushIndexes(this.#pages.body, dictionary, slice);
      const encoding = dictionary === null ? ENCODING.PLAIN : ENCODING.PLAIN_DICTIONARY;
      sizes.push(this.#pages.endData(out, slice.to - slice.from, encoding));
    }
    return {
      leaf,
      entries: entries.count,
      nulls: entries.count - entries.valueCount,
      bounds: boundsOf(leaf, distinct),
      dictionaryOffset: dictionary === null ? null : start,
      dataOffset,
      dataPages: slices.length,
      uncompressedBytes: sizes.reduce((sum, size) => sum + size.uncompressed, 0),
      compressedBytes: sizes.reduce((sum, size) => sum + size.compressed, 0),
      bloomFilter: this.#choices.hasBloomFilter(leaf) ? bloomFilterOf(leaf, distinct) : null,
    };
  }

  #slices(
    leaf: Leaf,
    entries: Entries,
    values: ChunkValues,
    dictionary: ChunkDictionary | null,
  ): PageSlice[] {
    const { count } = values;
    if (values.kind === 'bytes' && dictionary === null) {
      return slicePages(leaf, entries, values, plainBytes(values, 0, count), this.#pageBytes);
    }
    const size = dictionary !== null ? dictionary.width / 8 : valueBytes(leaf, values);
    return slicePages(leaf, entries, size, count * size, this.#pageBytes);
  }
}

/** Bytes of a value that always takes the same. */
function valueBytes(leaf: Leaf, values: ChunkValues): number {
  if (values.kind !== 'fixed') return 1 / 8;
  return leaf.typeLength > 0 ? leaf.typeLength : values.words * 4;
}

/** Indexes stand behind a byte that says how many bits each takes. */
function pushIndexes(out: ByteBuffer, dictionary: ChunkDictionary, slice: PageSlice): void {
  out.pushByte(dictionary.width);
  pushHybrid(out, dictionary.indexes, slice.valueFrom, slice.valueTo, dictionary.width);
}

/**
 * ColumnChunk of parquet.thrift, as an element of a list.
 * @param bloomFilterOffset from the start of the file, where the chunk has one
 */
export function writeColumnChunk(
  out: CompactWriter,
  chunk: ColumnChunk,
  codec: number,
  bloomFilterOffset: number,
): void {
  const { leaf, dictionaryOffset } = chunk;
  const dataEncoding = dictionaryOffset === null ? ENCODING.PLAIN : ENCODING.PLAIN_DICTIONARY;
  const encodings = [ENCODING.RLE, dataEncoding];
  out.beginElement();
  out.i64(2, dictionaryOffset ?? chunk.dataOffset);
  out.beginStruct(3);
  out.i32(1, leaf.physical);
  out.beginList(2, 'i32', encodings.length);
  for (const encoding of encodings) out.i32Element(encoding);
  out.beginList(3, 'binary', leaf.path.length);
  for (const name of leaf.path) out.textElement(name);
  out.i32(4, codec);
  out.i64(5, chunk.entries);
  out.i64(6, chunk.uncompressedBytes);
  out.i64(7, chunk.compressedBytes);
  out.i64(9, chunk.dataOffset);
  if (dictionaryOffset !== null) out.i64(11, dictionaryOffset);
  out.beginStruct(12);
  writeStatistics(out, chunk);
  out.endStruct();
  // Readers that look values up in the dictionary have to know that every data page uses it.
  out.beginList(13, 'struct', dictionaryOffset === null ? 1 : 2);
  if (dictionaryOffset !== null) writeEncodingStats(out, PAGE.DICTIONARY, ENCODING.PLAIN_DICTIONARY, 1);
  writeEncodingStats(out, PAGE.DATA, dataEncoding, chunk.dataPages);
  if (chunk.bloomFilter !== null) {
    out.i64(14, bloomFilterOffset);
    out.i32(15, chunk.bloomFilter.length);
  }
  out.endStruct();
  out.endStruct();
}

/** Statistics: min_value and max_value only. The older min and max have no defined order for most types. */
function writeStatistics(out: CompactWriter, { nulls, bounds: { min, max } }: ColumnChunk): void {
  out.i64(3, nulls);
  if (max !== null) out.binary(5, max.bytes);
  if (min !== null) out.binary(6, min.bytes);
  if (max !== null) writeExact(out, 7, max);
  if (min !== null) writeExact(out, 8, min);
}

function writeExact(out: CompactWriter, id: number, bound: Bound): void {
  out.bool(id, bound.exact);
}

function writeEncodingStats(out: CompactWriter, pageType: number, encoding: number, pages: number): void {
  out.beginElement();
  out.i32(1, pageType);
  out.i32(2, encoding);
  out.i32(3, pages);
  out.endStruct();
}
