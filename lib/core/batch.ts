/**
 * A batch: some thousand rows as columns. The currency between decoder, assigner and encoder.
 *
 * Memory: a batch and its columns belong to whoever made it, usually a decoder that fills them again for the next
 * batch. They are valid until the call they were passed to returns (or its promise settles); who wants rows for longer
 * copies them (`RowBuffer.append`).
 */
import type { RecordBatch } from 'apache-arrow';
import type { ArrowLibrary } from './arrow.ts';
import type { Column } from './column.ts';
import type { Schema } from './data-type.ts';
import { SluiceError } from './errors.ts';
import { importModule } from './import-module.ts';
import { readValue } from './values.ts';

/** The input lines that a batch was decoded from, for encoders that may pass them on as they are. */
export interface SourceLines {
  readonly bytes: Uint8Array;
  /** Row i is bytes[starts[i], ends[i]), without its line end behind it: LF or CR LF, or none at the end of a file. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

export class Batch {
  readonly schema: Schema;
  /** One a field of the schema, each with `length` rows. */
  readonly columns: readonly Column[];
  readonly length: number;
  /** Present where the format is one record a line and somebody asked for it. */
  readonly lines: SourceLines | null;
  /** Records that came as objects, from code; null for columnar batches. */
  readonly #objects: readonly unknown[] | null;

  constructor(
    schema: Schema,
    columns: readonly Column[],
    length: number,
    lines: SourceLines | null = null,
    objects: readonly unknown[] | null = null,
  ) {
    this.schema = schema;
    this.columns = columns;
    this.length = length;
    this.lines = lines;
    this.#objects = objects;
  }

  /** Records of any shape, without columns: what `StreamingFileSink.write` gets where no schema is known. */
  static ofObjects(records: readonly unknown[]): Batch {
    return new Batch({ fields: [] }, [], records.length, null, records);
  }

  /** One row as an object. Slow; for code at the edges (custom assigners and encoders). */
  record(row: number): unknown {
    if (this.#objects !== null) return this.#objects[row];
    const record: Record<string, unknown> = {};
    this.schema.fields.forEach((field, i) => {
      Object.defineProperty(record, field.name, {
        value: readValue(this.columns[i]!, row),
        enumerable: true,
        writable: true,
        configurable: true,
      });
    });
    return record;
  }

  /** The column of a top-level field. @throws SluiceError JOB_INVALID where there is none */
  column(name: string): Column {
    const index = this.schema.fields.findIndex((field) => field.name === name);
    const column = this.columns[index];
    if (column === undefined) {
      throw new SluiceError('JOB_INVALID', `there is no column '${name}'`, {
        hint: `columns are ${this.schema.fields.map((field) => field.name).join(', ')}`,
      });
    }
    return column;
  }

  /**
   * An Arrow RecordBatch over the same memory: nothing is copied but decimals' and booleans' headers. Costs some 50 us,
   * so ask for it once a batch, never a row. Of the copy of apache-arrow that `import` gives.
   */
  async toArrow(): Promise<RecordBatch> {
    const { batchToArrow } = await import('./arrow.ts');
    return batchToArrow(this, (await importModule('apache-arrow')) as ArrowLibrary);
  }
}
