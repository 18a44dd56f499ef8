/**
 * The decoders' inner loops as a WebAssembly module: lines of NDJSON or CSV into columns, sixteen bytes at a time.
 *
 * It reads rows that are as expected, one after the other, and stops at the first that is not; the host reads that one in
 * JavaScript, which knows all of the format, and calls again. So nothing here has to be complete, only right: whatever
 * is accepted has to be what the host would have made of it.
 *
 * A row's slot is the only state: a row that was given up half way is written over.
 */
import { delimiter, equalBytes, setDelimiter } from './blocks';
import { skipField } from './fields';
import {
  CHILD,
  CHILD_COUNT,
  FIELD_BYTES,
  HAS_NULLS,
  KIND,
  KIND_BOOLEAN,
  KIND_BYTES,
  KIND_CODES,
  KIND_DATE,
  KIND_FLOAT32,
  KIND_FLOAT64,
  KIND_INT32,
  KIND_INT64,
  KIND_JSON,
  KIND_LIST,
  KIND_MICROS,
  KIND_MILLIS,
  KIND_SKIP,
  KIND_STRUCT,
  LEAD,
  LEAD_BYTES,
  NULLABLE,
  NULLS,
  SHIFT,
  SLOTS,
} from './layout';
import { double, integer, readDouble, readInteger } from './numbers';
import { skipAny, skipSpace, skipValue } from './skip';
import { insertEntry, readBytes, readCode, setSeed } from './strings';
import { day, instant, readDate, readTimestamp } from './times';

export { insertEntry, setDelimiter, setSeed };

/** Rows read by the last call. */
export let rows: i32 = 0;
/** Where lines begin and end, a word a row each; 0 where nobody wants to know. */
let lineStarts: usize = 0;
let lineEnds: usize = 0;
/** From an address of the input to what is noted of it. */
let lineShift: i32 = 0;
/** Whether a blank follows commas, as in what Python writes. */
export let blankAfterComma: i32 = 0;

export function setLines(starts: usize, ends: usize): void {
  lineStarts = starts;
  lineEnds = ends;
}

export function setLineShift(shift: i32): void {
  lineShift = shift;
}

export function setBlankAfterComma(blank: i32): void {
  blankAfterComma = blank;
}

/**
 * Reads NDJSON from `at` until `end`, where a line ended, or until `maxRows` rows are read.
 * @returns where the first line that was not read begins
 */
export function readJson(plan: usize, count: i32, at: usize, end: usize, maxRows: i32): usize {
  let row = 0;
  while (at < end && row < maxRows) {
    let next = readObject(plan, count, at, row);
    if (next == 0) break;
    if (lineStarts != 0) noteLine(row, at, next);
    if (load<u8>(next) == 13) next++;
    if (load<u8>(next) != 10) break;
    at = next + 1;
    row++;
  }
  rows = row;
  return at;
}

/** The same for CSV: fields without quotes. */
export function readCsv(plan: usize, count: i32, at: usize, end: usize, maxRows: i32): usize {
  let row = 0;
  while (at < end && row < maxRows) {
    let next = readRecord(plan, count, at, row);
    if (next == 0) break;
    if (lineStarts != 0) noteLine(row, at, next);
    if (load<u8>(next) == 13) next++;
    if (load<u8>(next) != 10) break;
    at = next + 1;
    row++;
  }
  rows = row;
  return at;
}

// @ts-ignore: decorator
@inline
function noteLine(row: i32, start: usize, end: usize): void {
  store<i32>(lineStarts + (<usize>row << 2), <i32>start + lineShift);
  store<i32>(lineEnds + (<usize>row << 2), <i32>end + lineShift);
}

/** @returns behind the closing brace, or 0 */
function readObject(plan: usize, count: i32, at: usize, row: i32): usize {
  if (load<u8>(at) != 123) return 0;
  at++;
  let field = plan;
  const stop = plan + <usize>count * FIELD_BYTES;
  let ended = load<u8>(at) == 125;
  while (field < stop) {
    const length = load<i32>(field, LEAD_BYTES);
    if (!ended && equalBytes(at, <usize>load<u32>(field, LEAD), length)) {
      at += length;
      const kind = load<i32>(field, KIND);
      if (kind == KIND_SKIP) {
        at = skipAny(at);
        if (at == 0) return 0;
      } else if (load<u32>(at) == 0x6c6c756e && load<i32>(field, NULLABLE) != 0) {
        setNull(field, row);
        at += 4;
      } else {
        at = readJsonValue(field, kind, at, row);
        if (at == 0) return 0;
      }
      const byte = load<u8>(at);
      if (byte == 125) ended = true;
      else if (byte != 44) return 0;
      else {
        at++;
        if (blankAfterComma != 0 && load<u8>(at) == 32) at++;
        // A comma has a key behind it.
        if (load<u8>(at) != 34) return 0;
      }
    } else {
      if (load<i32>(field, NULLABLE) == 0) return 0;
      setNull(field, row);
    }
    field += FIELD_BYTES;
  }
  return ended ? at + 1 : 0;
}

function setNull(field: usize, row: i32): void {
  const kind = load<i32>(field, KIND);
  if (kind == KIND_SKIP) return;
  store<u8>(<usize>load<u32>(field, NULLS) + row, 1);
  store<i32>(field, 1, HAS_NULLS);
  const slots = <usize>load<u32>(field, SLOTS);
  switch (kind) {
    case KIND_BOOLEAN:
      store<u8>(slots + row, 0);
      break;
    case KIND_INT32:
    case KIND_FLOAT32:
    case KIND_DATE:
    case KIND_CODES:
      store<i32>(slots + (<usize>row << 2), 0);
      break;
    case KIND_BYTES:
    case KIND_JSON:
    case KIND_LIST:
      store<i32>(slots + (<usize>row << 2), load<i32>(slots + (<usize>row << 2)), 4);
      break;
    case KIND_STRUCT: {
      let child = <usize>load<u32>(field, CHILD);
      const stop = child + <usize>load<u32>(field, CHILD_COUNT) * FIELD_BYTES;
      for (; child < stop; child += FIELD_BYTES) setNull(child, row);
      break;
    }
    default:
      store<i64>(slots + (<usize>row << 3), 0);
  }
}

/** @returns behind the value, or 0 */
// @ts-ignore: decorator
@inline
function readJsonValue(field: usize, kind: i32, at: usize, row: i32): usize {
  if (kind == KIND_LIST) return readList(field, at, row);
  if (kind == KIND_STRUCT) return readObject(<usize>load<u32>(field, CHILD), load<i32>(field, CHILD_COUNT), at, row);
  return readJsonScalar(field, kind, at, row);
}

function readJsonScalar(field: usize, kind: i32, at: usize, row: i32): usize {
  switch (kind) {
    case KIND_JSON:
      return readJsonText(field, at, row);
    case KIND_CODES:
    case KIND_BYTES: {
      if (load<u8>(at) != 34) return 0;
      const end = kind == KIND_CODES ? readCode<i32>(field, at + 1, row) : readBytes<i32>(field, at + 1, row);
      return end == 0 || load<u8>(end) != 34 ? 0 : end + 1;
    }
    case KIND_MILLIS:
    case KIND_MICROS: {
      if (load<u8>(at) != 34) return readFixed(field, KIND_INT64, at, row);
      const end = readFixed(field, kind, at + 1, row);
      return end == 0 || load<u8>(end) != 34 ? 0 : end + 1;
    }
    case KIND_DATE: {
      if (load<u8>(at) != 34) return 0;
      const end = readFixed(field, kind, at + 1, row);
      return end == 0 || load<u8>(end) != 34 ? 0 : end + 1;
    }
    default:
      return readFixed(field, kind, at, row);
  }
}

/** A value of fixed width, as both formats spell it. @returns behind it, or 0 */
function readFixed(field: usize, kind: i32, at: usize, row: i32): usize {
  const slots = <usize>load<u32>(field, SLOTS);
  let next: usize;
  switch (kind) {
    case KIND_INT32: {
      next = readInteger(at);
      if (<i64>(<i32>integer) != integer) return 0;
      store<i32>(slots + (<usize>row << 2), <i32>integer);
      return next;
    }
    case KIND_INT64: {
      next = readInteger(at);
      store<i64>(slots + (<usize>row << 3), integer);
      return next;
    }
    case KIND_FLOAT64: {
      next = readDouble(at);
      store<f64>(slots + (<usize>row << 3), double);
      return next;
    }
    case KIND_FLOAT32: {
      next = readDouble(at);
      store<f32>(slots + (<usize>row << 2), <f32>double);
      return <f32>double - <f32>double == 0 ? next : 0;
    }
    case KIND_MILLIS: {
      next = readTimestamp(at, 3);
      store<i64>(slots + (<usize>row << 3), instant);
      return next;
    }
    case KIND_MICROS: {
      next = readTimestamp(at, 6);
      store<i64>(slots + (<usize>row << 3), instant);
      return next;
    }
    case KIND_DATE: {
      next = readDate(at);
      store<i32>(slots + (<usize>row << 2), day);
      return next;
    }
    case KIND_BOOLEAN: {
      const isTrue = load<u32>(at) == 0x65757274;
      if (!isTrue && (load<u8>(at) != 0x66 || load<u32>(at, 1) != 0x65736c61)) return 0;
      store<u8>(slots + row, isTrue ? 1 : 0);
      return isTrue ? at + 4 : at + 5;
    }
    default:
      return 0;
  }
}

/** Any value as it stands. */
function readJsonText(field: usize, at: usize, row: i32): usize {
  const end = skipValue(at);
  if (end == 0) return 0;
  const offsets = <usize>load<u32>(field, SLOTS) + (<usize>row << 2);
  const offset = load<i32>(offsets);
  memory.copy(<usize>(offset + load<i32>(field, SHIFT)), at, end - at);
  store<i32>(offsets, offset + <i32>(end - at), 4);
  return end;
}

/** A list of scalars, none of them null. */
function readList(field: usize, at: usize, row: i32): usize {
  if (load<u8>(at) != 91) return 0;
  at++;
  const offsets = <usize>load<u32>(field, SLOTS) + (<usize>row << 2);
  const first = load<i32>(offsets);
  const child = <usize>load<u32>(field, CHILD);
  const kind = load<i32>(child, KIND);
  let item = first + load<i32>(field, SHIFT);
  const before = item;
  if (load<u8>(at) == 93) at++;
  else {
    while (true) {
      at = readJsonScalar(child, kind, at, item++);
      if (at == 0) return 0;
      const byte = load<u8>(at++);
      if (byte == 93) break;
      if (byte != 44) return 0;
      at = skipSpace(at);
    }
  }
  store<i32>(offsets, first + item - before, 4);
  return at;
}

/** @returns where the record's line ends, or 0 */
function readRecord(plan: usize, count: i32, at: usize, row: i32): usize {
  let field = plan;
  const separator = <u8>delimiter;
  let left = count;
  // A blank line is no record.
  if (load<u8>(at) == 10 || load<u8>(at) == 13) return 0;
  while (true) {
    const byte = load<u8>(at);
    if (byte == 34 || byte == 13 || byte == 10 || byte == separator) {
      // A quoted field is the host's; an empty one is null.
      if (byte == 34 || load<i32>(field, NULLABLE) == 0) return 0;
      setNull(field, row);
    } else {
      const kind = load<i32>(field, KIND);
      if (kind == KIND_CODES) at = readCode<i64>(field, at, row);
      else if (kind == KIND_BYTES) at = readBytes<i64>(field, at, row);
      else if (kind == KIND_SKIP) at = skipField(at);
      else at = readFixed(field, kind, at, row);
      if (at == 0) return 0;
    }
    if (--left == 0) return at;
    if (load<u8>(at) != separator) return 0;
    at++;
    field += FIELD_BYTES;
  }
}
