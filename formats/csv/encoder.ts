/** CSV after RFC 4180, and as Presto, Trino and Hive read it. */
import type { Batch } from '../../lib/core/batch.ts';
import { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import type { Schema } from '../../lib/core/data-type.ts';
import type { RowEncoder, RowFormat } from '../../lib/core/encoder.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import { ColumnBinding } from '../encoding/column-binding.ts';
import { textWriter } from '../encoding/text-writers.ts';
import type { Dialect } from '../encoding/time.ts';
import type { ValueWriter } from '../encoding/value-writer.ts';
import { Quoting } from './quoting.ts';

const LINE_FEED = 10;

export interface CsvFormatOptions {
  /**
   * standard (default): RFC 4180, timestamps `2026-11-22T13:14:15.123Z`. hive: what OpenCSVSerde reads: timestamps
   * `2026-11-22 13:14:15.123`, a backslash is doubled, and a line end inside a value becomes a blank, since Hadoop cuts
   * lines before it looks at quotes.
   */
  readonly dialect?: Dialect;
  /** One ASCII character, a comma by default. */
  readonly delimiter?: string;
  /** Whether each part begins with the names of the columns. Default: in the standard dialect. Presto cannot skip it. */
  readonly header?: boolean;
  /** The text of null, '' by default. A value that reads the same, or is empty, is quoted to be told from it. */
  readonly nullText?: string;
}

/** The CSV format. Line ends are LF; lists, structs and json are JSON text; binary is base64. */
export function csvFormat(options: CsvFormatOptions = {}): RowFormat {
  const { dialect = 'standard', delimiter = ',', nullText = '' } = options;
  const { header = dialect === 'standard' } = options;
  const quoting = new Quoting(delimiter, nullText, dialect);
  return {
    type: 'csv',
    createEncoder: (schema) => new CsvEncoder(schema, dialect, quoting, header),
  };
}

class CsvEncoder implements RowEncoder {
  readonly extension = '.csv';
  readonly header: Uint8Array | null;
  readonly #schema: Schema;
  readonly #quoting: Quoting;
  readonly #binding: ColumnBinding;
  readonly #writers: readonly ValueWriter[];
  /** Whether the text of field i may hold something that needs quotes. */
  readonly #scans: readonly boolean[];
  readonly #validities: (Uint8Array | null)[];

  constructor(schema: Schema, dialect: Dialect, quoting: Quoting, header: boolean) {
    if (schema.fields.length === 0) {
      throw new SluiceError('JOB_INVALID', 'CSV needs at least one column', {
        hint: 'columns that name the bucket are left out of the parts; bucket.keep_fields: true keeps them',
      });
    }
    this.#schema = schema;
    this.#quoting = quoting;
    this.#binding = new ColumnBinding(schema);
    this.#writers = schema.fields.map((field) => textWriter(field.type, dialect));
    this.#scans = schema.fields.map(
      ({ type }) =>
        quoting.delimiterInScalars ||
        type.kind === 'string' ||
        type.kind === 'json' ||
        type.kind === 'list' ||
        type.kind === 'struct',
    );
    this.#validities = schema.fields.map(() => null);
    this.header = header ? headerLine(schema, quoting) : null;
  }

  encode(batch: Batch, rows: Int32Array, from: number, to: number, out: ByteBuffer): void {
    const writers = this.#writers;
    const validities = this.#validities;
    const scans = this.#scans;
    const quoting = this.#quoting;
    const { delimiter, nullText } = quoting;
    const count = writers.length;
    this.#binding.follow(batch);
    for (let c = 0; c < count; c++) {
      const column = this.#binding.column(batch, c);
      validities[c] = column.validity;
      writers[c]!.bind(column);
    }
    for (let i = from; i < to; i++) {
      const row = rows[i]!;
      for (let c = 0; c < count; c++) {
        if (c > 0) out.pushByte(delimiter);
        const validity = validities[c]!;
        if (validity === null || ((validity[row >> 3]! >> (row & 7)) & 1) === 1) {
          const start = out.length;
          writers[c]!.write(row, out);
          quoting.finish(out, start, scans[c]!);
        } else if (nullText.length > 0) out.pushRange(nullText, 0, nullText.length);
        else if (count === 1) this.#refuseEmptyLine();
      }
      out.pushByte(LINE_FEED);
    }
  }

  #refuseEmptyLine(): never {
    const column = this.#schema.fields[0]!.name;
    throw new SluiceError(
      'BAD_RECORD',
      `column '${column}' is null, which CSV would write as an empty line`,
      {
        hint: 'readers skip empty lines, so the row would be lost: set sink.format.null_text',
        details: { column },
      },
    );
  }
}

function headerLine(schema: Schema, quoting: Quoting): Uint8Array {
  const line = new ByteBuffer(256);
  schema.fields.forEach((field, i) => {
    if (i > 0) line.pushByte(quoting.delimiter);
    const start = line.length;
    line.pushText(field.name);
    quoting.finish(line, start, true);
  });
  line.pushByte(LINE_FEED);
  return line.bytes.slice(0, line.length);
}
