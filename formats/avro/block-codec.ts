/** How the blocks of an object container file are compressed. */
import * as zlib from 'node:zlib';
import { decompress as unzstd } from 'fzstd';
import { snappyUncompress } from 'hyparquet';
import { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import { loadCompressor } from '../compression/compressor.ts';
import { nativeZstdDecompress } from '../compression/native-zstd.ts';
import { corrupt } from '../corrupt.ts';
import { loadCodec } from '../parquet/codec.ts';

export type AvroCompression = 'none' | 'deflate' | 'snappy' | 'zstd';

/** Names as they stand in a file. */
const NAMES = { none: 'null', deflate: 'deflate', snappy: 'snappy', zstd: 'zstandard' } as const;

/** Bytes of a block, decompressed, at the most: what claims to be more is a bomb. */
const MAX_BLOCK_BYTES = 1 << 30;

export type DecompressBlock = (block: Uint8Array) => Uint8Array;

/** @param name `avro.codec` of a file's header @throws SluiceError INPUT_CORRUPT */
export function blockDecompressor(name: string): DecompressBlock {
  const decompress = decompressorOf(name);
  return (block) => {
    try {
      return decompress(block);
    } catch (error) {
      return corrupt(
        `a block is not valid ${name}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  };
}

function decompressorOf(name: string): DecompressBlock {
  switch (name) {
    case 'null':
      return (block) => block;
    case 'deflate':
      return (block) => zlib.inflateRawSync(block, { maxOutputLength: MAX_BLOCK_BYTES });
    case 'snappy':
      return unsnappy;
    case 'zstandard': {
      const native = nativeZstdDecompress();
      return native === null ? (block) => unzstd(block) : (block) => native(block, MAX_BLOCK_BYTES);
    }
    default:
      return corrupt(`its blocks are compressed with ${name}, which this program does not read`);
  }
}

/** Snappy, and the CRC-32 of what comes out, big-endian. */
function unsnappy(block: Uint8Array): Uint8Array {
  if (block.length < 5) corrupt('a snappy block is cut');
  const body = block.subarray(0, block.length - 4);
  let size = 0;
  for (let i = 0; i < 5; i++) {
    const byte = body[i] ?? 0;
    size += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) break;
  }
  // A copy of two bytes makes 64 at the most.
  if (size > MAX_BLOCK_BYTES || size > body.length * 32 + 64)
    corrupt('a snappy block claims to hold too much');
  const out = new Uint8Array(size);
  if (size > 0) snappyUncompress(body, out);
  const crc = new DataView(block.buffer, block.byteOffset + block.length - 4).getUint32(0);
  if (zlib.crc32(out) !== crc) corrupt('the checksum of a block is wrong');
  return out;
}

export interface BlockCompressor {
  /** As it stands in a file's header. */
  readonly name: string;
  /** A complete block, in memory of its own or in the buffer itself. */
  compress(block: ByteBuffer): Uint8Array;
}

/** @param level of deflate and zstd; the codec's own where left out */
export async function loadBlockCompressor(kind: AvroCompression, level?: number): Promise<BlockCompressor> {
  const name = NAMES[kind];
  switch (kind) {
    case 'none':
      return { name, compress: (block) => block.view() };
    case 'deflate':
      return {
        name,
        compress: (block) => zlib.deflateRawSync(block.view(), level === undefined ? {} : { level }),
      };
    case 'zstd': {
      const zstd = await loadCompressor('zstd', level);
      return { name, compress: (block) => zstd.compress(block.view()) };
    }
    case 'snappy': {
      const snappy = await loadCodec('snappy');
      return {
        name,
        compress(block) {
          const out = new ByteBuffer(block.length);
          const crc = zlib.crc32(block.view());
          const compressed = snappy.compress(block, out);
          const whole = new Uint8Array(compressed.length + 4);
          whole.set(compressed);
          new DataView(whole.buffer).setUint32(compressed.length, crc);
          return whole;
        },
      };
    }
  }
}
