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

/**
 * What the columns are: the first message. A file may leave that one out, as the schema stands in its footer again
 * (apache-arrow for JavaScript does); then a message is made of it.
 */
export async function readSchemaMessage(file: RandomAccessFile, range: MessageRange): Promise<ArrowMessage> {
  const first = await readMessage(file, range, range.from);
  if (first?.kind === 'schema') return first;
  if (!range.isFile) return corrupt('it does not begin with a schema');
  const footerBytes = file.sizeBytes - FILE_END_BYTES - range.to;
  if (footerBytes > MAX_HEADER_BYTES) corrupt('its footer is longer than a header may be');
  const header = schemaMessage(await read(file, range.to, footerBytes));
  return { kind: 'schema', header, bodyOffset: range.from, bodyBytes: 0, end: range.from };
}

/** Bytes of the table Message in front of a footer, with its prefix of 8. */
const MESSAGE_BYTES = 40;

/** A message whose header is the schema of the footer. Offsets are relative, so the footer goes into it as it is. */
function schemaMessage(footer: Uint8Array): Uint8Array {
  const message = new Uint8Array(MESSAGE_BYTES + ((footer.length + 7) & ~7));
  message.set(footer, MESSAGE_BYTES);
  const view = new DataView(message.buffer);
  const at = fieldPlaces(view, MESSAGE_BYTES);
  if (at(1) === 0) corrupt('neither its first message nor its footer is a schema');
  view.setInt32(0, CONTINUATION, true);
  view.setInt32(4, message.length - 8, true);
  view.setUint32(8, 16, true);
  // How long vtable and table are, then where in the table version, kind and header stand; the body's length is left out.
  [12, 12, 8, 10, 4, 0].forEach((place, i) => {
    view.setUint16(12 + i * 2, place, true);
  });
  view.setInt32(24, 12, true);
  view.setUint32(28, at(1) + view.getUint32(at(1), true) - 28, true);
  view.setInt16(32, at(0) === 0 ? 0 : view.getInt16(at(0), true), true);
  view.setUint8(34, KINDS.indexOf('schema'));
  return message;
}

async function read(file: RandomAccessFile, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  await file.read(offset, bytes);
  return bytes;
}

/** The table Message of Message.fbs: what the header is, and how long the body. */
function parseHeader(bytes: Uint8Array): { kind: ArrowMessage['kind']; bodyBytes: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = fieldPlaces(view, 0);
  const kind = at(1) === 0 ? 0 : view.getUint8(at(1));
  const body = at(3) === 0 ? 0n : view.getBigInt64(at(3), true);
  if (body < 0n || body > BigInt(Number.MAX_SAFE_INTEGER)) corrupt('a message says a length that cannot be');
  return { kind: KINDS[kind] ?? 'other', bodyBytes: Number(body) };
}

/** Where each field of the root table of a flatbuffer is that begins at `start`; 0 where it has its default. */
function fieldPlaces(view: DataView, start: number): (field: number) => number {
  const table = start + view.getUint32(start, true);
  const vtable = table - view.getInt32(table, true);
  const fields = (view.getUint16(vtable, true) - 4) / 2;
  return (field) => {
    const relative = field < fields ? view.getUint16(vtable + 4 + 2 * field, true) : 0;
    return relative === 0 ? 0 : table + relative;
  };
}
