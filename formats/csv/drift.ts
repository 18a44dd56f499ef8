/** What of a CSV file the schema does not hold: columns that are not in it, values that are not of their column's type. */
import { isUtf8 } from 'node:buffer';
import type { Column } from '../../lib/core/column.ts';
import type { Schema } from '../../lib/core/data-type.ts';
import { type DecoderOptions, type DriftPolicy, NO_DRIFT, RESCUED_COLUMN } from '../../lib/core/decoder.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import { inferSchemaFromCsv } from '../inference/infer-csv.ts';
import { RescuedColumn } from '../rescued-column.ts';
import type { CsvSpec } from './spec.ts';

const LINE_FEED = 10;
/** Input that new columns' types are inferred from. */
const SEEN_BYTES = 256 * 1024;
const MAX_SETTLED = 10_000;

export class CsvDrift {
  readonly #policy: DriftPolicy;
  readonly #spec: CsvSpec;
  /** Where `_rescued` stands in the schema; -1 where it has none. */
  readonly #rescuedAt: number;
  readonly #rescued: RescuedColumn | null;
  /** The schema's columns, but for `_rescued`. */
  readonly fields: Schema['fields'];
  /** Of the file: all, and those that the schema does not have, where that matters. */
  #names: readonly string[] = [];
  #newNames: readonly string[] = [];
  /** Of the record being read: columns whose values did not fit, under `widen`. */
  #misfits: string[] = [];
  /** Fields that the schema will not hold: asked for once, and not again. */
  readonly #settled = new Set<string>();
  /** See `Decoder.drift`. */
  needed: Schema | null = null;

  constructor({ schema, batchRows, drift = NO_DRIFT }: DecoderOptions, spec: CsvSpec) {
    this.#policy = drift;
    this.#spec = spec;
    const watches = drift.newField !== 'ignore' || drift.mismatch !== 'refuse';
    this.#rescuedAt = watches ? schema.fields.findIndex(({ name }) => name === RESCUED_COLUMN) : -1;
    this.#rescued = this.#rescuedAt === -1 ? null : new RescuedColumn(batchRows);
    this.fields = schema.fields.filter((_, index) => index !== this.#rescuedAt);
  }

  begin(): void {
    this.needed = null;
    this.#rescued?.clear();
  }

  /** The columns of the file are known. @throws SluiceError NEW_FIELD under that policy */
  bind(names: readonly string[]): void {
    this.#names = names;
    this.#newNames = [];
    if (this.#policy.newField === 'ignore') return;
    const known = new Set(this.fields.map(({ name }) => name));
    this.#newNames = names.filter((name) => name !== '' && !known.has(name));
    const [first] = this.#newNames;
    if (first === undefined || this.#policy.newField !== 'fail') return;
    throw new SluiceError('NEW_FIELD', `the file has a column '${first}', and the schema has not`, {
      hint: 'add it to the schema, or choose on_new_field: ignore, rescue or evolve',
      details: { columns: this.#newNames },
    });
  }

  /** Whether values of columns that the schema does not have are wanted. */
  get keepsNewFields(): boolean {
    return this.#policy.newField === 'rescue' && this.#newNames.length > 0;
  }

  /** Whether columns that the schema does not have are no loss: they are rescued, or get into it. */
  get keepsOthers(): boolean {
    return this.#policy.newField !== 'ignore';
  }

  /** Whether bytes[start, to), the file's records, have to wait for a schema with its new columns. */
  stopsAtFile(bytes: Uint8Array, start: number, to: number): boolean {
    if (this.#policy.newField !== 'evolve' || this.#newNames.length === 0 || start >= to) return false;
    if (this.#needs(bytes, start, to, this.#newNames)) return true;
    this.#newNames = [];
    return false;
  }

  /** Whether the record at `start` has to wait for a schema with wider columns. */
  stopsAtRecord(bytes: Uint8Array, start: number, to: number): boolean {
    return this.#misfits.length > 0 && this.#needs(bytes, start, to, this.#misfits);
  }

  beginRecord(): void {
    if (this.#misfits.length > 0) this.#misfits = [];
    this.#rescued?.beginRecord();
  }

  /**
   * A value of a column that the schema does not have.
   * @returns its name where the value is wanted and cannot be kept, as JSON holds no bytes that are not UTF-8
   */
  newValue(field: number, bytes: Uint8Array, start: number, end: number): string | null {
    if (this.#policy.newField !== 'rescue') return null;
    const name = this.#names[field]!;
    return this.#keep(name, bytes, start, end) ? null : name;
  }

  /** A value that does not fit. @returns whether it is kept, so that the row has null in its place */
  misfit(name: string, nullable: boolean, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#policy.mismatch === 'widen') this.#misfits.push(name);
    if (this.#policy.mismatch !== 'rescue' || !nullable) return false;
    return this.#keep(name, bytes, start, end);
  }

  endRecord(row: number): void {
    this.#rescued?.endRecord(row);
  }

  /** Puts `_rescued` where it belongs among a batch's columns. */
  finish(columns: Column[], rows: number): void {
    if (this.#rescued === null) return;
    columns.splice(this.#rescuedAt, 0, this.#rescued.finish(rows));
    this.#rescued.clear();
  }

  pass(): void {
    for (const { name } of this.needed?.fields ?? [])
      if (this.#settled.size < MAX_SETTLED) this.#settled.add(name);
    this.needed = null;
  }

  /** @returns whether it could be: what is not UTF-8 would come back as other text */
  #keep(name: string, bytes: Uint8Array, start: number, end: number): boolean {
    const value = bytes.subarray(start, end);
    if (!isUtf8(value)) return false;
    this.#rescued?.keep(name, JSON.stringify(Buffer.from(value).toString()));
    return true;
  }

  #needs(bytes: Uint8Array, start: number, to: number, names: readonly string[]): boolean {
    const wanted = names.filter((name) => !this.#settled.has(name));
    if (wanted.length === 0) return false;
    const { delimiter, quote } = this.#spec;
    const quoted = this.#names.map((name) => quote + name.replaceAll(quote, quote + quote) + quote);
    const window = bytes.subarray(start, Math.min(to, start + SEEN_BYTES));
    // Whole records, but for the only one there is.
    const end = window.lastIndexOf(LINE_FEED) + 1;
    const sample = Buffer.concat([
      Buffer.from(`${quoted.join(delimiter)}\n`),
      end === 0 ? window : window.subarray(0, end),
      Buffer.from('\n'),
    ]);
    const { fields } = inferSchemaFromCsv([{ bytes: sample, isWhole: true }], {
      ...this.#spec,
      header: true,
    });
    const needed = fields.filter(({ name }) => wanted.includes(name));
    if (needed.length === 0) return false;
    this.needed = { fields: needed };
    return true;
  }
}
