/** Values as bare text: what a CSV field holds before quoting, and what a line of a text file is. */
import type { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import type { Column } from '../../lib/core/column.ts';
import type { DataType } from '../../lib/core/data-type.ts';
import { jsonWriter } from './json-writers.ts';
import { scalarWriter } from './scalar-writers.ts';
import type { Dialect } from './time.ts';
import { asByteStrings, type ValueWriter } from './value-writer.ts';

const NONE: Uint8Array = new Uint8Array(0);
const NO_WORDS: Int32Array = new Int32Array(0);

/** Lists and structs are JSON text; NaN and the infinities are written by these names. */
export function textWriter(type: DataType, dialect: Dialect): ValueWriter {
  switch (type.kind) {
    case 'string':
    case 'json':
      return new BytesWriter();
    case 'list':
    case 'struct':
      return jsonWriter(type, dialect);
    default:
      return scalarWriter(type, { dialect, quoted: false, notFinite: null });
  }
}

class BytesWriter implements ValueWriter {
  #codes: Int32Array | null = null;
  #offsets = NO_WORDS;
  #bytes = NONE;

  bind(column: Column): void {
    const strings = asByteStrings(column);
    const values = strings.layout === 'bytes' ? strings : strings.dictionary;
    this.#codes = strings.layout === 'bytes' ? null : strings.codes;
    this.#offsets = values.offsets;
    this.#bytes = values.bytes;
  }

  write(row: number, out: ByteBuffer): void {
    const at = this.#codes === null ? row : this.#codes[row]!;
    out.pushRange(this.#bytes, this.#offsets[at]!, this.#offsets[at + 1]!);
  }
}
