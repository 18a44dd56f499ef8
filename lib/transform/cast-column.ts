/**
 * `cast`: a value is written as text and read as the other type, by the rules by which CSV is written and read. So what a
 * cast gives is what a detour over a file would, and a value that the other type cannot hold exactly does not fit (2.5 is no
 * int64, 2.0 is).
 */

import { textWriter } from '../../formats/encoding/text-writers.ts';
import type { ValueWriter } from '../../formats/encoding/value-writer.ts';
import { parseBoolean } from '../../formats/scalars/boolean.ts';
import { fixedParser } from '../../formats/scalars/scalar-parser.ts';
import { ByteBuffer } from '../core/byte-buffer.ts';
import { BitsColumn, BytesColumn, type Column, emptyColumn, FixedColumn } from '../core/column.ts';
import { type DataType, formatDataType, sameType } from '../core/data-type.ts';
import { SluiceError } from '../core/errors.ts';
import type { CastSpec } from '../core/transform-spec.ts';

const DATE_CHARACTERS = 10;
const QUOTED_CHARACTERS = 100;

export function canCast(from: DataType, to: DataType): boolean {
  if (sameType(from, to)) return true;
  const scalar = ({ kind }: DataType) => !['list', 'struct', 'binary', 'json'].includes(kind);
  return scalar(from) && scalar(to) ? true : to.kind === 'string' && from.kind !== 'binary';
}

export class ColumnCast {
  readonly #name: string;
  readonly #from: DataType;
  readonly #spec: CastSpec;
  readonly #writer: ValueWriter;
  readonly #text = new ByteBuffer(64);

  constructor(name: string, from: DataType, spec: CastSpec) {
    this.#name = name;
    this.#from = from;
    this.#spec = spec;
    this.#writer = textWriter(from, 'standard');
  }

  /** @param path of the file that the rows are of, for errors @throws SluiceError BAD_RECORD under `fail` */
  cast(column: Column, rows: number, path: string): Column {
    const { type } = this.#spec;
    const out = emptyColumn(type, rows);
    const parse = this.#parserInto(out);
    const text = this.#text;
    this.#writer.bind(column);
    for (let row = 0; row < rows; row++) {
      if (column.isNull(row)) {
        this.#setNull(out, row);
        continue;
      }
      text.clear();
      this.#writer.write(row, text);
      const length = this.#from.kind === 'timestamp' && type.kind === 'date' ? DATE_CHARACTERS : text.length;
      if (parse(text.bytes, length, row)) continue;
      if (this.#spec.onError === 'fail') throw this.#misfit(Buffer.from(text.view()).toString(), path);
      this.#setNull(out, row);
    }
    out.length = rows;
    return out;
  }

  #parserInto(out: Column): (bytes: Uint8Array, length: number, row: number) => boolean {
    if (out instanceof BytesColumn) {
      return (bytes, length, row) => {
        out.length = row;
        out.push(bytes.subarray(0, length));
        return true;
      };
    }
    if (out instanceof BitsColumn) return (bytes, length, row) => parseBoolean(bytes, 0, length, out, row);
    const parser = fixedParser(out.type);
    if (parser === null || !(out instanceof FixedColumn))
      throw new SluiceError('INTERNAL', `there is no cast to ${formatDataType(out.type)}`);
    return (bytes, length, row) => parser(bytes, 0, length, out, row);
  }

  #setNull(out: Column, row: number): void {
    if (out.layout === 'bytes') out.offsets[row + 1] = out.offsets[row]!;
    out.setNull(row);
  }

  #misfit(text: string, path: string): SluiceError {
    return new SluiceError(
      'BAD_RECORD',
      `${path}: a value of the column '${this.#name}' cannot be cast to ${formatDataType(this.#spec.type)}: '${text.slice(0, QUOTED_CHARACTERS)}'`,
      {
        hint: 'give the cast `on_error: null`, or filter such rows before it',
        details: { path, column: this.#name },
      },
    );
  }
}
