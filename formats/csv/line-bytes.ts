/** Small looks at the bytes of CSV records. */
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
/** Characters of a value that an error message quotes. */
const QUOTED_CHARACTERS = 100;

/** Behind the blank line at `start`: 0 where it is none, -1 where that cannot be told yet. */
export function blankLine(bytes: Uint8Array, start: number, to: number, last: boolean): number {
  if (bytes[start] === LINE_FEED) return start + 1;
  if (bytes[start] !== CARRIAGE_RETURN) return 0;
  if (start + 1 >= to) return last ? to : -1;
  return bytes[start + 1] === LINE_FEED ? start + 2 : 0;
}

export function lineEnd(bytes: Uint8Array, from: number, to: number): number {
  const at = bytes.subarray(from, to).indexOf(LINE_FEED);
  return at === -1 ? to : from + at;
}

export function equals(bytes: Uint8Array, start: number, end: number, other: Uint8Array): boolean {
  if (end - start !== other.length) return false;
  for (let i = 0; i < other.length; i++) if (bytes[start + i] !== other[i]) return false;
  return true;
}

export function article(kind: string): string {
  return `${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}`;
}

/** Where text that belongs to no field ends: at a delimiter, a line feed, or `to`. */
export function endOfText(bytes: Uint8Array, from: number, to: number, delimiter: number): number {
  let at = from;
  while (at < to && bytes[at] !== delimiter && bytes[at] !== LINE_FEED) at++;
  return at;
}

/** The first characters of a value, for an error message. */
export function quotedText(bytes: Uint8Array, start: number, end: number): string {
  const length = Math.min(end - start, QUOTED_CHARACTERS * 4);
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, length)
    .toString()
    .slice(0, QUOTED_CHARACTERS);
}
