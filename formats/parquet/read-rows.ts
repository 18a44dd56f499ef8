/** Rows of a whole Parquet file as objects. For small files: quarantined records, and comparisons. */
import { gunzipSync } from 'node:zlib';
import { decompress } from 'fzstd';
import { type Compressors, parquetReadObjects } from 'hyparquet';
import { SluiceError } from '../../lib/core/errors.ts';

/** Codecs that hyparquet leaves to others; snappy it has. */
const compressors: Compressors = {
  GZIP: (input: Uint8Array) => gunzipSync(input),
  ZSTD: (input: Uint8Array, length: number) => decompress(input, new Uint8Array(length)),
};

/**
 * @param bytes the file
 * @param columns those that are wanted; all where left out
 * @throws SluiceError INPUT_CORRUPT
 */
export async function readParquetRows(
  bytes: Uint8Array,
  columns?: readonly string[],
): Promise<Record<string, unknown>[]> {
  const file = bytes.slice().buffer;
  try {
    return await parquetReadObjects({
      file,
      compressors,
      utf8: false,
      ...(columns === undefined ? {} : { columns: [...columns] }),
    });
  } catch (cause) {
    throw new SluiceError('INPUT_CORRUPT', `not a Parquet file that can be read: ${String(cause)}`, {
      cause,
    });
  }
}
