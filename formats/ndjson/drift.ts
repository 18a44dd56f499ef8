/**
 * What the general way of reading objects tells of keys that are in no column and of values that do not fit theirs, where
 * the job wants to know (on_new_field, on_type_mismatch). Functions made for a shape know nothing of it: no shape is
 * learned from an object with a key that is in no column, so such objects always come the general way.
 */
import type { Field, Schema } from '../../lib/core/data-type.ts';
import type { DriftPolicy } from '../../lib/core/decoder.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import { inferSchemaFromJson } from '../inference/infer-json.ts';
import type { RescuedColumn } from '../rescued-column.ts';
import type { RecordProblem } from './record-problem.ts';

const MAX_SETTLED = 10_000;
const utf8 = new TextDecoder();

/** A value in the text, and the top-level key that it stands under. */
export interface DriftedValue {
  readonly key: string;
  readonly start: number;
  readonly end: number;
}

export class ObjectDrift {
  readonly policy: DriftPolicy;
  /** Top-level keys of the record being read that are in no column. */
  unknown: DriftedValue[] = [];
  /** Columns whose values did not fit. */
  misfits: DriftedValue[] = [];
  /** Columns whose values hold objects with keys that are in no column. */
  nested: DriftedValue[] = [];
  /** An object within the value being read has a key that is in no column. */
  nestedUnknown = false;
  touched = false;
  readonly #settled = new Set<string>();

  constructor(policy: DriftPolicy) {
    this.policy = policy;
  }

  beginRecord(): void {
    if (!this.touched) return;
    this.touched = false;
    this.nestedUnknown = false;
    this.unknown = [];
    this.misfits = [];
    this.nested = [];
  }

  /** Whether the record is a bad one for a key that is in no column. */
  get refusesNewField(): boolean {
    return this.touched && this.policy.newField === 'fail' && this.unknown.length + this.nested.length > 0;
  }

  get watchesKeys(): boolean {
    return this.policy.newField !== 'ignore';
  }

  addUnknown(key: string, start: number, end: number): void {
    this.touched = true;
    this.unknown.push({ key, start, end });
  }

  addNested(key: string, start: number, end: number): void {
    this.nested.push({ key, start, end });
  }

  addMisfit(key: string, start: number, end: number): void {
    this.touched = true;
    this.misfits.push({ key, start, end });
  }

  /**
   * The columns that the schema would need for the record, as far as the policy asks for them; null where it goes as it is.
   * @param sample whole lines, the record's first
   */
  needed(schema: Schema, sample: Uint8Array, refused: boolean): Schema | null {
    const { newField, mismatch } = this.policy;
    const keys = new Set<string>();
    if (mismatch === 'widen' && refused) for (const { key } of this.misfits) keys.add(key);
    if (newField === 'evolve' && (!refused || keys.size > 0))
      for (const { key } of [...this.unknown, ...this.nested]) keys.add(key);
    for (const key of this.#settled) keys.delete(key);
    if (keys.size === 0) return null;
    const known = new Set(schema.fields.map(({ name }) => name));
    const isNew = (name: string) => newField === 'evolve' && !known.has(name) && !this.#settled.has(name);
    const fields = seenFields(sample).filter(({ name }) => keys.has(name) || isNew(name));
    return fields.length === 0 ? null : { fields };
  }

  /** The schema will not hold these: they are asked for once, and not again. */
  settle({ fields }: Schema): void {
    for (const { name } of fields) if (this.#settled.size < MAX_SETTLED) this.#settled.add(name);
  }

  /** Keeps what the policy says of the record, which has become this row. */
  rescue(rescued: RescuedColumn, bytes: Uint8Array, row: number): void {
    const { newField, mismatch } = this.policy;
    const kept = [
      ...(newField === 'rescue' ? [...this.unknown, ...this.nested] : []),
      ...(mismatch === 'rescue' ? this.misfits : []),
    ];
    for (const { key, start, end } of kept) rescued.keep(key, utf8.decode(bytes.subarray(start, end)));
    rescued.endRecord(row);
  }

  /** Under `fail`. */
  newFieldProblem(): RecordProblem {
    const [unknown] = this.unknown;
    const key = (unknown ?? this.nested[0])!.key;
    const reason =
      unknown === undefined
        ? `an object in '${key}' has a key that its type has not`
        : `the schema has no column '${key}'`;
    return { code: 'new_field', column: key, reason };
  }
}

/** None where the lines tell nothing. */
function seenFields(sample: Uint8Array): readonly Field[] {
  try {
    return inferSchemaFromJson([sample]).fields;
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'SCHEMA_UNKNOWN') return [];
    throw error;
  }
}
