/**
 * Merges parts of row formats: their bytes one after the other. Compressed members one after the other are a valid
 * file. Only a header line must not stand in the middle: it is cut off, for which compressed parts are compressed anew.
 */
import { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import type { ByteSource } from '../../lib/core/byte-source.ts';
import type { MergeSource, PartMerger } from '../../lib/core/part-merger.ts';
import type { RowCompression } from '../../lib/core/specs.ts';
import { loadCompressor } from '../compression/compressor.ts';
import { decompressed } from '../compression/decompress.ts';

const COPY_BYTES = 256 * 1024;
/** Bytes of a compression member, before compression. */
const MEMBER_BYTES = 1024 * 1024;
/** A header line is not longer. */
const MAX_HEADER_BYTES = 1024 * 1024;
const LINE_FEED = 10;
const QUOTE = 34;

export interface RowMergeOptions {
  readonly compression: RowCompression;
  /** Whether each part begins with a header line, which is the same in all of them or they do not go together. */
  readonly hasHeader: boolean;
}

export function rowMerger(options: RowMergeOptions): PartMerger {
  return {
    merge: (sources, write) =>
      options.hasHeader ? mergeWithHeader(sources, options.compression, write) : concatenate(sources, write),
  };
}

async function concatenate(
  sources: readonly MergeSource[],
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<number[]> {
  for (const source of sources) await forEachPiece(await source.stream(), write);
  return sources.map((_, index) => index);
}

async function mergeWithHeader(
  sources: readonly MergeSource[],
  compression: RowCompression,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<number[]> {
  const compressor = await loadCompressor(compression);
  const merged: number[] = [];
  const member = new ByteBuffer();
  const flush = async () => {
    if (member.length > 0) await write(compressor.compress(member.view()));
    member.clear();
  };
  const open = async (source: MergeSource) => {
    const stream = await source.stream();
    return compression === 'none' ? stream : decompressed(stream, compression, source.path);
  };
  let header: Uint8Array | null = null;
  for (const [index, source] of sources.entries()) {
    const own = await readHeader(await open(source));
    if (header !== null && Buffer.compare(header, own) !== 0) continue;
    let skip = header === null ? 0 : own.length;
    header ??= own;
    await forEachPiece(await open(source), async (bytes) => {
      const from = Math.min(skip, bytes.length);
      skip -= from;
      member.push(bytes.subarray(from));
      if (member.length >= MEMBER_BYTES) await flush();
    });
    merged.push(index);
  }
  await flush();
  return merged;
}

/** The first line, its end included; a line end within quotes does not end it. */
async function readHeader(source: ByteSource): Promise<Uint8Array> {
  const read = new ByteBuffer();
  let quoted = false;
  const piece = new Uint8Array(4096);
  try {
    while (read.length < MAX_HEADER_BYTES) {
      const length = await source.read(piece);
      if (length === 0) break;
      for (let i = 0; i < length; i++) {
        if (piece[i] === QUOTE) quoted = !quoted;
        else if (piece[i] === LINE_FEED && !quoted) {
          read.push(piece.subarray(0, i + 1));
          return read.view().slice();
        }
      }
      read.push(piece.subarray(0, length));
    }
    return read.view().slice();
  } finally {
    await source.close();
  }
}

async function forEachPiece(source: ByteSource, take: (bytes: Uint8Array) => Promise<void>): Promise<void> {
  const piece = new Uint8Array(COPY_BYTES);
  try {
    for (let length = await source.read(piece); length > 0; length = await source.read(piece))
      await take(piece.subarray(0, length));
  } finally {
    await source.close();
  }
}
