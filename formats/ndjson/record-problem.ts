/** Why a line is no record of the schema, for people. Runs for refused lines only, so it may look at them once more. */
import { isUtf8 } from 'node:buffer';
import { formatDataType } from '../../lib/core/data-type.ts';
import type { BadRecordCode } from '../../lib/core/decoder.ts';
import type { Mismatch } from './mismatch.ts';
import { MAX_DEPTH, skipSpace, skipValue, TOO_DEEP } from './skip-value.ts';

/** Characters of a value that a message shows. */
const MAX_SHOWN = 100;
const BRACE_OPEN = 123;
const LINE_FEED = 10;
const lenient = new TextDecoder('utf-8', { ignoreBOM: true });

export interface RecordProblem {
  readonly code: BadRecordCode;
  /** The top-level field. */
  readonly column: string | null;
  readonly reason: string;
}

/**
 * @param start the line's first byte @param end of its line feed
 * @param mismatch what reading the object said
 */
export function recordProblem(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  mismatch: Mismatch | null,
  tooManyItems: boolean,
): RecordProblem {
  const first = skipSpace(bytes, start);
  const valueEnd = skipValue(bytes, view, first);
  if (valueEnd === TOO_DEEP)
    return { code: 'too_large', column: null, reason: `values are nested deeper than ${MAX_DEPTH}` };
  const wrongAt = valueEnd < 0 ? ~valueEnd : skipSpace(bytes, valueEnd);
  if (wrongAt < end || valueEnd < 0) {
    return notJson(bytes, start, end, wrongAt);
  }
  if (bytes[first] !== BRACE_OPEN) {
    return { code: 'malformed', column: null, reason: `${shown(bytes, first, valueEnd)} is not an object` };
  }
  if (tooManyItems) return { code: 'too_large', column: null, reason: 'a list has too many items' };
  if (mismatch === null)
    return { code: 'type_mismatch', column: null, reason: 'the record does not fit the schema' };
  return mismatchProblem(bytes, mismatch);
}

function mismatchProblem(bytes: Uint8Array, mismatch: Mismatch): RecordProblem {
  const { path, at, problem, type } = mismatch;
  const column = path[0]!;
  const within = path.length === 1 ? '' : `${path.join('.')}: `;
  if (at === null) {
    return {
      code: 'null_value',
      column,
      reason: `${within}there is no value, and the column may not be null`,
    };
  }
  if (problem === 'null')
    return { code: 'null_value', column, reason: `${within}null, and the column may not be null` };
  return {
    code: 'type_mismatch',
    column,
    reason: `${within}${shown(bytes, at.start, at.end)} does not fit ${formatDataType(type)}`,
  };
}

function notJson(bytes: Uint8Array, start: number, end: number, at: number): RecordProblem {
  const place = `at byte ${at - start} of the record`;
  const malformed = (reason: string): RecordProblem => ({ code: 'malformed', column: null, reason });
  if (at >= end || bytes[at] === LINE_FEED) return malformed('not JSON: it ends too early');
  const byte = bytes[at]!;
  if (byte >= 0x80 && !isUtf8(bytes.subarray(start, end)))
    return { code: 'not_utf8', column: null, reason: `not UTF-8 ${place}` };
  if (byte >= 0x80 || byte < 0x20) return malformed(`not JSON: unexpected byte 0x${hex(byte)} ${place}`);
  return malformed(`not JSON: unexpected '${String.fromCharCode(byte)}' ${place}`);
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

function shown(bytes: Uint8Array, start: number, end: number): string {
  const text = Array.from(lenient.decode(bytes.subarray(start, Math.min(end, start + 4 * MAX_SHOWN))));
  const cut = text.slice(0, MAX_SHOWN).join('');
  return cut.length < text.length || end - start > 4 * MAX_SHOWN ? `${cut}...` : cut;
}
