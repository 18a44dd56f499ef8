/**
 * Snappy's framing format: chunks of at most 64 KiB, each with a checksum. What hyparquet does is the one block.
 * https://github.com/google/snappy/blob/main/framing_format.txt
 */
import { snappyUncompress } from 'hyparquet';
import { corrupt } from '../corrupt.ts';

const STREAM_IDENTIFIER = Uint8Array.of(0xff, 6, 0, 0, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59);
const MAX_BLOCK_BYTES = 65_536;
/** What a block of 64 KiB may take, with the checksum before it: snappy_max_compressed_length. */
const MAX_CHUNK_BYTES = 4 + 32 + MAX_BLOCK_BYTES + Math.floor(MAX_BLOCK_BYTES / 6);

export async function* snappyChunks(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array(0);
  let begun = false;
  /** Bytes of a chunk that is passed over, still to come. */
  let skip = 0;
  for await (const bytes of input) {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    for (;;) {
      const skipped = Math.min(skip, rest.length);
      skip -= skipped;
      rest = rest.subarray(skipped);
      if (rest.length < 4) break;
      const type = rest[0]!;
      const length = rest[1]! | (rest[2]! << 8) | (rest[3]! << 16);
      if (type === 0xff ? length !== 6 : !begun) corrupt('it does not begin as a snappy stream does');
      if (type >= 0x80 && type <= 0xfe) {
        // Padding, and what may be passed over.
        rest = rest.subarray(4);
        skip = length;
        continue;
      }
      if (type >= 2 && type <= 0x7f) corrupt(`a snappy chunk is of the unknown type ${type}`);
      if (length > MAX_CHUNK_BYTES) corrupt('a snappy chunk is too long');
      if (rest.length < 4 + length) break;
      const body = rest.subarray(4, 4 + length);
      rest = rest.subarray(4 + length);
      if (type === 0xff) {
        // Streams may stand one after the other.
        if (!body.every((byte, i) => byte === STREAM_IDENTIFIER[4 + i]))
          corrupt('it does not begin as a snappy stream does');
        begun = true;
      } else yield blockOf(body, type === 0);
    }
  }
  if (rest.length > 0 || skip > 0) corrupt('the last snappy chunk is cut');
}

/** @param body checksum and block */
function blockOf(body: Uint8Array, isCompressed: boolean): Uint8Array {
  if (body.length < 4) corrupt('a snappy chunk is cut');
  const stored = body.subarray(4);
  let block = stored;
  if (isCompressed) {
    const size = sizeOf(stored);
    if (size > MAX_BLOCK_BYTES) corrupt('a snappy block claims to hold too much');
    block = new Uint8Array(size);
    if (size > 0) snappyUncompress(stored, block);
  } else if (stored.length > MAX_BLOCK_BYTES) corrupt('a snappy block is too long');
  const expected = new DataView(body.buffer, body.byteOffset).getUint32(0, true);
  if (maskedCrc32c(block) !== expected) corrupt('the checksum of a snappy chunk is wrong');
  return block;
}

/** The length that a block begins with: a varint of up to 32 bits. */
function sizeOf(block: Uint8Array): number {
  let size = 0;
  for (let at = 0; at < 5; at++) {
    const byte = block[at];
    if (byte === undefined) break;
    size += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return size;
  }
  return corrupt('a snappy block is cut');
}

/** CRC-32C (Castagnoli): zlib's is the other polynomial. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

function maskedCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[i]!) & 0xff]!;
  crc = (crc ^ 0xffffffff) >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
