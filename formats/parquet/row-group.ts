/** A row group: the column chunks of some rows, one after the other. */
import { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import { RowBuffer } from '../../lib/core/row-buffer.ts';
import type { Codec } from './codec.ts';
import {
  type ColumnChoices,
  type ColumnChunk,
  ColumnChunkEncoder,
  writeColumnChunk,
} from './column-chunk.ts';
import { Shredder } from './levels.ts';
import type { Leaf } from './schema.ts';
import { sortRows } from './sort-rows.ts';
import { CompactWriter } from './thrift.ts';

/** Rows that are encoded for practice, and the row groups that are large enough for it to pay. */
const REHEARSAL_ROWS = 512;
const MIN_REHEARSED_ROWS = 8192;
/** Once is not enough: the engine takes notes from a function's second run on. */
const REHEARSALS = 3;

/** What the job file may choose of a row group. */
export interface RowGroupChoices extends ColumnChoices {
  /** Top-level columns by which rows are sorted; those that the part does not have are passed over. */
  readonly sortBy: readonly string[];
}

const PLAIN_CHOICES: RowGroupChoices = { hasDictionary: () => true, hasBloomFilter: () => false, sortBy: [] };

/** Encodes row groups. One serves all parts of a subtask: its scratch memory is as large as the largest row group needs. */
export class RowGroupEncoder {
  readonly #chunks: ColumnChunkEncoder;
  readonly #shredder = new Shredder();
  #rehearsed = false;

  readonly #sortBy: readonly string[];

  constructor(codec: Codec, pageBytes: number, choices: RowGroupChoices = PLAIN_CHOICES) {
    this.#chunks = new ColumnChunkEncoder(codec, pageBytes, choices);
    this.#sortBy = choices.sortBy;
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

  #encode(given: RowBuffer, leaves: readonly Leaf[], out: ByteBuffer, fileOffset: number): Uint8Array {
    const key = this.#sortBy
      .map((name) => given.schema.fields.findIndex((field) => field.name === name))
      .filter((index) => index !== -1);
    const buffer = key.length === 0 ? given : sortRows(given, key);
    const chunks: ColumnChunk[] = [];
    const start = fileOffset + out.length;
    buffer.schema.fields.forEach((field, i) => {
      this.#shredder.shred(buffer.columns[i]!, field, buffer.length, (column, entries) => {
        chunks.push(this.#chunks.encode(leaves[chunks.length]!, column, entries, out, fileOffset));
      });
    });
    const filterOffset = fileOffset + out.length;
    for (const { bloomFilter } of chunks) if (bloomFilter !== null) out.push(bloomFilter);
    const sorting = key.map((index) =>
      leaves.findIndex(({ path }) => path[0] === buffer.schema.fields[index]!.name),
    );
    return encodeRowGroup(chunks, buffer.length, start, this.#chunks.codec, filterOffset, sorting);
  }
}

function encodeRowGroup(
  chunks: readonly ColumnChunk[],
  rows: number,
  start: number,
  codec: number,
  filterOffset: number,
  sorting: readonly number[],
): Uint8Array {
  const out = new ByteBuffer();
  const thrift = new CompactWriter(out);
  thrift.beginList(1, 'struct', chunks.length);
  let filterAt = filterOffset;
  for (const chunk of chunks) {
    writeColumnChunk(thrift, chunk, codec, filterAt);
    filterAt += chunk.bloomFilter?.length ?? 0;
  }
  thrift.i64(
    2,
    chunks.reduce((sum, chunk) => sum + chunk.uncompressedBytes, 0),
  );
  thrift.i64(3, rows);
  if (sorting.length > 0) writeSortingColumns(thrift, sorting);
  thrift.i64(5, start);
  thrift.i64(
    6,
    chunks.reduce((sum, chunk) => sum + chunk.compressedBytes, 0),
  );
  thrift.endStruct();
  return out.view().slice();
}

/** Ascending, nulls last. @param leaves which leaves the key is, by their place in the row group */
function writeSortingColumns(out: CompactWriter, leaves: readonly number[]): void {
  out.beginList(4, 'struct', leaves.length);
  for (const leaf of leaves) {
    out.beginElement();
    out.i32(1, leaf);
    out.bool(2, false);
    out.bool(3, false);
    out.endStruct();
  }
}
