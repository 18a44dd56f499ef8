/** What encodes the rows of a part: our own encoder, or a library's. */
import type { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import type { Schema } from '../../lib/core/data-type.ts';
import type { RowBuffer } from '../../lib/core/row-buffer.ts';
import type { Codec } from './codec.ts';
import { pushFooter } from './footer.ts';
import { type RowGroupChoices, RowGroupEncoder } from './row-group.ts';
import type { Leaf } from './schema.ts';

/** Keeps nothing from call to call but scratch memory: one serves all parts of a subtask. */
export interface ParquetEngine {
  /** @throws SluiceError JOB_INVALID where the engine cannot write the schema */
  checkSchema(schema: Schema): void;
  /**
   * Appends the rows as a row group to `out`, whose first byte is `fileOffset` bytes into the file.
   * @returns its metadata: RowGroup of parquet.thrift, encoded
   * @throws SluiceError BAD_RECORD where a column that is not nullable has a null
   */
  encodeRowGroup(buffer: RowBuffer, leaves: readonly Leaf[], out: ByteBuffer, fileOffset: number): Uint8Array;
  /** Appends what ends the file: its metadata, their length and the magic bytes. */
  pushFooter(
    out: ByteBuffer,
    schema: Schema,
    leaves: readonly Leaf[],
    rows: number,
    rowGroups: readonly Uint8Array[],
  ): void;
}

/** Our own encoder. It writes every schema that has leaves. */
export function sluiceEngine(codec: Codec, pageBytes: number, choices?: RowGroupChoices): ParquetEngine {
  const encoder = new RowGroupEncoder(codec, pageBytes, choices);
  return {
    checkSchema: () => {},
    encodeRowGroup: (buffer, leaves, out, fileOffset) => encoder.encode(buffer, leaves, out, fileOffset),
    pushFooter,
  };
}
