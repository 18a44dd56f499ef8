/**
 * Objects into columns, one a field: the record itself, and structs within it. Objects of the usual shape are read by a
 * function made for it; the general way here takes keys in any order, missing, unknown, escaped or several times (the
 * last one counts), white space, and nulls, and gives the same values.
 */
import { SluiceError } from '../../lib/core/errors.ts';
import { StringDictionary } from '../string-dictionary.ts';
import type { ObjectDrift } from './drift.ts';
import { skipString, unescaped, unescapeString } from './json-string.ts';
import type { Mismatch } from './mismatch.ts';
import { compileObject, type ObjectField, type ObjectFunction } from './object-function.ts';
import { keyText, type ObjectShape, ShapeObserver, shapeOfFields } from './object-shape.ts';
import { isNullAt, skipSpace, skipValue } from './skip-value.ts';
import { REFUSED, type ValueReader } from './value-reader.ts';

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const BACKSLASH = 92;
const LETTER_N = 0x6e;
const BRACE_OPEN = 123;
const BRACE_CLOSE = 125;
/** Functions that are made for an object at most. Each costs a millisecond, and starts slow. */
const MAX_SHAPES = 4;
/** Objects of another shape after which a new one is learned, if a quarter of all are such. */
const LEARN_AFTER = 16;

export interface NamedField extends ObjectField {
  readonly name: string;
}

/** Objects within objects say more of a failure than that there was one. */
interface Nested extends ValueReader {
  readonly mismatch: Mismatch | null;
}

export class ObjectReader {
  readonly fields: readonly NamedField[];
  /** Of the object that was refused last; null where it is not JSON. */
  mismatch: Mismatch | null = null;
  /** Each field's key as JSON spells it, with the closing quote. */
  readonly #keys: readonly Uint8Array[];
  /** Codes are the fields' indexes. */
  readonly #keyTable = new StringDictionary();
  /** Which fields had a value in this object. */
  readonly #seen: Uint8Array;
  readonly #observer = new ShapeObserver();
  #function: ObjectFunction | null = null;
  /** As objects usually are. Another one once it was learned. */
  shape: ObjectShape;
  #generate: boolean;
  #learned = false;
  #shapesLeft = MAX_SHAPES;
  #objects = 0;
  #others = 0;
  /** null where nobody wants to know. */
  readonly #drift: ObjectDrift | null;
  /** Whether this is the record itself, not an object within it. */
  readonly #isRecord: boolean;

  /**
   * @param generate whether functions may be made
   * @throws SluiceError JOB_INVALID where two fields have one name, or there are more than 20,000
   */
  constructor(
    fields: readonly NamedField[],
    generate: boolean,
    drift: ObjectDrift | null = null,
    isRecord = true,
  ) {
    this.fields = fields;
    this.#drift = drift;
    this.#isRecord = isRecord;
    this.shape = shapeOfFields(fields.map((field) => field.name));
    this.#keys = fields.map((field) => Uint8Array.of(...keyText(field.name), QUOTE));
    fields.forEach(({ name }, i) => {
      const key = new TextEncoder().encode(name);
      if (this.#keyTable.lookup(key, 0, key.length) === i) return;
      throw new SluiceError('JOB_INVALID', `the schema has too many fields, or '${name}' twice`);
    });
    this.#seen = new Uint8Array(fields.length);
    this.#generate = generate;
  }

  /** @returns the index behind the object, or REFUSED: see `mismatch` */
  read(bytes: Uint8Array, view: DataView, at: number, row: number): number {
    this.#objects++;
    if (this.#function !== null) {
      const end = this.#function(bytes, view, at, row);
      if (end >= 0) return end;
    }
    return this.#readOther(bytes, view, at, row);
  }

  /** Objects were read by somebody else, who takes those of the usual shape only. */
  noteRead(objects: number): void {
    this.#objects += objects;
  }

  #readOther(bytes: Uint8Array, view: DataView, at: number, row: number): number {
    const learning =
      this.#shapesLeft > 0 &&
      (!this.#learned || (++this.#others >= LEARN_AFTER && this.#others * 4 > this.#objects));
    const end = this.#readGeneral(bytes, view, at, row, learning ? this.#observer : null);
    if (learning && end >= 0 && !this.#sawUnknown) this.#learn();
    return end;
  }

  #learn(): void {
    this.shape = this.#observer.shape(this.shape);
    this.#learned = true;
    this.#shapesLeft--;
    this.#function = this.#generate ? compileObject(this.shape, this.fields) : null;
    // Where it is forbidden now it will be so the next time.
    if (this.#function === null) this.#generate = false;
    this.#objects = 0;
    this.#others = 0;
  }

  #readGeneral(
    bytes: Uint8Array,
    view: DataView,
    at: number,
    row: number,
    observer: ShapeObserver | null,
  ): number {
    this.mismatch = null;
    this.#sawUnknown = false;
    if (bytes[at] !== BRACE_OPEN) return REFUSED;
    observer?.begin();
    const { fields } = this;
    const seen = this.#seen.fill(0);
    let mismatches: Map<number, Mismatch> | null = null;
    let expected = 0;
    let next = skipSpace(bytes, at + 1);
    if (bytes[next] === BRACE_CLOSE) next++;
    else {
      for (;;) {
        if (bytes[next] !== QUOTE) return REFUSED;
        const start = next + 1;
        let index = this.#expectedField(bytes, start, expected);
        if (index >= 0) next = start + this.#keys[index]!.length;
        else {
          next = this.#keyEnd(bytes, view, start);
          if (next < 0) return REFUSED;
          index = this.#found;
        }
        observer?.note(bytes, index, start, next - 1);
        next = skipSpace(bytes, next);
        if (bytes[next] !== COLON) return REFUSED;
        next = skipSpace(bytes, next + 1);
        if (index < 0) {
          const valueAt = next;
          next = skipValue(bytes, view, valueAt);
          if (this.#drift?.watchesKeys && next >= 0)
            this.#noteUnknown(this.#drift, bytes, view, start, valueAt, next);
        } else {
          expected = index + 1;
          const valueAt = next;
          next = this.#readField(bytes, view, valueAt, row, index);
          seen[index] = 1;
          if (next >= 0) {
            mismatches?.delete(index);
            if (this.#drift !== null) this.#noteNested(this.#drift, index, valueAt, next);
          } else {
            next = skipValue(bytes, view, valueAt);
            if (
              next >= 0 &&
              this.#drift !== null &&
              this.#keepMisfit(this.#drift, index, valueAt, next, bytes, row)
            )
              mismatches?.delete(index);
            else {
              mismatches ??= new Map();
              if (next >= 0) mismatches.set(index, this.#mismatchOf(index, valueAt, next, bytes));
            }
          }
        }
        if (next < 0) return REFUSED;
        next = skipSpace(bytes, next);
        const byte = bytes[next];
        if (byte === BRACE_CLOSE) {
          next++;
          break;
        }
        if (byte !== COMMA) return REFUSED;
        next = skipSpace(bytes, next + 1);
      }
    }
    for (let i = 0; i < fields.length; i++) {
      if (seen[i] !== 0) continue;
      if (fields[i]!.nullable) fields[i]!.reader.readNull(row);
      else {
        const { name, reader } = fields[i]!;
        mismatches ??= new Map();
        mismatches.set(i, { path: [name], at: null, problem: 'missing', type: reader.column.type });
      }
    }
    if (mismatches === null || mismatches.size === 0) return next;
    this.mismatch = mismatches.values().next().value ?? null;
    return REFUSED;
  }

  /** The object read last had a key that is in no column, and somebody wants to know. */
  #sawUnknown = false;

  #noteUnknown(
    drift: ObjectDrift,
    bytes: Uint8Array,
    view: DataView,
    keyStart: number,
    start: number,
    end: number,
  ): void {
    this.#sawUnknown = true;
    drift.touched = true;
    if (!this.#isRecord) {
      drift.nestedUnknown = true;
      return;
    }
    unescapeString(bytes, view, keyStart);
    const key = Buffer.from(unescaped.bytes.buffer, unescaped.bytes.byteOffset, unescaped.length).toString();
    drift.addUnknown(key, start, end);
  }

  /** The value of a column was read, and an object within it had a key that is in no column. */
  #noteNested(drift: ObjectDrift, index: number, start: number, end: number): void {
    if (!this.#isRecord || !drift.nestedUnknown) return;
    drift.nestedUnknown = false;
    drift.addNested(this.fields[index]!.name, start, end);
  }

  /** @returns whether a value that does not fit is kept beside the row, which has null instead */
  #keepMisfit(
    drift: ObjectDrift,
    index: number,
    start: number,
    end: number,
    bytes: Uint8Array,
    row: number,
  ): boolean {
    const { name, nullable, reader } = this.fields[index]!;
    if (!this.#isRecord || bytes[start] === LETTER_N) return false;
    drift.nestedUnknown = false;
    drift.addMisfit(name, start, end);
    if (drift.policy.mismatch !== 'rescue' || !nullable) return false;
    reader.readNull(row);
    return true;
  }

  #readField(bytes: Uint8Array, view: DataView, at: number, row: number, index: number): number {
    const { nullable, reader } = this.fields[index]!;
    if (bytes[at] !== LETTER_N || !isNullAt(view, at)) return reader.read(bytes, view, at, row);
    if (!nullable) return REFUSED;
    reader.readNull(row);
    return at + 4;
  }

  /** The field whose key stands at `start` if that is the one expected there; -1 otherwise. */
  #expectedField(bytes: Uint8Array, start: number, expected: number): number {
    const key = this.#keys[expected];
    if (key === undefined) return -1;
    for (let i = 0; i < key.length; i++) if (bytes[start + i] !== key[i]) return -1;
    return expected;
  }

  /** What `#keyEnd` found: the index of a field, or -1. */
  #found = -1;

  /** Looks a key up. @returns the index behind its closing quote, or REFUSED */
  #keyEnd(bytes: Uint8Array, view: DataView, start: number): number {
    const end = skipString(bytes, view, start);
    if (end < 0) return REFUSED;
    let at = start;
    while (at < end && bytes[at] !== BACKSLASH) at++;
    if (at === end) this.#found = this.#keyTable.codeOf(bytes, start, end - 1);
    else {
      unescapeString(bytes, view, start);
      this.#found = this.#keyTable.codeOf(unescaped.bytes, 0, unescaped.length);
    }
    return end;
  }

  #mismatchOf(index: number, start: number, end: number, bytes: Uint8Array): Mismatch {
    const { name, reader } = this.fields[index]!;
    const inner = 'mismatch' in reader ? (reader as Nested).mismatch : null;
    if (inner !== null && bytes[start] === BRACE_OPEN) return { ...inner, path: [name, ...inner.path] };
    const isNull = bytes[start] === LETTER_N;
    return {
      path: [name],
      at: { start, end },
      problem: isNull ? 'null' : 'unfit',
      type: reader.column.type,
    };
  }
}
