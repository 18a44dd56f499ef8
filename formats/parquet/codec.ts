/** How pages are compressed, by the codec numbers of the format (parquet.thrift, CompressionCodec). */
import type { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import type { StageClock } from '../../lib/core/stage-clock.ts';
import { loadCompressor } from '../compression/compressor.ts';
import { SnappyKernel } from '../kernel/snappy-kernel.ts';
import { SnappyCompressor } from './snappy.ts';

export type ParquetCompression = 'none' | 'snappy' | 'gzip' | 'zstd';

export interface Codec {
  readonly id: number;
  /** The compressed form of what is in `page`: in `scratch`, in the page itself, or in memory of its own. */
  compress(page: ByteBuffer, scratch: ByteBuffer): Uint8Array;
}

const IDS = { none: 0, snappy: 1, gzip: 2, zstd: 6 } as const;

/**
 * Loads what a codec needs (zstd is WebAssembly on Node 20), so that compressing itself need not wait.
 * @param level of gzip and zstd; the codec's own where left out
 */
export async function loadCodec(compression: ParquetCompression, level?: number): Promise<Codec> {
  const id = IDS[compression];
  switch (compression) {
    case 'none':
      return { id, compress: (page) => page.view() };
    case 'snappy': {
      const snappy = new SnappyCompressor(SnappyKernel.create());
      return {
        id,
        compress(page, scratch) {
          scratch.clear();
          snappy.compress(page.bytes, page.length, scratch);
          return scratch.view();
        },
      };
    }
    case 'gzip':
    case 'zstd': {
      const compressor = await loadCompressor(compression, level);
      return { id, compress: (page) => compressor.compress(page.view()) };
    }
  }
}

/** The codec with its time booked as the stage `compress`. */
export function timedCodec(codec: Codec, stages: StageClock): Codec {
  return {
    id: codec.id,
    compress(page, scratch) {
      const before = stages.enter('compress');
      const compressed = codec.compress(page, scratch);
      stages.enter(before);
      return compressed;
    },
  };
}
