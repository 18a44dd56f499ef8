/** A row group: the column chunks of some rows, one after the other. */
import { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import { RowBuffer } from '../../lib/core/row-buffer.ts';
import type { Codec } from './codec.ts';
import { type ColumnChunk, ColumnChunkEncoder, writeColumnChunk } from './column-chunk.ts';
import { Shredder } from './levels.ts';
import type { Leaf } from './schema.ts';
import { CompactWriter } from './thrift.ts';

/** Rows that are encoded for practice, and the row groups that are large enough for it to pay. */
const REHEARSAL_ROWS = 512;
const MIN_REHEARSED_ROWS = 8192;
/** Once is not enough: the engine takes notes from a function's second run on. */
const REHEARSALS = 3;

/** Encodes row groups. One serves all parts of a subtask: its scratch memory is as large as the largest row group needs. */
export class RowGroupEncoder {
  readonly #chunks: ColumnChunkEncoder;
  readonly #shredder = new Shredder();
  #rehearsed = false;

  constructor(codec: Codec, pageBytes: number) {
    this.#chunks = new ColumnChunkEncoder(codec, pageBytes);
  }

  /**
   * Appends the row group to `out`, whose first byte is `fileOffset` bytes into the file.
   * @returns its metadata: RowGroup of parquet.thrift, encoded
   * @throws SluiceError BAD_RECORD where a column that is not nullable has a null
   */
  encode(buffer: RowBuffer, leaves: readonly Leaf[], out: ByteBuffer, fileOffset: number): Uint8Array {
    if (!this.#rehearsed && buffer.length >= MIN_REHEARSED_ROWS) this.#rehearse(buffer, leaves);
    return this.#encode(buffer, leaves, out, fileOffset);
  }

  /**
   * Encodes the first rows a few times, to nowhere. The engine compiles a loop while it runs for the first time, knowing
   * nothing of what comes behind it, and has to do it all over when it gets there. After a rehearsal it has seen
   * everything once: of 80 compilations of the encoder 45 were second and third tries, some 0.3 s of CPU a process.
   */
  #rehearse(buffer: RowBuffer, leaves: readonly Leaf[]): void {
    this.#rehearsed = true;
    const few = new RowBuffer(buffer.schema);
    few.appendRange(buffer, 0, REHEARSAL_ROWS);
    const out = new ByteBuffer();
    for (let i = 0; i < REHEARSALS; i++) {
      out.clear();
      this.#encode(few, leaves, out, 0);
    }
  }

  #encode(buffer: RowBuffer, leaves: readonly Leaf[], out: ByteBuffer, fileOffset: number): Uint8Array {
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
