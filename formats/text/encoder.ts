/** Text: the value of one column a line. */
import type { Batch } from '../../lib/core/batch.ts';
import type { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import type { Field, Schema } from '../../lib/core/data-type.ts';
import type { RowEncoder, RowFormat } from '../../lib/core/encoder.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import { ColumnBinding } from '../encoding/column-binding.ts';
import { textWriter } from '../encoding/text-writers.ts';
import type { ValueWriter } from '../encoding/value-writer.ts';

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
/** Characters of a refused value that the error shows. */
const SHOWN_CHARACTERS = 200;

export interface TextFormatOptions {
  /** The column to write; default: the only one there is. */
  readonly column?: string | null;
}

/**
 * The text format. Strings stand as they are; other types as in CSV, without quotes. Null is an empty line, as text
 * has no null. A value that does not survive as one line (a line feed inside, a carriage return at its end) is refused
 * with BAD_RECORD: a row must stay a row.
 */
export function textFormat(options: TextFormatOptions = {}): RowFormat {
  return {
    type: 'text',
    createEncoder: (schema) => new TextLineEncoder(onlyField(schema, options.column ?? null)),
  };
}

function onlyField(schema: Schema, name: string | null): Field {
  const names = schema.fields.map((field) => field.name);
  const field = name === null ? schema.fields[0] : schema.fields.find((candidate) => candidate.name === name);
  if (field === undefined || (name === null && names.length > 1)) {
    throw new SluiceError(
      'JOB_INVALID',
      name === null
        ? `text output needs to know its column: there are ${names.length}`
        : `text output is of the column '${name}', which there is not`,
      { hint: `set sink.format.column to one of: ${names.join(', ')}` },
    );
  }
  return field;
}

class TextLineEncoder implements RowEncoder {
  readonly extension = '.txt';
  readonly header = null;
  readonly #name: string;
  readonly #binding: ColumnBinding;
  readonly #writer: ValueWriter;

  constructor(field: Field) {
    this.#name = field.name;
    this.#binding = new ColumnBinding({ fields: [field] });
    this.#writer = textWriter(field.type, 'standard');
  }

  encode(batch: Batch, rows: Int32Array, from: number, to: number, out: ByteBuffer): void {
    this.#binding.follow(batch);
    const column = this.#binding.column(batch, 0);
    const writer = this.#writer;
    writer.bind(column);
    for (let i = from; i < to; i++) {
      const row = rows[i]!;
      if (!column.isNull(row)) {
        const start = out.length;
        writer.write(row, out);
        this.#checkLine(out, start);
      }
      out.pushByte(LINE_FEED);
    }
  }

  #checkLine(out: ByteBuffer, start: number): void {
    const { bytes, length: end } = out;
    let i = start;
    while (i < end && bytes[i] !== LINE_FEED) i++;
    // A reader would take a carriage return at the end for half of a CRLF.
    if (i === end && (end === start || bytes[end - 1] !== CARRIAGE_RETURN)) return;
    const value = new TextDecoder().decode(bytes.subarray(start, end)).slice(0, SHOWN_CHARACTERS);
    throw new SluiceError(
      'BAD_RECORD',
      `column '${this.#name}' holds a line end, so it cannot be written as a line of text: ${JSON.stringify(value)}`,
      { details: { column: this.#name, value }, hint: 'write NDJSON or CSV, which can hold line ends' },
    );
  }
}
