/** How many rows a part has, by reading as little of it as tells that. */
import { decompressed } from '../../formats/compression/decompress.ts';
import { readFooter } from '../../formats/parquet/reader/read-footer.ts';
import type { ByteSource } from '../core/byte-source.ts';
import type { Schema } from '../core/data-type.ts';
import { SluiceError } from '../core/errors.ts';
import type { OutputFormatSpec } from '../core/specs.ts';
import { openRandomFile } from '../source/random-file.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { partBatches } from './part-batches.ts';

const PIECE_BYTES = 256 * 1024;
const LINE_FEED = 10;
const QUOTE = 34;

/** @throws SluiceError INPUT_CORRUPT where it is no whole part; NOT_FOUND; storage errors */
export async function countRows(
  part: { readonly path: string; readonly sizeBytes: number },
  format: OutputFormatSpec,
  schema: Schema,
  fileSystem: FileSystem,
): Promise<number> {
  switch (format.type) {
    case 'parquet':
      return footerRows(part, fileSystem);
    case 'avro':
    case 'arrow': {
      let rows = 0;
      for await (const batch of partBatches(part, format, schema, fileSystem)) rows += batch.length;
      return rows;
    }
    case 'csv': {
      // In the hive dialect a line end never stands within quotes.
      const quoted = format.dialect === 'standard';
      const lines = await countLines(part.path, format.compression, quoted, fileSystem);
      return format.header ? lines - 1 : lines;
    }
    default:
      return countLines(part.path, format.compression, false, fileSystem);
  }
}

async function footerRows(
  part: { readonly path: string; readonly sizeBytes: number },
  fileSystem: FileSystem,
): Promise<number> {
  const file = await openRandomFile(fileSystem, part);
  try {
    return Number((await readFooter(file)).num_rows);
  } catch (thrown) {
    // Whatever the reader trips over: the file is to blame.
    const error = SluiceError.from(thrown);
    throw error.domain === 'internal'
      ? new SluiceError('INPUT_CORRUPT', `${part.path} has no Parquet footer that can be read`, {
          cause: thrown,
        })
      : error;
  } finally {
    await file.close();
  }
}

/** Line ends, but for those within quotes. */
async function countLines(
  path: string,
  compression: 'none' | 'gzip' | 'zstd',
  quoted: boolean,
  fileSystem: FileSystem,
): Promise<number> {
  const stored = await fileSystem.open(path, 0);
  const source: ByteSource = compression === 'none' ? stored : decompressed(stored, compression, path);
  const piece = new Uint8Array(PIECE_BYTES);
  let lines = 0;
  let inQuotes = false;
  let last = LINE_FEED;
  try {
    for (;;) {
      const length = await source.read(piece);
      if (length === 0) break;
      for (let i = 0; i < length; i++) {
        const byte = piece[i]!;
        if (byte === QUOTE && quoted) inQuotes = !inQuotes;
        else if (byte === LINE_FEED && !inQuotes) lines++;
      }
      last = piece[length - 1]!;
    }
  } finally {
    await source.close();
  }
  if (last !== LINE_FEED || inQuotes)
    throw new SluiceError('INPUT_CORRUPT', `${path} ends in the middle of a record`);
  return lines;
}
