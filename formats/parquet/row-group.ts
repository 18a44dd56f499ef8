/** A row group: the column chunks of some rows, one after the other. */
import { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import type { RowBuffer } from '../../lib/core/row-buffer.ts';
import type { Codec } from './codec.ts';
import { type ColumnChunk, ColumnChunkEncoder, writeColumnChunk } from './column-chunk.ts';
import { Shredder } from './levels.ts';
import type { Leaf } from './schema.ts';
import { CompactWriter } from './thrift.ts';

/** Encodes row groups. One serves all parts of a subtask: its scratch memory is as large as the largest row group needs. */
export class RowGroupEncoder {
  readonly #chunks: ColumnChunkEncoder;
  readonly #shredder = new Shredder();

  constructor(codec: Codec, pageBytes: number) {
    this.#chunks = new ColumnChunkEncoder(codec, pageBytes);
  }

  /**
   * Appends the row group to `out`, whose first byte is `fileOffset` bytes into the file.
   * @returns its metadata: RowGroup of parquet.thrift, encoded
   * @throws SluiceError BAD_RECORD where a column that is not nullable has a null
   */
  encode(buffer: RowBuffer, leaves: readonly Leaf[], out: ByteBuffer, fileOffset: number): Uint8Array {
    const chunks: ColumnChunk[] = [];
    const start = fileOffset + out.length;
    buffer.schema.fields.forEach((field, i) => {
      this.#shredder.shred(buffer.columns[i]!, field, buffer.length, (column, entries) => {
        chunks.push(this.#chunks.encode(leaves[chunks.length]!, column, entries, out, fileOffset));
      });
    });
    return encodeRowGroup(chunks, buffer.length, start, this.#chunks.codec);
  }
}

function encodeRowGroup(
  chunks: readonly ColumnChunk[],
  rows: number,
  start: number,
  codec: number,
): Uint8Array {
  const out = new ByteBuffer();
  const thrift = new CompactWriter(out);
  thrift.beginList(1, 'struct', chunks.length);
  for (const chunk of chunks) writeColumnChunk(thrift, chunk, codec);
  thrift.i64(
    2,
    chunks.reduce((sum, chunk) => sum + chunk.uncompressedBytes, 0),
  );
  thrift.i64(3, rows);
  thrift.i64(5, start);
  thrift.i64(
    6,
    chunks.reduce((sum, chunk) => sum + chunk.compressedBytes, 0),
  );
  thrift.endStruct();
  return out.view().slice();
}
