/** Extension points: formats that sluice writes. */
import type { Batch } from './batch.ts';
import type { ByteBuffer } from './byte-buffer.ts';
import type { Schema } from './data-type.ts';

/** Row formats: each row becomes bytes of its own, appended to a part (Flink: Encoder). */
export interface RowEncoder {
  /** File name ending, with its dot: `.ndjson`. A compression adds its own behind it. */
  readonly extension: string;
  /** Bytes at the start of each part (a CSV header), or null. */
  readonly header: Uint8Array | null;
  /** Appends the rows rows[from, to) of a batch to `out`. May be called for many parts in turn; keeps nothing. */
  encode(batch: Batch, rows: Int32Array, from: number, to: number, out: ByteBuffer): void;
}

/** Makes the RowEncoder of a job once its schema is known. Partition columns are left out of `schema`. */
export interface RowFormat {
  readonly type: string;
  /** The encoder reads columns by name from batches whose schema holds at least these fields. */
  createEncoder(schema: Schema): RowEncoder;
}

/**
 * Bulk formats: rows are buffered and become bytes in groups (Flink: BulkWriter). One writer a part. The part file is
 * what `flush` and `finish` return, in order; between two calls the part's state is exactly {bytes so far, `footer`,
 * rows buffered}, so a part can be continued by another process: `BulkFormat.createWriter(footer)` + the buffered rows.
 */
export interface BulkWriter {
  /** Copies the rows rows[from, to) of a batch into the buffer. */
  append(batch: Batch, rows: Int32Array, from: number, to: number): void;
  /** Rows buffered, not in `flush`ed bytes yet. */
  readonly bufferedRows: number;
  /** What they take themselves: a group is full by this. */
  readonly bufferedBytes: number;
  /** All memory that the writer holds, room for rows to come and what `footer` will say included. */
  readonly memoryBytes: number;
  /** About what the buffered rows will take on storage. */
  readonly estimatedBytes: number;
  /** Encodes what is buffered (a row group). Empty when nothing is buffered. */
  flush(): Uint8Array;
  /** The bytes that end the part: what is buffered and the footer. Nothing may be appended afterwards. */
  finish(): Uint8Array;
  /** What is needed to continue after the bytes flushed so far; JSON, small (it is in every checkpoint). */
  footer(): unknown;
  /** Rows buffered from `fromRow` on, in a form that `restoreRows` reads (a tail that goes into a checkpoint). */
  saveRows(fromRow: number): Uint8Array;
  /** Appends rows saved by `saveRows`. @throws SluiceError STATE_CORRUPT */
  restoreRows(saved: Uint8Array): void;
}

export interface BulkFormat {
  readonly type: string;
  readonly extension: string;
  /** @param footer what `BulkWriter.footer` said, to continue a part; null for a new one */
  createWriter(schema: Schema, footer: unknown): BulkWriter;
  /** Bytes that a writer's `flush` or `finish` gave are written: their memory may be used again. */
  recycle?(bytes: Uint8Array): void;
}
