/**
 * Arrow IPC streams as an output format. A part is a schema message, a record batch each time it was flushed, and the end
 * marker; so it grows over checkpoints. Strings are written out: dictionaries would have to last as long as the part.
 */
import * as arrow from 'apache-arrow';
import { batchToArrow } from '../../lib/core/arrow.ts';
import { Batch } from '../../lib/core/batch.ts';
import { bufferedBytes, heldBytes } from '../../lib/core/buffered-bytes.ts';
import { type Column, ListColumn, StructColumn } from '../../lib/core/column.ts';
import type { Schema } from '../../lib/core/data-type.ts';
import type { BulkFormat, BulkWriter } from '../../lib/core/encoder.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import { RowBuffer } from '../../lib/core/row-buffer.ts';
import { schemaFingerprint } from '../../lib/core/schema-fingerprint.ts';
import { restoreRows, saveRows } from '../../lib/core/tail.ts';

const VERSION = 1;
/** A continuation marker and the length 0. */
const END = Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0);

export function arrowFormat(): BulkFormat {
  return {
    type: 'arrow',
    extension: '.arrows',
    createWriter: (schema, footer) =>
      new ArrowWriter(schema, footer === null ? false : decodeState(schema, footer)),
  };
}

class ArrowWriter implements BulkWriter {
  readonly #schema: Schema;
  readonly #buffer: RowBuffer;
  /** Whether the schema message is in the part. */
  #isStarted: boolean;

  constructor(schema: Schema, isStarted: boolean) {
    this.#schema = schema;
    this.#buffer = new RowBuffer(schema);
    this.#isStarted = isStarted;
  }

  append(batch: Batch, rows: Int32Array, from: number, to: number): void {
    this.#buffer.append(batch, rows, from, to);
  }

  get bufferedRows(): number {
    return this.#buffer.length;
  }

  get bufferedBytes(): number {
    return this.#buffer.length === 0 ? 0 : bufferedBytes(this.#buffer);
  }

  get memoryBytes(): number {
    return heldBytes(this.#buffer);
  }

  get estimatedBytes(): number {
    return this.bufferedBytes;
  }

  flush(): Uint8Array {
    return this.#buffer.length === 0 ? new Uint8Array(0) : this.#messages();
  }

  /** A part without rows is a schema and the end: a valid stream. */
  finish(): Uint8Array {
    const isEmpty = this.#buffer.length === 0 && this.#isStarted;
    return Buffer.concat([isEmpty ? new Uint8Array(0) : this.#messages(), END]);
  }

  footer(): unknown {
    return { version: VERSION, schema: schemaFingerprint(this.#schema), started: this.#isStarted };
  }

  saveRows(fromRow: number): Uint8Array {
    return saveRows(this.#buffer, fromRow);
  }

  restoreRows(saved: Uint8Array): void {
    restoreRows(this.#buffer, saved);
  }

  /** The schema where it is due, and what is buffered as a record batch. */
  #messages(): Uint8Array {
    const { length } = this.#buffer;
    this.#checkNulls();
    const columns = this.#buffer.columns.map(writtenOut);
    const batch = batchToArrow(new Batch(this.#schema, columns, length), arrow);
    const table = length === 0 ? new arrow.Table(batch.schema) : new arrow.Table([batch]);
    const stream = arrow.RecordBatchStreamWriter.writeAll(table).toUint8Array(true);
    const schemaEnd = 8 + new DataView(stream.buffer, stream.byteOffset).getInt32(4, true);
    const from = this.#isStarted ? schemaEnd : 0;
    this.#isStarted = true;
    this.#buffer.clear();
    // A table of no rows has a batch of no rows, which nobody needs.
    return stream.subarray(from, length === 0 ? schemaEnd : stream.length - END.length);
  }

  #checkNulls(): void {
    this.#schema.fields.forEach(({ name, nullable }, i) => {
      if (nullable || this.#buffer.columns[i]!.nullCount === 0) return;
      throw new SluiceError('BAD_RECORD', `column '${name}' is null and may not be`, {
        details: { column: name },
      });
    });
  }
}

/** The column without dictionaries, at any depth. */
function writtenOut(column: Column): Column {
  switch (column.layout) {
    case 'dictionary':
      return column.toBytes();
    case 'list': {
      const list = new ListColumn(column.type, 0, writtenOut(column.child));
      return Object.assign(list, rowsOf(column), { offsets: column.offsets });
    }
    case 'struct': {
      const children = column.children.map(writtenOut);
      return Object.assign(new StructColumn(column.type, column.fields, 0, children), rowsOf(column));
    }
    default:
      return column;
  }
}

function rowsOf({ length, capacity, validity, nullCount }: Column) {
  return { length, capacity, validity, nullCount };
}

function decodeState(schema: Schema, stored: unknown): boolean {
  const { version, schema: fingerprint, started } = { ...(stored as Record<string, unknown>) };
  if (version !== VERSION) {
    throw new SluiceError(
      'STATE_VERSION',
      `an open Arrow part is of version ${version}, this program knows ${VERSION}`,
      {
        hint: 'run the version of sluice that wrote the checkpoint, or a newer one',
      },
    );
  }
  if (typeof started !== 'boolean' || fingerprint !== schemaFingerprint(schema))
    throw new SluiceError('STATE_CORRUPT', 'the state of an open Arrow part cannot be read');
  return started;
}
