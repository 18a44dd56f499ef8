/** Node's own zstd for whole frames, which came with 22.15 and 23.8: looked up, since the types we build with may be older. */
import * as zlib from 'node:zlib';

export interface NativeZstd {
  readonly compressSync: (
    bytes: Uint8Array,
    options: { readonly params: Record<number, number> },
  ) => Uint8Array;
  /** Key of the compression level in `params`. */
  readonly levelParameter: number;
}

/** null where this Node has none. */
export function nativeZstd(): NativeZstd | null {
  const found: Readonly<Record<string, unknown>> = { ...zlib };
  const { zstdCompressSync } = found;
  const constants: Readonly<Record<string, unknown>> = { ...zlib.constants };
  const level = constants.ZSTD_c_compressionLevel;
  if (typeof zstdCompressSync !== 'function') return null;
  return {
    compressSync: zstdCompressSync as NativeZstd['compressSync'],
    levelParameter: Number(level),
  };
}

/** Decompresses one frame or several, to at most `most` bytes. null where this Node has none. */
export function nativeZstdDecompress(): ((bytes: Uint8Array, most: number) => Uint8Array) | null {
  const found: Readonly<Record<string, unknown>> = { ...zlib };
  const { zstdDecompressSync } = found;
  if (typeof zstdDecompressSync !== 'function') return null;
  const decompress = zstdDecompressSync as (
    bytes: Uint8Array,
    options: { readonly maxOutputLength: number },
  ) => Uint8Array;
  return (bytes, most) => decompress(bytes, { maxOutputLength: most });
}
