import { isUtf8 } from 'node:buffer';
import type { BytesColumn } from '../lib/core/column.ts';

/**
 * Which values of a column are no UTF-8, and why; null where all are. The bytes are checked in one go: they are fine if
 * the whole is, and no value begins within a character.
 */
export function badUtf8(column: BytesColumn): ReadonlyMap<number, string> | null {
  const { bytes, offsets, length } = column;
  if (isUtf8(bytes.subarray(offsets[0]!, offsets[length]!)) && !beginsWithin(column)) return null;
  const bad = new Map<number, string>();
  for (let i = 0; i < length; i++) {
    if (!isUtf8(bytes.subarray(offsets[i]!, offsets[i + 1]!))) bad.set(i, 'the text is not valid UTF-8');
  }
  return bad.size === 0 ? null : bad;
}

function beginsWithin({ bytes, offsets, length }: BytesColumn): boolean {
  for (let i = 0; i < length; i++) {
    const start = offsets[i]!;
    if (start < offsets[i + 1]! && (bytes[start]! & 0xc0) === 0x80) return true;
  }
  return false;
}
