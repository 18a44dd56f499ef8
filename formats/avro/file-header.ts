/** The header of an object container file: magic bytes, metadata (schema, codec), sync marker. */
import { corrupt } from '../corrupt.ts';
import { Cursor } from './cursor.ts';

export const MAGIC = Uint8Array.of(0x4f, 0x62, 0x6a, 1);
export const SYNC_BYTES = 16;

export interface AvroHeader {
  readonly schema: string;
  readonly codec: string;
  readonly sync: Uint8Array;
  /** Bytes of the header. */
  readonly length: number;
}

/**
 * @param last no bytes follow
 * @returns null where more bytes are needed
 * @throws SluiceError INPUT_CORRUPT
 */
export function readAvroHeader(
  bytes: Uint8Array,
  from: number,
  to: number,
  last: boolean,
): AvroHeader | null {
  for (let i = 0; i < MAGIC.length && from + i < to; i++) {
    if (bytes[from + i] !== MAGIC[i])
      corrupt('it does not begin with Obj and 1, so it is no Avro object container');
  }
  const cursor = new Cursor();
  cursor.reset(bytes, from + MAGIC.length, to);
  const metadata = new Map<string, Uint8Array>();
  let sync: number;
  try {
    if (to - from < MAGIC.length) corrupt('the header is cut');
    for (let count = cursor.readBlockCount(); count !== 0; count = cursor.readBlockCount()) {
      for (let i = 0; i < count; i++) metadata.set(textOf(take(cursor)), take(cursor));
    }
    sync = cursor.take(SYNC_BYTES);
  } catch (error) {
    // Cut, says the cursor; there may be more to come.
    if (!last) return null;
    throw error;
  }
  const schema = metadata.get('avro.schema');
  if (schema === undefined) return corrupt('its header has no schema');
  return {
    schema: textOf(schema),
    codec: textOf(metadata.get('avro.codec') ?? new TextEncoder().encode('null')),
    sync: bytes.slice(sync, sync + SYNC_BYTES),
    length: cursor.at - from,
  };
}

function take(cursor: Cursor): Uint8Array {
  const length = cursor.readLength();
  const at = cursor.take(length);
  return cursor.bytes.subarray(at, at + length);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
