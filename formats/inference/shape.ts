/**
 * What values of a column looked like, and the type that holds all of them. Shapes of many records merge, in any order,
 * to the same result. int32 is never inferred, and every inferred column is nullable: a sample cannot prove either.
 */
import type { DataType, Field } from '../../lib/core/data-type.ts';
import type { ColumnEvidence, KindEvidence } from '../../lib/core/decoder.ts';
import { daysOfMonth } from '../scalars/date.ts';

export type { ColumnEvidence } from '../../lib/core/decoder.ts';

export type Kind =
  | 'boolean'
  | 'integer'
  | 'big-integer'
  | 'huge-integer'
  | 'float'
  | 'date'
  | 'timestamp-ms'
  | 'timestamp-us'
  | 'string'
  | 'list'
  | 'object';

/** Values of one kind. */
interface Evidence {
  values: number;
  readonly samples: string[];
}

/** Distinct values shown of each kind. */
const MAX_SAMPLES = 3;
/** Objects with more keys are maps whose keys are data: they become json. */
const MAX_STRUCT_FIELDS = 100;
/** Nested deeper than this, values are kept as json. */
const MAX_DEPTH = 8;

export class Shape {
  readonly #kinds = new Map<Kind, Evidence>();
  #element: Shape | null = null;
  /** Of objects, in the order of first sight. */
  readonly #fields = new Map<string, Shape>();

  /** A value of this kind was seen. Nulls are not told: they change nothing. */
  see(kind: Kind, sample: string | null = null): void {
    const seen = this.#kinds.get(kind);
    if (seen === undefined) this.#kinds.set(kind, { values: 1, samples: sample === null ? [] : [sample] });
    else {
      seen.values++;
      if (sample !== null && seen.samples.length < MAX_SAMPLES && !seen.samples.includes(sample))
        seen.samples.push(sample);
    }
  }

  /** What was seen, most often first. */
  get evidence(): readonly KindEvidence[] {
    return [...this.#kinds]
      .map(([kind, { values, samples }]) => ({ kind, values, samples }))
      .sort((a, b) => b.values - a.values);
  }

  /** The shape of a list's elements. */
  element(): Shape {
    this.#element ??= new Shape();
    return this.#element;
  }

  /** The shape of a key's values; null once there are too many keys. */
  field(name: string): Shape | null {
    let field = this.#fields.get(name);
    if (field === undefined) {
      if (this.#fields.size > MAX_STRUCT_FIELDS) return null;
      field = new Shape();
      this.#fields.set(name, field);
    }
    return field;
  }

  /** Of records that are objects of this shape. */
  columns(records: number): ColumnEvidence[] {
    return [...this.#fields].map(([name, shape]) => ({ name, records, kinds: shape.evidence }));
  }

  /** Columns of records that are objects of this shape. */
  fields(depth = 0): Field[] {
    return [...this.#fields].map(([name, shape]) => ({ name, type: shape.type(depth), nullable: true }));
  }

  type(depth = 0): DataType {
    const kinds = this.#kinds;
    const only = (...allowed: Kind[]) => [...kinds.keys()].every((kind) => allowed.includes(kind));
    if (kinds.size === 0) return { kind: 'string' };
    if (only('boolean')) return { kind: 'boolean' };
    if (only('integer', 'big-integer')) return { kind: 'int64' };
    // Integers beyond 2^53 beside fractions fit no number type without losing digits: json keeps them as they are.
    if (only('integer', 'float')) return { kind: 'float64' };
    if (only('date')) return { kind: 'date' };
    if (only('date', 'timestamp-ms')) return { kind: 'timestamp', unit: 'ms' };
    if (only('date', 'timestamp-ms', 'timestamp-us')) return { kind: 'timestamp', unit: 'us' };
    if (only('string', 'date', 'timestamp-ms', 'timestamp-us')) return { kind: 'string' };
    if (depth >= MAX_DEPTH) return { kind: 'json' };
    if (only('list')) return { kind: 'list', element: this.#element?.type(depth + 1) ?? { kind: 'string' } };
    const isStruct = only('object') && this.#fields.size > 0 && this.#fields.size <= MAX_STRUCT_FIELDS;
    return isStruct ? { kind: 'struct', fields: this.fields(depth + 1) } : { kind: 'json' };
  }
}

const INT64_MAX = 2n ** 63n - 1n;

/** Of a number as JSON spells it. */
export function numberKind(text: string): Kind {
  if (!/^-?\d+$/.test(text)) return 'float';
  if (text.length <= 15) return 'integer';
  const value = BigInt(text);
  if (value > INT64_MAX || value < -INT64_MAX - 1n) return 'huge-integer';
  return value >= -(2n ** 53n) && value <= 2n ** 53n ? 'integer' : 'big-integer';
}

/** Of the characters. */
const ZERO = 0x30;
const NINE = 0x39;
const DATE = /^\d{4}-\d\d-\d\d$/;
const TIMESTAMP =
  /^\d{4}-\d\d-\d\d[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.(\d{1,9}))?)?(?:Z|[+-]\d\d:?\d\d)?$/;

/** Of a text: what it could be read as. */
export function textKind(text: string): Kind {
  if (text.length > 40 || !(text.charCodeAt(0) <= NINE)) return 'string';
  if (text.length === 10) return DATE.test(text) && beginsWithDay(text) ? 'date' : 'string';
  const timestamp = TIMESTAMP.exec(text);
  if (timestamp === null || !beginsWithDay(text)) return 'string';
  return (timestamp[1]?.length ?? 0) > 3 ? 'timestamp-us' : 'timestamp-ms';
}

/** Whether the calendar has the day `yyyy-MM-dd` that a text begins with. */
function beginsWithDay(text: string): boolean {
  const year = pair(text, 0) * 100 + pair(text, 2);
  const month = pair(text, 5);
  const day = pair(text, 8);
  return month >= 1 && month <= 12 && day >= 1 && day <= daysOfMonth(year, month);
}

/** The number of the two digits at `at`. */
function pair(text: string, at: number): number {
  return (text.charCodeAt(at) - ZERO) * 10 + text.charCodeAt(at + 1) - ZERO;
}
