/** Columns of bytes that are not text of their own: JSON values as they stand, and base64. */
import { BytesColumn } from '../../lib/core/column.ts';
import type { DataType } from '../../lib/core/data-type.ts';
import { replaceLoneSurrogates } from '../lone-surrogates.ts';
import { decodeBase64 } from './base64.ts';
import { unescaped, unescapeString } from './json-string.ts';
import { skipValue } from './skip-value.ts';
import { finishColumn, markValid, REFUSED, type ValueReader } from './value-reader.ts';

const QUOTE = 34;

abstract class BytesReader implements ValueReader {
  readonly column: BytesColumn;

  constructor(type: DataType, capacity: number) {
    this.column = new BytesColumn(type, capacity);
  }

  abstract read(bytes: Uint8Array, view: DataView, at: number, row: number): number;

  readNull(row: number): void {
    this.column.offsets[row + 1] = this.column.offsets[row]!;
    this.column.setNull(row);
  }

  grow(rows: number): void {
    this.column.length = rows;
    this.column.reserve(rows + 1);
  }

  finish(rows: number, touched: number): void {
    finishColumn(this.column, rows, touched);
  }

  clear(): void {
    this.column.clear();
  }
}

/**
 * The text of any value, white space within it included; lone surrogates are replaced, as in strings. A JSON null is a null
 * of the column.
 */
export class JsonReader extends BytesReader {
  read(bytes: Uint8Array, view: DataView, at: number, row: number): number {
    const end = skipValue(bytes, view, at);
    if (end < 0) return REFUSED;
    const { column } = this;
    const out = column.offsets[row]!;
    column.reserveBytes(out + end - at, out);
    column.bytes.set(bytes.subarray(at, end), out);
    column.offsets[row + 1] = out + end - at;
    markValid(column, row);
    return end;
  }

  override finish(rows: number, touched: number): void {
    super.finish(rows, touched);
    replaceLoneSurrogates(this.column.bytes, 0, this.column.offsets[rows]!);
  }
}

/** Base64 with padding, RFC 4648 section 4. */
export class BinaryReader extends BytesReader {
  read(bytes: Uint8Array, view: DataView, at: number, row: number): number {
    if (bytes[at] !== QUOTE) return REFUSED;
    const end = unescapeString(bytes, view, at + 1);
    if (end < 0) return REFUSED;
    const { column } = this;
    const out = column.offsets[row]!;
    column.reserveBytes(out + (unescaped.length >> 2) * 3, out);
    const size = decodeBase64(unescaped.bytes, unescaped.length, column.bytes, out);
    if (size < 0) return REFUSED;
    column.offsets[row + 1] = out + size;
    markValid(column, row);
    return end;
  }
}
