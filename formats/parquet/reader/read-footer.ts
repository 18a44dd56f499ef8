/** The metadata at a Parquet file's end. */
import { type FileMetaData, parquetMetadata } from 'hyparquet';
import type { RandomAccessFile } from '../../../lib/core/decoder.ts';
import { corrupt } from '../../corrupt.ts';

/** First try: holds the footer of most files. */
const TAIL_BYTES = 64 * 1024;
/** Length of the metadata and magic bytes. */
const END_BYTES = 8;
const MAX_FOOTER_BYTES = 1 << 30;

export async function readFooter(file: RandomAccessFile): Promise<FileMetaData> {
  // Statistics are of no use here; as bytes they cannot fail to be text.
  const parsers = { stringFromBytes: (bytes: Uint8Array) => bytes };
  return parquetMetadata(await readEnd(file), { geoparquet: false, parsers });
}

/** FileMetaData of parquet.thrift, as it stands in the file. */
export async function readMetadataBytes(file: RandomAccessFile): Promise<Uint8Array> {
  const end = await readEnd(file);
  const length = new DataView(end.buffer, end.byteOffset + end.length - END_BYTES).getUint32(0, true);
  return end.subarray(end.length - END_BYTES - length, end.length - END_BYTES);
}

/** The file's last bytes, the metadata among them. */
export async function readEnd(file: RandomAccessFile): Promise<Uint8Array> {
  const { sizeBytes } = file;
  if (sizeBytes < 12) corrupt(`it has ${sizeBytes} bytes, and the smallest file has 12`);
  let tail = await readTail(file, Math.min(sizeBytes, TAIL_BYTES));
  const magic = Buffer.from(tail.subarray(-4)).toString('latin1');
  if (magic === 'PARE') corrupt('its footer is encrypted');
  if (magic !== 'PAR1') corrupt('it does not end with PAR1, so it is cut or no Parquet file');
  const need =
    new DataView(tail.buffer, tail.byteOffset + tail.length - END_BYTES).getUint32(0, true) + END_BYTES;
  if (need > sizeBytes || need > MAX_FOOTER_BYTES) corrupt('its footer is longer than the file');
  if (need > tail.length) tail = await readTail(file, need);
  return tail;
}

async function readTail(file: RandomAccessFile, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  await file.read(file.sizeBytes - length, bytes);
  return bytes;
}
