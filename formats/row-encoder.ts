/** Row encoders written row by row, in user code. */
import type { Batch } from '../lib/core/batch.ts';
import type { ByteBuffer } from '../lib/core/byte-buffer.ts';
import type { Schema } from '../lib/core/data-type.ts';
import type { RowEncoder } from '../lib/core/encoder.ts';
import { SluiceError } from '../lib/core/errors.ts';

export interface RecordContext {
  /** Schema of the batch that the record comes from; without fields where records came as objects. */
  readonly schema: Schema;
}

/**
 * A RowEncoder from a function that turns one record into its bytes, line end included (Flink: Encoder.encode).
 * Slow: it makes an object of each row, some microseconds of work where the columnar encoders take a fraction of one.
 *
 *     rowEncoder('.txt', (record) => `${record.id}\n`)
 *
 * @param extension of the part files, with its dot
 * @param encode called once a row, in order; may not be asynchronous. What it throws becomes BAD_RECORD
 * @param header bytes at the start of each part
 */
export function rowEncoder<Row = unknown>(
  extension: string,
  encode: (record: Row, context: RecordContext) => string | Uint8Array,
  header: string | Uint8Array | null = null,
): RowEncoder {
  return {
    extension,
    header: typeof header === 'string' ? new TextEncoder().encode(header) : header,
    encode(batch: Batch, rows: Int32Array, from: number, to: number, out: ByteBuffer): void {
      const context: RecordContext = { schema: batch.schema };
      for (let i = from; i < to; i++) {
        // The caller says what its records are; columns cannot check it.
        const bytes = encodeRecord(encode, batch.record(rows[i]!) as Row, context);
        if (typeof bytes === 'string') out.pushText(bytes);
        else out.push(bytes);
      }
    },
  };
}

function encodeRecord<Row>(
  encode: (record: Row, context: RecordContext) => unknown,
  record: Row,
  context: RecordContext,
): string | Uint8Array {
  let bytes: unknown;
  try {
    bytes = encode(record, context);
  } catch (cause) {
    if (cause instanceof SluiceError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError('BAD_RECORD', `the row encoder failed on a record: ${why}`, { cause });
  }
  if (typeof bytes === 'string' || bytes instanceof Uint8Array) return bytes;
  throw new SluiceError('JOB_INVALID', `the row encoder gave a ${typeof bytes}, not a string or Uint8Array`, {
    hint: 'it has to return the bytes of the record, not a promise of them',
  });
}
