/**
 * bzip2, block by block, by the decoder of unbzip2-stream: its stream collects a block as an array of numbers, which for
 * a block of zeros is 370 MB. Here a block is decoded once all its bytes are there, into bytes. The decoder proves the
 * checksums of blocks and of members.
 */
import type { Bzip2Decoder, ReadBits } from 'unbzip2-stream/lib/bzip2.js';
import { corrupt } from '../corrupt.ts';

/** More than a block of `level` * 100,000 bytes takes when it cannot be compressed. */
const blockInputBytes = (level: number) => 25_000 + level * 125_000;
/** A block of 900,000 bytes stands for 51 times as much at most: runs of 255 in 5 bytes. */
const FIRST_OUTPUT_BYTES = 1 << 20;

export async function* bzip2Chunks(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { default: decoder } = await import('unbzip2-stream/lib/bzip2.js');
  const blocks = new Bzip2Blocks(decoder);
  for await (const bytes of input) {
    blocks.push(bytes);
    while (blocks.hasWholeBlock) yield* blocks.next();
  }
  while (!blocks.isAtEnd) yield* blocks.next();
}

class Bzip2Blocks {
  readonly #decoder: Bzip2Decoder;
  readonly #bits: BitReader = new BitReader();
  readonly #read: ReadBits = (count) => (count === null ? this.#bits.align() : this.#bits.read(count));
  /** 1 to 9; 0 between two members. */
  #level = 0;
  #checksum = 0;
  #work = new Int32Array(0);
  #out = new Uint8Array(FIRST_OUTPUT_BYTES);
  #length = 0;

  constructor(decoder: Bzip2Decoder) {
    this.#decoder = decoder;
  }

  push(bytes: Uint8Array): void {
    this.#bits.push(bytes);
  }

  get hasWholeBlock(): boolean {
    return this.#bits.length >= blockInputBytes(this.#level);
  }

  /** Whether all that was pushed is decoded, up to the end of a member. */
  get isAtEnd(): boolean {
    return this.#level === 0 && this.#bits.length === 0;
  }

  /** A header, a block, or the end of a member. What it yields is valid until the next call. */
  *next(): Generator<Uint8Array> {
    if (this.#level === 0) {
      this.#level = this.#decoder.header(this.#read);
      this.#checksum = 0;
      const size = this.#level * 100_000;
      if (this.#work.length < size) this.#work = new Int32Array(size);
      return;
    }
    this.#length = 0;
    const put = (byte: number) => {
      if (this.#length === this.#out.length) this.#grow();
      this.#out[this.#length++] = byte;
    };
    const size = this.#level * 100_000;
    const checksum = this.#decoder.decompress(this.#read, put, this.#work, size, this.#checksum);
    if (checksum === null) {
      this.#level = 0;
      return;
    }
    this.#checksum = checksum;
    yield this.#out.slice(0, this.#length);
  }

  #grow(): void {
    const grown = new Uint8Array(this.#out.length * 2);
    grown.set(this.#out);
    this.#out = grown;
  }
}

class BitReader {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** Bits of the byte at `#at` that were read. */
  #used = 0;

  push(bytes: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes.subarray(this.#at), bytes]);
    this.#at = 0;
  }

  /** Bytes of which not all bits were read. */
  get length(): number {
    return this.#bytes.length - this.#at;
  }

  align(): number {
    if (this.#used > 0) this.#at++;
    this.#used = 0;
    return 0;
  }

  /** @param count up to 32 */
  read(count: number): number {
    let result = 0;
    for (let left = count; left > 0; ) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) corrupt('the last bzip2 block is cut');
      const free = 8 - this.#used;
      const take = Math.min(free, left);
      result = (result << take) | ((byte >> (free - take)) & ((1 << take) - 1));
      left -= take;
      this.#used += take;
      if (this.#used < 8) continue;
      this.#used = 0;
      this.#at++;
    }
    return result;
  }
}
