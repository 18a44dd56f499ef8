/** Which columns of a batch an encoder writes. */
import type { Batch } from '../../lib/core/batch.ts';
import type { Column } from '../../lib/core/column.ts';
import { formatDataType, type Schema, sameType } from '../../lib/core/data-type.ts';
import { SluiceError } from '../../lib/core/errors.ts';

/** Finds an encoder's columns by name; batches may have more of them (partition columns), in any order. */
export class ColumnBinding {
  readonly #schema: Schema;
  readonly #indexes: Int32Array;
  #batchSchema: Schema | null = null;

  constructor(schema: Schema) {
    this.#schema = schema;
    this.#indexes = new Int32Array(schema.fields.length);
  }

  /** To be called before `column`, once a batch. @throws SluiceError JOB_INVALID where a column is missing or of another type */
  follow(batch: Batch): void {
    if (batch.schema === this.#batchSchema) return;
    this.#schema.fields.forEach((field, i) => {
      const column = batch.column(field.name);
      if (!sameType(column.type, field.type)) {
        throw new SluiceError(
          'JOB_INVALID',
          `column '${field.name}' is ${formatDataType(column.type)}, and the part files have it as ${formatDataType(field.type)}`,
        );
      }
      this.#indexes[i] = batch.columns.indexOf(column);
    });
    this.#batchSchema = batch.schema;
  }

  /** The column of the encoder's field i. */
  column(batch: Batch, i: number): Column {
    return batch.columns[this.#indexes[i]!]!;
  }
}
