/**
 * The messages of an Arrow IPC file or stream: where each begins, and what it is, read from their headers alone.
 * https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc
 */
import type { RandomAccessFile } from '../../lib/core/decoder.ts';
import { corrupt } from '../corrupt.ts';

export interface ArrowMessage {
  readonly kind: 'schema' | 'dictionary' | 'batch' | 'other';
  /** The prefix and the header, padding included. */
  readonly header: Uint8Array;
  readonly bodyOffset: number;
  readonly bodyBytes: number;
  /** Where the next message begins. */
  readonly end: number;
}

/** Where the messages are. */
export interface MessageRange {
  readonly isFile: boolean;
  readonly from: number;
  readonly to: number;
}

const MAGIC = 'ARROW1';
/** In a file, behind the messages: the length of the footer, and the magic bytes again. */
const FILE_END_BYTES = 10;
const CONTINUATION = -1;
const MAX_HEADER_BYTES = 256 * 1024 * 1024;
const KINDS = ['other', 'schema', 'dictionary', 'batch'] as const;

export async function findMessages(file: RandomAccessFile): Promise<MessageRange> {
  const { sizeBytes } = file;
  if (sizeBytes < 8) corrupt(`it has ${sizeBytes} bytes`);
  const head = await read(file, 0, 8);
  if (Buffer.from(head.subarray(0, 6)).toString('latin1') !== MAGIC) {
    return { isFile: false, from: 0, to: sizeBytes };
  }
  if (sizeBytes < 8 + FILE_END_BYTES) corrupt('it is cut');
  const end = await read(file, sizeBytes - FILE_END_BYTES, FILE_END_BYTES);
  if (Buffer.from(end.subarray(4)).toString('latin1') !== MAGIC)
    corrupt('it does not end with ARROW1, so it is cut');
  const footerBytes = new DataView(end.buffer).getInt32(0, true);
  const to = sizeBytes - FILE_END_BYTES - footerBytes;
  if (footerBytes < 0 || to < 8) corrupt('its footer is longer than the file');
  return { isFile: true, from: 8, to };
}

/** The message at an offset; null behind the last. */
export async function readMessage(
  file: RandomAccessFile,
  { to }: MessageRange,
  offset: number,
): Promise<ArrowMessage | null> {
  if (offset >= to) return null;
  if (offset + 4 > to) corrupt('a message is cut');
  const prefix = new DataView((await read(file, offset, Math.min(8, to - offset))).buffer);
  const first = prefix.getInt32(0, true);
  // Before version 0.15 there was no continuation marker before the length.
  const isOld = first !== CONTINUATION;
  if (!isOld && prefix.byteLength < 8) corrupt('a message is cut');
  const size = isOld ? first : prefix.getInt32(4, true);
  if (size === 0) return null;
  const prefixBytes = isOld ? 4 : 8;
  if (size < 0 || size > MAX_HEADER_BYTES || offset + prefixBytes + size > to) corrupt('a message is cut');
  const header = await read(file, offset, prefixBytes + size);
  const { kind, bodyBytes } = parseHeader(header.subarray(prefixBytes));
  const bodyOffset = offset + header.length;
  if (bodyOffset + bodyBytes > to) corrupt('a message is cut');
  return { kind, header, bodyOffset, bodyBytes, end: bodyOffset + bodyBytes };
}

async function read(file: RandomAccessFile, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  await file.read(offset, bytes);
  return bytes;
}

/** The table Message of Message.fbs: what the header is, and how long the body. */
function parseHeader(bytes: Uint8Array): { kind: ArrowMessage['kind']; bodyBytes: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const table = view.getUint32(0, true);
  const vtable = table - view.getInt32(table, true);
  const fields = (view.getUint16(vtable, true) - 4) / 2;
  /** Place of a field of the table, 0 where it has its default. */
  const at = (field: number) => {
    const relative = field < fields ? view.getUint16(vtable + 4 + 2 * field, true) : 0;
    return relative === 0 ? 0 : table + relative;
  };
  const kind = at(1) === 0 ? 0 : view.getUint8(at(1));
  const body = at(3) === 0 ? 0n : view.getBigInt64(at(3), true);
  if (body < 0n || body > BigInt(Number.MAX_SAFE_INTEGER)) corrupt('a message says a length that cannot be');
  return { kind: KINDS[kind] ?? 'other', bodyBytes: Number(body) };
}
