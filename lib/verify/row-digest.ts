/**
 * A digest of rows that does not depend on their order: the sum, modulo 2^128, of a 128-bit hash of each. Rows that are there
 * twice count twice, so a doubled row and a lost one do not cancel out, as they would with an exclusive or.
 */
import { hash } from 'node:crypto';
import type { Batch } from '../core/batch.ts';
import type { Column } from '../core/column.ts';
import type { Schema } from '../core/data-type.ts';
import { canonicalText, type Losses, nested } from './canonical-text.ts';
import { exactValue } from './exact-value.ts';

const LANES = 4;

export interface DigestOptions {
  /** The columns that count; batches may have them with other types, lack some, and have more. */
  readonly schema: Schema;
  /** Columns that had a narrower type once. */
  readonly widened: ReadonlySet<string>;
  readonly losses: Losses;
  /** Rows are compared as the lines that they came in, not value by value. */
  readonly lines: boolean;
}

export class RowDigest {
  readonly #options: DigestOptions;
  /** 32 bits each, the lowest first. */
  readonly #sum = new Float64Array(LANES);
  rows = 0;

  constructor(options: DigestOptions) {
    this.#options = options;
  }

  add(batch: Batch): void {
    this.rows += batch.length;
    if (this.#options.lines && batch.lines !== null) {
      const { bytes, starts, ends } = batch.lines;
      for (let row = 0; row < batch.length; row++) this.#addHash(bytes.subarray(starts[row], ends[row]));
      return;
    }
    const columns = this.#texts(batch);
    for (let row = 0; row < batch.length; row++) this.#addHash(nested(columns.map((texts) => texts(row))));
  }

  get hex(): string {
    return [...this.#sum].reduceRight((text, lane) => text + lane.toString(16).padStart(8, '0'), '');
  }

  #addHash(row: string | Uint8Array): void {
    const bytes = hash('md5', row, 'buffer');
    const sum = this.#sum;
    let carry = 0;
    for (let lane = 0; lane < LANES; lane++) {
      const value = sum[lane]! + bytes.readUInt32LE(lane * 4) + carry;
      carry = value >= 2 ** 32 ? 1 : 0;
      sum[lane] = carry === 1 ? value - 2 ** 32 : value;
    }
  }

  /** Of each column that counts, what gives the text of a row. */
  #texts(batch: Batch): ((row: number) => string | null)[] {
    const { schema, widened, losses } = this.#options;
    return schema.fields.map(({ name, type }) => {
      const index = batch.schema.fields.findIndex((field) => field.name === name);
      if (index === -1) return () => null;
      const from = batch.schema.fields[index]!.type;
      return textsOf(batch.columns[index]!, (value) =>
        canonicalText(value, from, type, widened.has(name), losses),
      );
    });
  }
}

/** Values of a dictionary are looked at once a batch. */
function textsOf(column: Column, textOf: (value: unknown) => string | null): (row: number) => string | null {
  if (column.layout !== 'dictionary') return (row) => textOf(exactValue(column, row));
  const known = new Map<number, string | null>();
  return (row) => {
    if (column.isNull(row)) return null;
    const code = column.codes[row]!;
    const text = known.get(code);
    if (text !== undefined) return text;
    const made = textOf(exactValue(column, row));
    known.set(code, made);
    return made;
  };
}
