/** Columns of one value. */
import { appendColumnRows, type Column, Dictionary, DictionaryColumn, emptyColumn } from '../core/column.ts';
import type { DataType } from '../core/data-type.ts';
import { SluiceError } from '../core/errors.ts';
import type { ConstantValue } from '../core/transform-spec.ts';
import { appendValue } from '../core/values.ts';

/** A column of one row. null where the value is none of the type. */
export function oneValue(type: DataType, value: ConstantValue): Column | null {
  const column = emptyColumn(type);
  try {
    appendValue(column, objectOf(type, value));
  } catch (error) {
    if (error instanceof SluiceError || error instanceof SyntaxError) return null;
    throw error;
  }
  return column;
}

/** What `appendValue` takes for a value that is written as YAML. */
function objectOf(type: DataType, value: ConstantValue): unknown {
  switch (type.kind) {
    case 'int64':
      return typeof value === 'string' ? BigInt(value) : value;
    case 'date':
    case 'timestamp':
      return typeof value === 'string' && /^\d{4}-\d\d-\d\d/.test(value) ? new Date(value) : value;
    case 'decimal':
      return String(value);
    case 'list':
    case 'struct':
    case 'binary':
      // Not written in YAML.
      return Symbol('none');
    default:
      return value;
  }
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
