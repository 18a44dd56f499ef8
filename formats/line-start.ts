/** Small facts about lines that all line formats share. */
const LINE_FEED = 10;

/** Bytes of a UTF-8 byte order mark at `from`: 3 or 0. null where there are too few bytes to tell. */
export function byteOrderMark(bytes: Uint8Array, from: number, to: number, last: boolean): number | null {
  const mark = [0xef, 0xbb, 0xbf];
  for (let i = 0; i < 3; i++) {
    if (from + i >= to) return last ? 0 : null;
    if (bytes[from + i] !== mark[i]) return 0;
  }
  return 3;
}

/** The index behind the next line feed in bytes[from, to), or -1. */
export function behindLineFeed(bytes: Uint8Array, from: number, to: number): number {
  const at = bytes.subarray(from, to).indexOf(LINE_FEED);
  return at === -1 ? -1 : from + at + 1;
}
