/**
 * LZ4 frames, decompressed, with their checksums. Our own: lz4-napi brings a binary for each platform, and a frame is
 * little more than the blocks it holds.
 * https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 */
import { corrupt } from '../corrupt.ts';
import { Xxh32 } from './xxh32.ts';

const MAGIC = 0x184d2204;
/** Blocks may refer to so many bytes before them. */
const WINDOW_BYTES = 64 * 1024;
/** Compressed bytes taken at a time: what comes out of them at once is a block of up to 4 MiB, or 16 MiB of small ones. */
const SLICE_BYTES = 64 * 1024;
const BLOCK_BYTES = [0, 0, 0, 0, 64 << 10, 256 << 10, 1 << 20, 4 << 20] as const;

/** One frame or several, whole. */
export function unlz4Frame(bytes: Uint8Array): Uint8Array {
  const pieces: Uint8Array[] = [];
  const frames = new Lz4Frames();
  frames.push(bytes, (piece) => pieces.push(piece.slice()));
  frames.end();
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

/**
 * Frames as their bytes come, so that a small file that stands for much is decoded as it is wanted: LZ4 makes 255 bytes of
 * one at most.
 */
export async function* lz4Chunks(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const frames = new Lz4Frames();
  let out: Uint8Array[] = [];
  for await (const bytes of input) {
    for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
      frames.push(bytes.subarray(at, at + SLICE_BYTES), (block) => out.push(block.slice()));
      yield* out;
      out = [];
    }
  }
  frames.end();
}

interface Frame {
  readonly hasBlockChecksums: boolean;
  readonly isLinked: boolean;
  readonly contentSize: number | null;
  readonly content: Xxh32 | null;
  readonly blockBytes: number;
}

/** Takes compressed bytes in pieces as they come and gives out blocks. */
export class Lz4Frames {
  /** What came and was not consumed. */
  #rest: Uint8Array = new Uint8Array(0);
  #frame: Frame | null = null;
  /** The last bytes that came out, then room for a block: copies may reach back. */
  #window: Uint8Array = new Uint8Array(0);
  #history = 0;
  #size = 0;
  /** Bytes of a skippable frame that are still to come. */
  #skip = 0;

  /** @param give called with each block; what it gets is valid until it returns */
  push(bytes: Uint8Array, give: (block: Uint8Array) => void): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    for (let used = this.#step(give); used > 0; used = this.#step(give))
      this.#rest = this.#rest.subarray(used);
    this.#rest = this.#rest.slice();
  }

  /** @throws SluiceError INPUT_CORRUPT where a frame is not at its end */
  end(): void {
    if (this.#frame !== null || this.#rest.length > 0 || this.#skip > 0) corrupt('the last lz4 frame is cut');
  }

  /** @returns bytes consumed; 0 where more are needed */
  #step(give: (block: Uint8Array) => void): number {
    const rest = this.#rest;
    if (this.#skip > 0) {
      const skipped = Math.min(this.#skip, rest.length);
      this.#skip -= skipped;
      return skipped;
    }
    if (rest.length < 4) return 0;
    const view = new DataView(rest.buffer, rest.byteOffset, rest.byteLength);
    const frame = this.#frame;
    if (frame === null) return this.#begin(rest, view);
    const word = view.getUint32(0, true);
    if (word === 0) {
      const size = frame.content === null ? 4 : 8;
      if (rest.length < size) return 0;
      if (frame.content !== null && frame.content.digest() !== view.getUint32(4, true))
        corrupt('the checksum of an lz4 frame is wrong');
      if (frame.contentSize !== null && frame.contentSize !== this.#size)
        corrupt('an lz4 frame has another size');
      this.#frame = null;
      return size;
    }
    const length = word & 0x7fff_ffff;
    if (length > frame.blockBytes) corrupt('an lz4 block is larger than its frame allows');
    const end = 4 + length + (frame.hasBlockChecksums ? 4 : 0);
    if (rest.length < end) return 0;
    const block = rest.subarray(4, 4 + length);
    if (frame.hasBlockChecksums && new Xxh32().update(block).digest() !== view.getUint32(4 + length, true))
      corrupt('the checksum of an lz4 block is wrong');
    this.#block(frame, block, word >>> 31 === 1, give);
    return end;
  }

  #begin(rest: Uint8Array, view: DataView): number {
    const magic = view.getUint32(0, true);
    if ((magic & 0xfffffff0) >>> 0 === 0x184d2a50) {
      if (rest.length < 8) return 0;
      this.#skip = view.getUint32(4, true);
      return 8;
    }
    if (magic !== MAGIC) corrupt('it is no lz4 frame');
    if (rest.length < 7) return 0;
    const flags = rest[4]!;
    const hasSize = (flags & 8) !== 0;
    const hasDictionary = (flags & 1) !== 0;
    const header = 7 + (hasSize ? 8 : 0) + (hasDictionary ? 4 : 0);
    if (rest.length < header) return 0;
    if (flags >> 6 !== 1) corrupt('the lz4 frame is of another version');
    if (hasDictionary) corrupt('the lz4 frame needs a dictionary');
    const checksum = (new Xxh32().update(rest.subarray(4, header - 1)).digest() >>> 8) & 0xff;
    if (checksum !== rest[header - 1]) corrupt('the checksum of an lz4 header is wrong');
    const blockBytes = BLOCK_BYTES[(rest[5]! >> 4) & 7]!;
    if (blockBytes === 0) corrupt('the lz4 frame says no size of its blocks');
    this.#frame = {
      hasBlockChecksums: (flags & 16) !== 0,
      isLinked: (flags & 32) === 0,
      contentSize: hasSize ? Number(view.getBigUint64(6, true)) : null,
      content: (flags & 4) !== 0 ? new Xxh32() : null,
      blockBytes,
    };
    if (this.#window.length < WINDOW_BYTES + blockBytes)
      this.#window = new Uint8Array(WINDOW_BYTES + blockBytes);
    this.#history = 0;
    this.#size = 0;
    return header;
  }

  #block(frame: Frame, block: Uint8Array, isStored: boolean, give: (block: Uint8Array) => void): void {
    const window = this.#window;
    const from = frame.isLinked ? this.#history : 0;
    let to = from + block.length;
    if (isStored) window.set(block, from);
    else to = decompressBlock(block, window, from, from + frame.blockBytes);
    const out = window.subarray(from, to);
    frame.content?.update(out);
    this.#size += out.length;
    give(out);
    // The last bytes are what the next block may copy from.
    const keep = Math.min(to, WINDOW_BYTES);
    window.copyWithin(0, to - keep, to);
    this.#history = keep;
  }
}

/** One block into out[at, end). Copies reach back to out[0]. @returns where it ends */
function decompressBlock(block: Uint8Array, out: Uint8Array, start: number, end: number): number {
  let at = start;
  let from = 0;
  while (from < block.length) {
    const token = block[from++]!;
    let literals = token >> 4;
    if (literals === 15) {
      for (let more = 255; more === 255; literals += more) {
        if (from >= block.length) corrupt('an lz4 block is cut');
        more = block[from++]!;
      }
    }
    if (from + literals > block.length || at + literals > end) corrupt('an lz4 block is damaged');
    for (let i = 0; i < literals; i++) out[at++] = block[from++]!;
    // The last sequence has literals only.
    if (from === block.length) break;
    const distance = block[from]! | (block[from + 1]! << 8);
    from += 2;
    let length = (token & 15) + 4;
    if (length === 19) {
      for (let more = 255; more === 255; length += more) {
        if (from >= block.length) corrupt('an lz4 block is cut');
        more = block[from++]!;
      }
    }
    if (distance === 0 || distance > at || at + length > end || from > block.length)
      corrupt('an lz4 block is damaged');
    for (let i = 0; i < length; i++, at++) out[at] = out[at - distance]!;
  }
  return at;
}
