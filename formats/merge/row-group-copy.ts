/** A row group in another file: the same bytes at another place, and metadata that says where. */
import type { RandomAccessFile } from '../../lib/core/decoder.ts';
import { corrupt } from '../corrupt.ts';
import { integerOf, setInteger, structsOf, type ThriftStruct } from '../parquet/thrift-tree.ts';

const COPY_BYTES = 1024 * 1024;

/** Fields of parquet.thrift that hold places in the file, or lead to what is not copied. */
const ROW_GROUP = { columns: 1, fileOffset: 5, ordinal: 7 } as const;
const CHUNK = { filePath: 1, fileOffset: 2, metadata: 3, indexes: [4, 5, 6, 7] } as const;
const METADATA = {
  compressedBytes: 7,
  dataPage: 9,
  indexPage: 10,
  dictionaryPage: 11,
  bloomFilter: [14, 15],
} as const;

/**
 * @param offset where the next byte will stand
 * @returns the metadata; `rowGroup` itself is changed
 * @throws SluiceError INPUT_CORRUPT
 */
export async function copyRowGroup(
  rowGroup: ThriftStruct,
  file: RandomAccessFile,
  offset: () => number,
  push: (bytes: Uint8Array) => Promise<void>,
): Promise<ThriftStruct> {
  const start = offset();
  for (const chunk of structsOf(rowGroup, ROW_GROUP.columns)) {
    const metadata = chunk.fields.get(CHUNK.metadata);
    if (metadata?.kind !== 'struct' || chunk.fields.has(CHUNK.filePath))
      return corrupt('a column chunk has no metadata, or is in another file');
    const data = integerOf(metadata, METADATA.dataPage) ?? corrupt('a column chunk does not say where it is');
    const dictionary = integerOf(metadata, METADATA.dictionaryPage) ?? 0;
    // Old writers give 0 for no dictionary; others begin the data pages before it.
    const from = dictionary > 0 && dictionary < data ? dictionary : data;
    const length =
      integerOf(metadata, METADATA.compressedBytes) ?? corrupt('a column chunk does not say how long it is');
    const shift = offset() - from;
    await copyBytes(file, from, length, push);
    for (const id of [METADATA.dataPage, METADATA.indexPage, METADATA.dictionaryPage]) {
      const place = integerOf(metadata, id) ?? 0;
      if (place > 0) setInteger(metadata, id, place + shift);
    }
    const place = integerOf(chunk, CHUNK.fileOffset) ?? 0;
    if (place > 0) setInteger(chunk, CHUNK.fileOffset, place + shift);
    for (const id of CHUNK.indexes) chunk.fields.delete(id);
    for (const id of METADATA.bloomFilter) metadata.fields.delete(id);
  }
  setInteger(rowGroup, ROW_GROUP.fileOffset, start);
  rowGroup.fields.delete(ROW_GROUP.ordinal);
  return rowGroup;
}

async function copyBytes(
  file: RandomAccessFile,
  from: number,
  length: number,
  push: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const buffer = new Uint8Array(Math.min(length, COPY_BYTES));
  for (let done = 0; done < length; ) {
    const piece = buffer.subarray(0, Math.min(buffer.length, length - done));
    await file.read(from + done, piece);
    await push(piece);
    done += piece.length;
  }
}
