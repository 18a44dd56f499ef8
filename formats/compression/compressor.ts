/** Compressing output, a complete member at a time: members one after the other are a valid gzip or zstd file. */
import * as zlib from 'node:zlib';
import { importModule } from '../../lib/core/import-module.ts';
import type { RowCompression } from '../../lib/core/specs.ts';
import { nativeZstd } from './native-zstd.ts';

export interface Compressor {
  /** What the file name ends with. */
  readonly extension: '' | '.gz' | '.zst';
  /** One gzip member or zstd frame; with no compression, the bytes themselves. */
  compress(bytes: Uint8Array): Uint8Array;
}

const DEFAULT_GZIP_LEVEL = 6;
const DEFAULT_ZSTD_LEVEL = 3;

/** Loads what a compression needs (zstd is WebAssembly where Node has none), so that compressing itself need not wait. */
export async function loadCompressor(kind: RowCompression, level?: number): Promise<Compressor> {
  switch (kind) {
    case 'none':
      return { extension: '', compress: (bytes) => bytes };
    case 'gzip':
      return {
        extension: '.gz',
        compress: (bytes) => zlib.gzipSync(bytes, { level: level ?? DEFAULT_GZIP_LEVEL }),
      };
    case 'zstd': {
      const compress = await loadZstd();
      return { extension: '.zst', compress: (bytes) => compress(bytes, level ?? DEFAULT_ZSTD_LEVEL) };
    }
  }
}

type ZstdCompress = (bytes: Uint8Array, level: number) => Uint8Array;

let zstd: Promise<ZstdCompress> | null = null;

/** Once a thread: initialising the WebAssembly again breaks what the first time set up. */
function loadZstd(): Promise<ZstdCompress> {
  zstd ??= importZstd();
  return zstd;
}

async function importZstd(): Promise<ZstdCompress> {
  const native = nativeZstd();
  if (native !== null) {
    const { compressSync, levelParameter } = native;
    return (bytes, level) => compressSync(bytes, { params: { [levelParameter]: level } });
  }
  const { init, compress } = (await importModule(
    '@bokuweb/zstd-wasm',
  )) as typeof import('@bokuweb/zstd-wasm');
  await init();
  return (bytes, level) => compress(bytes, level);
}
