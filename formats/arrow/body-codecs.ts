/** Compressed buffers of Arrow batches: the codecs that apache-arrow asks for and does not bring. */
import { CompressionType, compressionRegistry } from 'apache-arrow';
import { unlz4Frame } from '../compression/lz4-frame.ts';
import { nativeZstdDecompress } from '../compression/native-zstd.ts';

const MAX_BUFFER_BYTES = 1 << 30;
let loaded: Promise<void> | null = null;

/** Once a thread. */
export function loadArrowCodecs(): Promise<void> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<void> {
  compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: (bytes) => aligned(unlz4Frame(bytes)) });
  const native = nativeZstdDecompress();
  if (native !== null) {
    compressionRegistry.set(CompressionType.ZSTD, {
      decode: (bytes) => aligned(native(bytes, MAX_BUFFER_BYTES)),
    });
    return;
  }
  const { decompress } = await import('fzstd');
  compressionRegistry.set(CompressionType.ZSTD, { decode: (bytes) => aligned(decompress(bytes)) });
}

/** Values of 64 bits have to begin at a multiple of 8, and decompressors do not care. */
function aligned(bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
}
