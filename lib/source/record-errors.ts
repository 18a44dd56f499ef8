/** Errors about one record: where it stands, which column, why, and what it holds. */
import type { BadRecord, BadRecordCode } from '../core/decoder.ts';
import { type ErrorCode, SluiceError } from '../core/errors.ts';

/** Characters of a record that a message shows. */
const MAX_SHOWN = 200;
const lenient = new TextDecoder('utf-8', { ignoreBOM: true });

/** A refused record, copied: the decoder's view of it does not last. */
export interface ShownRecord {
  readonly offset: number;
  /** Instead of line and byte, where the format has no such thing. */
  readonly place: string | null;
  readonly column: string | null;
  readonly reason: string;
  /** As {@link showBytes} shows it. */
  readonly value: string;
}

export function copyRefused(record: BadRecord): ShownRecord {
  return {
    offset: record.offset,
    place: record.place ?? null,
    column: record.column,
    reason: record.reason,
    value: showBytes(record.bytes),
  };
}

/**
 * Bytes of somebody's data, fit for a terminal and a log line: at most 200 characters, control characters and those that
 * turn the direction of text escaped, what is not UTF-8 replaced.
 */
function showBytes(bytes: Uint8Array): string {
  const text = lenient.decode(bytes.subarray(0, MAX_SHOWN * 4));
  let shown = '';
  for (const character of text) {
    const escaped = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(character) ? escapeCharacter(character) : character;
    if (shown.length + escaped.length > MAX_SHOWN) return `${shown}...`;
    shown += escaped;
  }
  return bytes.length > MAX_SHOWN * 4 ? `${shown}...` : shown;
}

function escapeCharacter(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\r') return '\\r';
  if (character === '\t') return '\\t';
  return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}

export function badRecordError(path: string, record: ShownRecord, line: number | null): SluiceError {
  const { offset, place, column, reason, value } = record;
  const at = place ?? (line === null ? `byte ${offset}` : `line ${line} (byte ${offset})`);
  const inColumn = column === null ? '' : `, column '${column}'`;
  const shown = value === '' && place !== null ? '' : `. The record is: ${value}`;
  return new SluiceError('BAD_RECORD', `${path}, ${at}${inColumn}: ${reason}${shown}`, {
    hint: 'correct the file or the schema, or set on_bad_record: skip to leave such records out and count them',
    details: { path, line, offset, place, column, reason, value },
  });
}

export function tooLargeError(
  path: string,
  offset: number,
  maxRecordBytes: number,
  line: number | null,
): SluiceError {
  const at = line === null ? `byte ${offset}` : `line ${line} (byte ${offset})`;
  return new SluiceError(
    'RECORD_TOO_LARGE',
    `${path}, ${at}: the record is longer than max_record_size, ${maxRecordBytes} bytes`,
    {
      hint: 'raise source.max_record_size, or set on_bad_record: skip to leave such records out and count them',
      details: { path, line, offset, maxRecordBytes },
    },
  );
}

/** An error that lacks the line number, which takes reading to find out. */
export interface RecordFailure {
  /** null where the record says its place itself. */
  readonly offset: number | null;
  readonly describe: (line: number | null) => SluiceError;
}

/** A file that cannot be read on. */
export interface Damage {
  readonly error: SluiceError;
  readonly offset: number;
  /** What is kept of it. */
  readonly rest: Uint8Array;
}

/** Errors that are about the rest of a file, not about one record. */
export const REST_CODES: Partial<Record<ErrorCode, BadRecordCode>> = {
  INPUT_CORRUPT: 'file_corrupt',
  BAD_RECORD: 'file_header',
  RECORD_TOO_LARGE: 'too_large',
};
/** Decoders know no file: what they say of one as a whole gets its name here. */
export function withPath(error: SluiceError, path: string): SluiceError {
  const isOfFile = error.code === 'INPUT_CORRUPT' || error.code === 'BAD_RECORD';
  if (!isOfFile || error.message.startsWith(path)) return error;
  const { code, message, hint, details, cause } = error;
  return new SluiceError(code, `${path}: ${message}`, {
    hint: hint ?? 'the file is torn or damaged: replace it, or exclude it',
    details: { ...details, path },
    cause: cause ?? error,
  });
}
