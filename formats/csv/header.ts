/** The header line of a CSV file: the names of its columns. */
import { isUtf8 } from 'node:buffer';
import type { DecoderState } from '../../lib/core/decoder.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import type { CsvSpec } from './spec.ts';
import { splitRecord } from './split-record.ts';

/** Columns a file may have: more is a file of another kind. */
const MAX_COLUMNS = 100_000;

/**
 * Reads the names in the first record of bytes[from, to).
 * @returns null where the record is not whole
 * @throws SluiceError BAD_RECORD where a name stands twice, or is no UTF-8, or there is no header, or no line feed
 */
export function readHeaderNames(
  bytes: Uint8Array,
  from: number,
  to: number,
  last: boolean,
  spec: CsvSpec,
): { names: string[]; end: number } | null {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from);
  const record = splitRecord(text, 0, last, spec);
  if (record === null) return null;
  const line = text.subarray(0, record.end);
  // Names that match nothing would make every value of the file null, in silence.
  if (!isUtf8(line) || line.includes(0)) throw badHeader('it is not UTF-8; files in UTF-16 begin like that');
  // The whole file would be its header: no row, and nobody told.
  if (record.fields.some((field) => field.hasReturn))
    throw badHeader(
      'a carriage return stands in it without a line feed',
      'where lines end with CR alone, convert the file: `tr "\\r" "\\n"`',
    );
  const names = record.fields.map((field) => field.text);
  if (names.length > MAX_COLUMNS) throw badHeader(`it has ${names.length} columns`);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw badHeader(`the column '${twice}' stands twice`);
  return { names, end: from + record.end };
}

/** The names that a checkpoint keeps, so that a file is continued without its first line. */
export function headerState(state: NonNullable<DecoderState>): string[] {
  const { header } = state;
  if (!Array.isArray(header))
    throw new SluiceError('STATE_CORRUPT', 'the position in a CSV file lacks its header');
  return header.map(String);
}

function badHeader(
  why: string,
  hint = 'set header: false and give columns, if the file has no header',
): SluiceError {
  return new SluiceError('BAD_RECORD', `the header line cannot be used: ${why}`, { hint });
}
