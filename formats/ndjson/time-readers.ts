/** Dates and timestamps: ISO 8601 text, or for a timestamp the count of its unit since 1970. */
import type { FixedColumn } from '../../lib/core/column.ts';
import { parseDate } from '../scalars/date.ts';
import type { FixedParser } from '../scalars/fixed-parser.ts';
import { unescaped, unescapeString } from './json-string.ts';
import { readInt64 } from './number-readers.ts';
import { FixedReader, markValid, REFUSED } from './value-reader.ts';

const QUOTE = 34;
const BACKSLASH = 92;
/** `2026-11-22T13:14:15.123Z` and `2026-11-22T13:14:15Z`: by far the most common. */
const WITH_MILLISECONDS = 24;
const WITH_SECONDS = 20;
/** No date or timestamp without escapes is longer. */
const MAX_CHARACTERS = 40;

export class DateReader extends FixedReader {
  read(bytes: Uint8Array, view: DataView, at: number, row: number): number {
    return bytes[at] === QUOTE ? readText(parseDate, bytes, view, at + 1, this.column, row) : REFUSED;
  }
}

export class TimestampReader extends FixedReader {
  readonly #parse: FixedParser;

  constructor(column: FixedColumn, parse: FixedParser) {
    super(column);
    this.#parse = parse;
  }

  read(bytes: Uint8Array, view: DataView, at: number, row: number): number {
    if (bytes[at] === QUOTE) return readText(this.#parse, bytes, view, at + 1, this.column, row);
    return readInt64(bytes, at, this.column, row);
  }
}

function readText(
  parse: FixedParser,
  bytes: Uint8Array,
  view: DataView,
  start: number,
  column: FixedColumn,
  row: number,
): number {
  // A quote at the usual place saves looking for it. There is none before it, or `parse` refuses the text.
  let end = start + (bytes[start + WITH_MILLISECONDS] === QUOTE ? WITH_MILLISECONDS : WITH_SECONDS);
  if (bytes[end] !== QUOTE || !parse(bytes, start, end, column, row)) {
    end = start;
    while (end < start + MAX_CHARACTERS && bytes[end] !== QUOTE && bytes[end] !== BACKSLASH) end++;
    if (bytes[end] === BACKSLASH) {
      end = unescapeString(bytes, view, start);
      if (end < 0 || !parse(unescaped.bytes, 0, unescaped.length, column, row)) return REFUSED;
      markValid(column, row);
      return end;
    }
    if (bytes[end] !== QUOTE || !parse(bytes, start, end, column, row)) return REFUSED;
  }
  markValid(column, row);
  return end + 1;
}
