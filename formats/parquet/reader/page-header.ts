/** PageHeader of parquet.thrift. */
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js';
import { corrupt } from '../../corrupt.ts';

export interface PageHeader {
  readonly kind: 'data' | 'data-v2' | 'dictionary' | 'other';
  /** Bytes of this header. */
  readonly headerBytes: number;
  readonly compressedBytes: number;
  readonly uncompressedBytes: number;
  /** CRC-32 of the compressed bytes, where the writer gave one. */
  readonly crc: number | null;
  /** Values, nulls and empty lists. */
  readonly entries: number;
  readonly encoding: number;
  /** Data pages of the first kind: how levels are encoded. */
  readonly definitionEncoding: number;
  readonly repetitionEncoding: number;
  /** Data pages of the second kind: levels stand before what is compressed. */
  readonly definitionBytes: number;
  readonly repetitionBytes: number;
  readonly isCompressed: boolean;
}

const KINDS = ['data', 'other', 'dictionary', 'data-v2'] as const;

/** @returns null where the header goes beyond the bytes there are */
export function readPageHeader(bytes: Uint8Array, from: number, to: number): PageHeader | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset + from, to - from);
  const reader = { view, offset: 0 };
  let header: Readonly<Record<string, unknown>>;
  try {
    header = deserializeTCompactProtocol(reader);
  } catch {
    return null;
  }
  const kind = KINDS[numberOf(header.field_1)] ?? 'other';
  const body = objectOf(
    kind === 'data-v2' ? header.field_8 : kind === 'dictionary' ? header.field_7 : header.field_5,
  );
  const isV2 = kind === 'data-v2';
  return {
    kind,
    headerBytes: reader.offset,
    uncompressedBytes: sizeOf(header.field_2),
    compressedBytes: sizeOf(header.field_3),
    crc: typeof header.field_4 === 'number' ? header.field_4 >>> 0 : null,
    entries: kind === 'other' ? 0 : sizeOf(body.field_1),
    encoding: numberOf(isV2 ? body.field_4 : body.field_2),
    definitionEncoding: numberOf(body.field_3),
    repetitionEncoding: numberOf(body.field_4),
    definitionBytes: isV2 ? sizeOf(body.field_5) : 0,
    repetitionBytes: isV2 ? sizeOf(body.field_6) : 0,
    isCompressed: body.field_7 !== false,
  };
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : -1;
}

function sizeOf(value: unknown): number {
  if (typeof value === 'number' && value >= 0) return value;
  return corrupt('a page header lacks a size');
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
