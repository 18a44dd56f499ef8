/** How pages are decompressed. */
import * as zlib from 'node:zlib';
import type { CompressionCodec } from 'hyparquet';
import { nativeZstdDecompress } from '../../compression/native-zstd.ts';
import { corrupt } from '../../corrupt.ts';

/** @param size of the result */
export type Decompress = (bytes: Uint8Array, size: number) => Uint8Array;

/** A codec's decompressor, with what it needs loaded. @throws SluiceError INPUT_CORRUPT for a codec nobody has */
export async function loadDecompress(codec: CompressionCodec): Promise<Decompress> {
  const decompress = await load(codec);
  return (bytes, size) => {
    // Some writers leave out the compressed form of nothing.
    if (size === 0 && bytes.length === 0) return bytes;
    const page = decompress(bytes, size);
    if (page.length !== size) corrupt(`a page has ${page.length} bytes, and should have ${size}`);
    return page;
  };
}

async function load(codec: CompressionCodec): Promise<Decompress> {
  switch (codec) {
    case 'UNCOMPRESSED':
      return (bytes) => bytes;
    case 'GZIP':
      return (bytes, size) => zlib.gunzipSync(bytes, { maxOutputLength: Math.max(size, 1) });
    case 'BROTLI':
      return (bytes, size) => zlib.brotliDecompressSync(bytes, { maxOutputLength: Math.max(size, 1) });
    case 'ZSTD': {
      const native = nativeZstdDecompress();
      if (native !== null) return (bytes, size) => native(bytes, Math.max(size, 1));
      const { decompress } = await import('fzstd');
      return (bytes, size) => decompress(bytes, new Uint8Array(size));
    }
    case 'SNAPPY':
    case 'LZ4':
    case 'LZ4_RAW': {
      const { compressors } = await import('hyparquet-compressors');
      const decompress = compressors[codec];
      if (decompress !== undefined) return decompress;
    }
  }
  return corrupt(`its pages are compressed with ${codec}, which this program does not read`);
}
