/** NDJSON: one JSON object a line. */
import type { Batch, SourceLines } from '../../lib/core/batch.ts';
import type { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import type { Schema } from '../../lib/core/data-type.ts';
import type { RowEncoder, RowFormat } from '../../lib/core/encoder.ts';
import { ColumnBinding } from '../encoding/column-binding.ts';
import { jsonKeys, jsonWriter, NULL } from '../encoding/json-writers.ts';
import { type Literal, literal, pushWords } from '../encoding/literal.ts';
import type { Dialect } from '../encoding/time.ts';
import type { ValueWriter } from '../encoding/value-writer.ts';

const LINE_FEED = 10;
const CLOSE_OBJECT = 125;
const NULL_LITERAL = literal(NULL);
const EMPTY_OBJECT = new TextEncoder().encode('{}');

export interface NdjsonFormatOptions {
  /**
   * standard (default): timestamps as `2026-11-22T13:14:15.123Z`; hive: `2026-11-22 13:14:15.123`, which Presto, Trino
   * and Hive read as typed columns.
   */
  readonly dialect?: Dialect;
  /**
   * Copies the source lines of batches that carry them (`Batch.lines`) instead of writing the columns. To be asked for
   * only where the part files have the same schema as the input and the dialect is standard.
   */
  readonly passThrough?: boolean;
}

/**
 * The NDJSON format. Every field of the schema is written, null ones as `null`; int64 and decimals are JSON numbers
 * with all their digits (a decimal has exactly its scale), floats the shortest that read back the same, NaN and
 * infinities null, binary base64, dates `2026-11-22`, json columns as they are.
 */
export function ndjsonFormat(options: NdjsonFormatOptions = {}): RowFormat {
  const { dialect = 'standard', passThrough = false } = options;
  return {
    type: 'ndjson',
    createEncoder: (schema) => new NdjsonEncoder(schema, dialect, passThrough),
  };
}

class NdjsonEncoder implements RowEncoder {
  readonly extension = '.ndjson';
  readonly header = null;
  readonly #passThrough: boolean;
  readonly #binding: ColumnBinding;
  readonly #keys: readonly Literal[];
  readonly #writers: readonly ValueWriter[];
  readonly #validities: (Uint8Array | null)[];

  constructor(schema: Schema, dialect: Dialect, passThrough: boolean) {
    this.#passThrough = passThrough;
    this.#binding = new ColumnBinding(schema);
    this.#keys = jsonKeys(schema.fields);
    this.#writers = schema.fields.map((field) => jsonWriter(field.type, dialect));
    this.#validities = schema.fields.map(() => null);
  }

  encode(batch: Batch, rows: Int32Array, from: number, to: number, out: ByteBuffer): void {
    if (this.#passThrough && batch.lines !== null) copyLines(batch.lines, rows, from, to, out);
    else this.#encodeColumns(batch, rows, from, to, out);
  }

  #encodeColumns(batch: Batch, rows: Int32Array, from: number, to: number, out: ByteBuffer): void {
    const keys = this.#keys;
    const writers = this.#writers;
    const validities = this.#validities;
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
        const key = keys[c]!;
        pushWords(out, key.words, 0, key.size);
        const validity = validities[c]!;
        if (validity === null || ((validity[row >> 3]! >> (row & 7)) & 1) === 1) {
          writers[c]!.write(row, out);
        } else pushWords(out, NULL_LITERAL.words, 0, 4);
      }
      if (count === 0) out.push(EMPTY_OBJECT);
      else out.pushByte(CLOSE_OBJECT);
      out.pushByte(LINE_FEED);
    }
  }
}

/**
 * Lines that stand one behind the other in the source are copied in one go. Where a single byte parts them it is a line
 * feed: looking at it would fetch each line's memory once more, 40 ns a line.
 */
function copyLines(lines: SourceLines, rows: Int32Array, from: number, to: number, out: ByteBuffer): void {
  const { bytes, starts, ends } = lines;
  let i = from;
  while (i < to) {
    const start = starts[rows[i]!]!;
    let end = ends[rows[i]!]!;
    i++;
    while (i < to && starts[rows[i]!] === end + 1) {
      end = ends[rows[i]!]!;
      i++;
    }
    // With its line feed: a byte by itself may be the one for which a buffer grows, to twice its size.
    if (bytes[end] === LINE_FEED) out.pushRange(bytes, start, end + 1);
    else {
      out.pushRange(bytes, start, end);
      out.pushByte(LINE_FEED);
    }
  }
}
