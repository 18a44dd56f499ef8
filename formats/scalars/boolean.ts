import type { BitsColumn } from '../../lib/core/column.ts';

/** Exactly `true` or `false`. @returns false where the text is neither */
export function parseBoolean(
  bytes: Uint8Array,
  start: number,
  end: number,
  column: BitsColumn,
  row: number,
): boolean {
  if (end - start === 4) {
    if (
      bytes[start] !== 0x74 ||
      bytes[start + 1] !== 0x72 ||
      bytes[start + 2] !== 0x75 ||
      bytes[start + 3] !== 0x65
    ) {
      return false;
    }
    column.set(row, true);
    return true;
  }
  if (
    end - start !== 5 ||
    bytes[start] !== 0x66 ||
    bytes[start + 1] !== 0x61 ||
    bytes[start + 2] !== 0x6c ||
    bytes[start + 3] !== 0x73 ||
    bytes[start + 4] !== 0x65
  ) {
    return false;
  }
  column.set(row, false);
  return true;
}
