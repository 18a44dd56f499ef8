/** The pages of a column chunk, one after the other, read in windows: a chunk is never in memory as a whole. */
import { crc32 } from 'node:zlib';
import type { RandomAccessFile } from '../../../lib/core/decoder.ts';
import { corrupt } from '../../corrupt.ts';
import type { Decompress } from './codecs.ts';
import { type PageHeader, readPageHeader } from './page-header.ts';

export interface ChunkRange {
  readonly offset: number;
  readonly sizeBytes: number;
}

export interface Page {
  readonly header: PageHeader;
  /** Pages of the second kind: repetition levels and definition levels, which are never compressed. Otherwise empty. */
  readonly levels: Uint8Array;
  /** Everything else, decompressed. Valid as long as somebody holds it. */
  readonly body: Uint8Array;
}

export class ChunkPages {
  readonly #file: RandomAccessFile;
  readonly #decompress: Decompress;
  readonly #windowBytes: number;
  /** What of the window is not consumed: bytes[from, to). */
  #bytes: Uint8Array = new Uint8Array(0);
  #from = 0;
  #to = 0;
  /** Offset in the file of the byte behind the window. */
  #next: number;
  readonly #end: number;

  constructor(file: RandomAccessFile, range: ChunkRange, decompress: Decompress, windowBytes: number) {
    this.#file = file;
    this.#decompress = decompress;
    this.#windowBytes = windowBytes;
    this.#next = range.offset;
    this.#end = range.offset + range.sizeBytes;
    if (this.#end > file.sizeBytes) corrupt('a column chunk reaches beyond the end of the file');
  }

  /**
   * The next page, null behind the last.
   * @param skip entries that nobody wants: a data page of no more than these comes with an empty body
   */
  async next(skip: number): Promise<Page | null> {
    const header = await this.#header();
    if (header === null) return null;
    this.#from += header.headerBytes;
    const isData = header.kind === 'data' || header.kind === 'data-v2';
    if (header.kind === 'other' || (isData && header.entries <= skip)) {
      this.#skip(header.compressedBytes);
      return { header, levels: this.#bytes.subarray(0, 0), body: this.#bytes.subarray(0, 0) };
    }
    await this.#ensure(header.compressedBytes);
    if (this.#to - this.#from < header.compressedBytes) corrupt('the last page of a column chunk is cut');
    const stored = this.#bytes.subarray(this.#from, this.#from + header.compressedBytes);
    this.#from += header.compressedBytes;
    if (header.crc !== null && crc32(stored) !== header.crc) corrupt('the checksum of a page is wrong');
    const levelBytes = header.definitionBytes + header.repetitionBytes;
    if (levelBytes > stored.length || levelBytes > header.uncompressedBytes)
      corrupt('the levels of a page are cut');
    const body = stored.subarray(levelBytes);
    return {
      header,
      levels: stored.subarray(0, levelBytes),
      body: header.isCompressed ? this.#decompress(body, header.uncompressedBytes - levelBytes) : body,
    };
  }

  async #header(): Promise<PageHeader | null> {
    // Statistics of long strings may stand in a header: most are some 30 bytes.
    for (let want = 1024; ; want *= 8) {
      await this.#ensure(want);
      if (this.#from === this.#to) return null;
      const header = readPageHeader(this.#bytes, this.#from, this.#to);
      if (header !== null) return header;
      if (this.#to - this.#from < want) corrupt('a page header is cut');
    }
  }

  #skip(bytes: number): void {
    const inWindow = Math.min(bytes, this.#to - this.#from);
    this.#from += inWindow;
    this.#next += bytes - inWindow;
  }

  /** Sees to it that `want` bytes are in the window, or all that are left of the chunk. */
  async #ensure(want: number): Promise<void> {
    const have = this.#to - this.#from;
    if (have >= want || this.#next >= this.#end) return;
    const size = Math.min(this.#end - this.#next, Math.max(want - have, this.#windowBytes));
    // Fresh memory each time: pages that are not compressed are views of it.
    const bytes = new Uint8Array(have + size);
    bytes.set(this.#bytes.subarray(this.#from, this.#to));
    await this.#file.read(this.#next, bytes.subarray(have));
    this.#next += size;
    this.#bytes = bytes;
    this.#from = 0;
    this.#to = bytes.length;
  }
}
