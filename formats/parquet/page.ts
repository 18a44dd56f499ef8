/**
 * Pages: a header in Thrift, then levels and values, compressed as one. Version 1 of the data page, which every reader
 * knows. https://parquet.apache.org/docs/file-format/data-pages/
 */
import { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import type { Codec } from './codec.ts';
import type { Entries } from './levels.ts';
import type { PageSlice } from './page-slices.ts';
import { bitWidth, pushBitmapRun, pushHybrid, pushRun } from './rle.ts';
import type { Leaf } from './schema.ts';
import { CompactWriter } from './thrift.ts';

/**
 * PLAIN_DICTIONARY stands for both kinds of pages in files of version 1, as parquet-mr writes them. RLE_DICTIONARY, its
 * name in version 2, means the same bytes and is unknown to older readers (parquetjs-lite).
 */
export const ENCODING = { PLAIN: 0, PLAIN_DICTIONARY: 2, RLE: 3 } as const;
export const PAGE = { DATA: 0, DICTIONARY: 2 } as const;

/** Sizes in page headers are 32-bit. */
const MAX_PAGE_BYTES = 0x7fff_ffff;

/** Bytes of a page, header included, as the footer sums them up. */
export interface PageSize {
  readonly uncompressed: number;
  readonly compressed: number;
}

/** Puts pages together, one at a time, in memory that is used again for each. */
export class PageWriter {
  readonly #codec: Codec;
  /** Levels and values of the page under way. */
  readonly body = new ByteBuffer();
  readonly #header = new ByteBuffer(64);
  readonly #compressed = new ByteBuffer();

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  /** Begins a data page with the levels of a slice. The values go into `body`. */
  beginData(leaf: Leaf, entries: Entries, slice: PageSlice): void {
    this.body.clear();
    if (entries.repetition !== null) {
      const width = bitWidth(leaf.maxRepetition);
      this.#pushLevels(() => pushHybrid(this.body, entries.repetition!, slice.from, slice.to, width));
    }
    if (leaf.maxDefinition > 0) this.#pushLevels(() => pushDefinition(this.body, leaf, entries, slice));
  }

  /** Levels stand behind their length. */
  #pushLevels(push: () => void): void {
    const { body } = this;
    const start = body.length;
    body.reserve(4);
    body.length += 4;
    push();
    const size = body.length - start - 4;
    for (let i = 0; i < 4; i++) body.bytes[start + i] = size >>> (8 * i);
  }

  /** Appends the data page to `out`. */
  endData(out: ByteBuffer, entries: number, encoding: number): PageSize {
    return this.#end(out, PAGE.DATA, (header) => {
      header.beginStruct(5);
      header.i32(1, entries);
      header.i32(2, encoding);
      header.i32(3, ENCODING.RLE);
      header.i32(4, ENCODING.RLE);
      header.endStruct();
    });
  }

  /** Begins a dictionary page. The entries, PLAIN encoded, go into `body`. */
  beginDictionary(): void {
    this.body.clear();
  }

  endDictionary(out: ByteBuffer, entries: number): PageSize {
    return this.#end(out, PAGE.DICTIONARY, (header) => {
      header.beginStruct(7);
      header.i32(1, entries);
      header.i32(2, ENCODING.PLAIN_DICTIONARY);
      header.endStruct();
    });
  }

  /** PageHeader of parquet.thrift, then the compressed body. */
  #end(out: ByteBuffer, type: number, writeKind: (header: CompactWriter) => void): PageSize {
    const uncompressed = this.body.length;
    const compressed = this.#codec.compress(this.body, this.#compressed);
    if (Math.max(uncompressed, compressed.length) > MAX_PAGE_BYTES) {
      throw new SluiceError(
        'RECORD_TOO_LARGE',
        'one row of one column takes more than 2 GiB, which no Parquet page holds',
      );
    }
    this.#header.clear();
    const header = new CompactWriter(this.#header);
    header.i32(1, type);
    header.i32(2, uncompressed);
    header.i32(3, compressed.length);
    writeKind(header);
    header.endStruct();
    out.push(this.#header.view());
    out.push(compressed);
    return {
      uncompressed: this.#header.length + uncompressed,
      compressed: this.#header.length + compressed.length,
    };
  }
}

function pushDefinition(out: ByteBuffer, leaf: Leaf, entries: Entries, slice: PageSlice): void {
  const { from, to, valueFrom, valueTo } = slice;
  const width = bitWidth(leaf.maxDefinition);
  const values = valueTo - valueFrom;
  if (values === to - from) pushRun(out, leaf.maxDefinition, to - from, width);
  else if (entries.definition !== null) pushHybrid(out, entries.definition, from, to, width);
  else if (values === 0) pushRun(out, 0, to - from, width);
  else pushBitmapRun(out, entries.bitmap!, from, to);
}
