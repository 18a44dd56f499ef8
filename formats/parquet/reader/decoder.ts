/**
 * Parquet files into batches: row group by row group, the wanted columns side by side, page by page. No object a row, no
 * row group in memory as a whole: a column holds one window of its chunk and one page.
 */

import type { CompressionCodec, FileMetaData, RowGroup } from 'hyparquet';
import { Batch } from '../../../lib/core/batch.ts';
import type { Schema } from '../../../lib/core/data-type.ts';
import type {
  DecoderOptions,
  DecoderState,
  FileDecoder,
  RandomAccessFile,
} from '../../../lib/core/decoder.ts';
import { withoutRows } from '../../bad-rows.ts';
import { corrupt, withPath } from '../../corrupt.ts';
import { proveColumns } from '../../file-columns.ts';
import { ChunkPages, type ChunkRange } from './chunk-pages.ts';
import { type Decompress, loadDecompress } from './codecs.ts';
import { buildColumn, type FilePlan, type LeafColumns, planColumns } from './column-plan.ts';
import { readFileSchema } from './file-schema.ts';
import type { LeafReader } from './leaf-reader.ts';
import { readFooter } from './read-footer.ts';

/** Memory of all windows of a row group, about. */
const WINDOWS_BYTES = 32 * 1024 * 1024;
const MAX_WINDOW_BYTES = 1024 * 1024;
const MIN_WINDOW_BYTES = 64 * 1024;
/** Values of a batch, about: wide rows must not take memory by the thousands. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024;

export class ParquetFileDecoder implements FileDecoder {
  readonly #options: DecoderOptions;
  readonly #schema: Schema;
  readonly #kept: LeafColumns = new Map();
  readonly #codecs = new Map<CompressionCodec, Decompress>();
  #file: RandomAccessFile | null = null;
  #rowGroups: readonly RowGroup[] = [];
  #plan: FilePlan = { columns: [], leaves: [] };
  /** The row group that is read, or is next. */
  #rowGroup = 0;
  #rowsTaken = 0;
  /** Whether the leaves stand in the row group, at `#rowsTaken`. */
  #isOpen = false;
  #batchRows = 1;
  #records = 0;
  #offset = 0;

  constructor(options: DecoderOptions) {
    this.#options = options;
    const { schema, columns } = options;
    this.#schema =
      columns === undefined ? schema : { fields: schema.fields.filter((field) => columns.has(field.name)) };
  }

  async begin(file: RandomAccessFile, state: DecoderState): Promise<void> {
    this.#file = file;
    this.#records = 0;
    this.#offset = 0;
    this.#isOpen = false;
    this.#rowGroup = countOf(state?.rowGroup);
    this.#rowsTaken = countOf(state?.rowsTaken);
    await withPath(file.path, 'Parquet', async () => {
      const metadata = await readFooter(file);
      this.#rowGroups = metadata.row_groups;
      const nodes = readFileSchema(metadata);
      proveColumns(
        file.path,
        nodes.map(({ name }) => name),
        this.#options.schema,
      );
      this.#plan = planColumns(this.#schema, nodes, file.path, this.#kept, this.#options.batchRows);
      await this.#loadCodecs(metadata);
    });
  }

  async next(): Promise<Batch | null> {
    const file = this.#file;
    if (file === null) return null;
    return withPath(file.path, 'Parquet', async () => {
      for (;;) {
        const group = this.#rowGroups[this.#rowGroup];
        if (group === undefined) {
          this.#offset = file.sizeBytes;
          return null;
        }
        const rows = Number(group.num_rows) - this.#rowsTaken;
        if (rows > 0) return await this.#readBatch(file, group, rows);
        this.#rowGroup++;
        this.#rowsTaken = 0;
        this.#isOpen = false;
      }
    });
  }

  get records(): number {
    return this.#records;
  }

  get offset(): number {
    return this.#offset;
  }

  state(): DecoderState {
    return { rowGroup: this.#rowGroup, rowsTaken: this.#rowsTaken };
  }

  async #readBatch(file: RandomAccessFile, group: RowGroup, left: number): Promise<Batch> {
    if (!this.#isOpen) await this.#openGroup(file, group);
    const rows = Math.min(left, this.#batchRows);
    for (const leaf of this.#plan.leaves) await leaf.read(rows);
    const bad = this.#badRows();
    const columns = this.#plan.columns.map((plan) => buildColumn(plan, rows));
    this.#schema.fields.forEach((field, i) => {
      const column = columns[i]!;
      if (column.length !== rows)
        corrupt(`the column '${field.name}' has ${column.length} rows instead of ${rows}`);
      if (field.nullable || column.nullCount === 0) return;
      for (let row = 0; row < rows; row++)
        if (column.isNull(row) && !bad.has(row))
          bad.set(row, [field.name, 'the value is missing and may not be']);
    });
    const batch = this.#withoutBad(new Batch(this.#schema, columns, rows), bad);
    this.#rowsTaken += rows;
    this.#records += rows;
    const sum = group.columns.reduce(
      (bytes, { meta_data: data }) => bytes + Number(data?.total_compressed_size ?? 0),
      0,
    );
    this.#offset = Math.min(
      file.sizeBytes,
      startOf(group) + Math.floor((sum * this.#rowsTaken) / Number(group.num_rows)),
    );
    return batch;
  }

  async #openGroup(file: RandomAccessFile, group: RowGroup): Promise<void> {
    const { leaves } = this.#plan;
    const windowBytes = Math.max(
      MIN_WINDOW_BYTES,
      Math.min(MAX_WINDOW_BYTES, Math.floor(WINDOWS_BYTES / Math.max(1, leaves.length))),
    );
    let bytes = 0;
    for (const leaf of leaves) {
      const { range, codec, uncompressedBytes } = chunkOf(group, leaf);
      leaf.begin(new ChunkPages(file, range, this.#codecs.get(codec)!, windowBytes));
      bytes += uncompressedBytes;
    }
    const rowBytes = bytes / Number(group.num_rows);
    this.#batchRows = Math.max(
      1,
      Math.min(this.#options.batchRows, Math.floor(MAX_BATCH_BYTES / Math.max(rowBytes, 1))),
    );
    for (const leaf of leaves) await leaf.skip(this.#rowsTaken);
    this.#isOpen = true;
  }

  async #loadCodecs(metadata: FileMetaData): Promise<void> {
    for (const group of metadata.row_groups) {
      for (const leaf of this.#plan.leaves) {
        const { codec } = chunkOf(group, leaf);
        if (!this.#codecs.has(codec)) this.#codecs.set(codec, await loadDecompress(codec));
      }
    }
  }

  #badRows(): Map<number, [string, string]> {
    const bad = new Map<number, [string, string]>();
    for (const leaf of this.#plan.leaves) {
      for (const [row, why] of leaf.badRows()) if (!bad.has(row)) bad.set(row, [leaf.node.name, why]);
    }
    return bad;
  }

  /** @throws what onBadRecord throws */
  #withoutBad(batch: Batch, bad: ReadonlyMap<number, readonly [string, string]>): Batch {
    if (bad.size === 0) return batch;
    for (const [row, [column, reason]] of [...bad].sort(([a], [b]) => a - b)) {
      this.#options.onBadRecord({
        offset: this.#offset,
        place: `row ${this.#rowsTaken + row + 1} of row group ${this.#rowGroup + 1}`,
        recordIndex: this.#records + row,
        column,
        reason,
        bytes: new Uint8Array(0),
      });
    }
    return withoutRows(batch, bad);
  }
}

interface Chunk {
  readonly range: ChunkRange;
  readonly codec: CompressionCodec;
  readonly uncompressedBytes: number;
}

function chunkOf(group: RowGroup, leaf: LeafReader): Chunk {
  const chunk = group.columns[leaf.node.index];
  const data = chunk?.meta_data;
  if (chunk === undefined || data === undefined)
    return corrupt(`the column '${leaf.node.name}' has no metadata`);
  if (chunk.file_path !== undefined) return corrupt('its columns are in other files');
  // Old writers give 0 for no dictionary; others begin the data pages before it.
  const first = Number(data.data_page_offset);
  const dictionary = Number(data.dictionary_page_offset ?? 0);
  return {
    range: {
      offset: dictionary > 0 && dictionary < first ? dictionary : first,
      sizeBytes: Number(data.total_compressed_size),
    },
    codec: data.codec,
    uncompressedBytes: Number(data.total_uncompressed_size),
  };
}

function startOf({ columns, file_offset: offset }: RowGroup): number {
  return Number(offset ?? columns[0]?.meta_data?.data_page_offset ?? 0);
}

function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}
