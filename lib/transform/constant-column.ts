/** Columns of one value. */
import { fixedParser } from '../../formats/scalars/scalar-parser.ts';
import {
  appendColumnRows,
  type Column,
  Dictionary,
  DictionaryColumn,
  emptyColumn,
  FixedColumn,
} from '../core/column.ts';
import type { DataType } from '../core/data-type.ts';
import { SluiceError } from '../core/errors.ts';
import type { ConstantValue } from '../core/transform-spec.ts';
import { appendValue } from '../core/values.ts';

/** Of a number that YAML holds, the digits that are surely those of the job file. */
const EXACT_DIGITS = 15;

/**
 * A column of one row. null where the value is none of the type. Text is read as CSV and `cast` read it: a constant is what
 * a column of such text would be, on every machine.
 */
export function oneValue(type: DataType, value: ConstantValue): Column | null {
  const column = emptyColumn(type);
  const parser = fixedParser(type);
  // Through the parser, a number beyond a float is refused, and not infinite.
  if (typeof value === 'string' || type.kind === 'float32') {
    if (parser !== null && column instanceof FixedColumn) {
      column.reserve(1);
      const bytes = Buffer.from(String(value));
      if (!parser(bytes, 0, bytes.length, column, 0)) return null;
      column.length = 1;
      return column;
    }
  }
  // Binary, lists and structs are not written in YAML.
  if (type.kind === 'binary' || type.kind === 'list' || type.kind === 'struct') return null;
  if (type.kind === 'json' && value === '') return null;
  if (mayBeRounded(type, value)) return null;
  try {
    appendValue(column, value);
  } catch (error) {
    if (error instanceof SluiceError) return null;
    throw error;
  }
  return column;
}

/** Whether YAML may have rounded a number that the type holds exactly: then only text says what is meant. */
export function mayBeRounded({ kind }: DataType, value: ConstantValue): boolean {
  if (typeof value !== 'number' || (kind !== 'int64' && kind !== 'decimal')) return false;
  if (Number.isSafeInteger(value)) return false;
  const [digits = ''] = String(Math.abs(value)).split('e');
  return Number.isInteger(value) || digits.replace('.', '').replace(/^0+/, '').length > EXACT_DIGITS;
}

/** Makes columns of any length of one value: text is a code into a dictionary. */
export class ConstantColumn {
  readonly #value: Column;
  readonly #dictionary: Dictionary | null = null;
  #column: Column;
  #zeros = new Int32Array(0);

  constructor(value: Column) {
    this.#value = value;
    this.#column = emptyColumn(value.type);
    if (value.layout !== 'bytes') return;
    this.#dictionary = new Dictionary();
    this.#dictionary.push(value.bytes, 0, value.offsets[1]!);
  }

  /** Valid until the next call. */
  rows(rows: number): Column {
    if (this.#dictionary !== null) {
      const column = new DictionaryColumn(this.#value.type, rows, this.#dictionary);
      column.length = rows;
      return column;
    }
    if (this.#zeros.length < rows) this.#zeros = new Int32Array(rows * 2);
    if (this.#column.length < rows)
      this.#column = appendColumnRows(this.#column, this.#value, this.#zeros, 0, rows - this.#column.length);
    const { length } = this.#column;
    if (length === rows) return this.#column;
    return appendColumnRows(emptyColumn(this.#value.type, rows), this.#value, this.#zeros, 0, rows);
  }
}
