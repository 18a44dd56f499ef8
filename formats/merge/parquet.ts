/**
 * Merges Parquet parts. Row groups that are large enough are copied as they are, their offsets shifted; smaller ones
 * are decoded and written again, as few large ones with encodings to match.
 */
import type { Batch } from '../../lib/core/batch.ts';
import { Batch as RowBatch } from '../../lib/core/batch.ts';
import { identityRows } from '../../lib/core/column.ts';
import type { Schema } from '../../lib/core/data-type.ts';
import type { RandomAccessFile } from '../../lib/core/decoder.ts';
import type { BulkWriter } from '../../lib/core/encoder.ts';
import type { MergeSource, PartMerger } from '../../lib/core/part-merger.ts';
import { RowBuffer } from '../../lib/core/row-buffer.ts';
import { corrupt, withPath } from '../corrupt.ts';
import { MAGIC } from '../parquet/footer.ts';
import { type ParquetSpec, parquetFormat } from '../parquet/format.ts';
import { ParquetFileDecoder } from '../parquet/reader/decoder.ts';
import { fieldOf, readFileSchema } from '../parquet/reader/file-schema.ts';
import { readFooter, readMetadataBytes } from '../parquet/reader/read-footer.ts';
import {
  encodeStruct,
  integerOf,
  listOf,
  readStruct,
  structsOf,
  type ThriftStruct,
} from '../parquet/thrift-tree.ts';
import { copyRowGroup } from './row-group-copy.ts';
import { sortedRows } from './sorted-rows.ts';

/** Rows decoded at a time. */
const BATCH_ROWS = 8192;
/** FileMetaData of parquet.thrift. */
const FIELD = { schema: 2, rows: 3, rowGroups: 4 } as const;
const ROW_GROUP_ROWS = 3;

export interface ParquetMergeOptions {
  readonly spec: ParquetSpec;
  /** Bytes of a row group, on the average of a part, from which on its row groups are copied. */
  readonly copyRowGroupBytes: number;
  /** Columns by which the rows of each row group are ordered; then nothing is copied. */
  readonly sortBy: readonly string[];
}

interface OpenSource {
  readonly index: number;
  readonly file: RandomAccessFile;
  readonly metadata: ThriftStruct;
}

export function parquetMerger(options: ParquetMergeOptions): PartMerger {
  return {
    async merge(sources, write) {
      const opened: (RandomAccessFile & { close(): Promise<void> })[] = [];
      try {
        for (const source of sources) opened.push(await source.open());
        const alike = await sameColumns(opened);
        if (alike.length < 2) return [];
        if (isWorthCopying(alike, sources, options)) await copy(alike, write);
        else await encodeAgain(alike, options, write);
        return alike.map(({ index }) => index);
      } finally {
        for (const file of opened) await file.close();
      }
    },
  };
}

/** The files whose columns are the first one's, to the last byte of their description. */
async function sameColumns(files: readonly RandomAccessFile[]): Promise<OpenSource[]> {
  const found: OpenSource[] = [];
  let columns: Uint8Array | null = null;
  for (const [index, file] of files.entries()) {
    const metadata = await withPath(file.path, 'Parquet', async () =>
      readStruct(await readMetadataBytes(file)),
    );
    const schema = listOf(metadata, FIELD.schema);
    const described = encodeStruct({ kind: 'struct', fields: new Map([[1, schema]]) });
    columns ??= described;
    if (Buffer.compare(columns, described) === 0) found.push({ index, file, metadata });
  }
  return found;
}

function isWorthCopying(
  sources: readonly OpenSource[],
  all: readonly MergeSource[],
  { copyRowGroupBytes, sortBy }: ParquetMergeOptions,
): boolean {
  if (sortBy.length > 0) return false;
  let bytes = 0;
  let rowGroups = 0;
  for (const { index, metadata } of sources) {
    bytes += all[index]!.sizeBytes;
    rowGroups += listOf(metadata, FIELD.rowGroups).values.length;
  }
  return bytes >= copyRowGroupBytes * rowGroups;
}

async function copy(
  sources: readonly OpenSource[],
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  let offset = 0;
  const push = async (bytes: Uint8Array) => {
    await write(bytes);
    offset += bytes.length;
  };
  await push(MAGIC);
  const rowGroups: ThriftStruct[] = [];
  let rows = 0;
  for (const { file, metadata } of sources) {
    await withPath(file.path, 'Parquet', async () => {
      for (const rowGroup of structsOf(metadata, FIELD.rowGroups)) {
        rowGroups.push(await copyRowGroup(rowGroup, file, () => offset, push));
        rows +=
          integerOf(rowGroup, ROW_GROUP_ROWS) ?? corrupt('a row group does not say how many rows it has');
      }
    });
  }
  // Everything else (columns, their order, who wrote it) is the first one's.
  const fields = new Map(sources[0]!.metadata.fields);
  fields.set(FIELD.rows, { kind: 'integer', type: 6, value: BigInt(rows) });
  fields.set(FIELD.rowGroups, { ...listOf(sources[0]!.metadata, FIELD.rowGroups), values: rowGroups });
  const footer = encodeStruct({ kind: 'struct', fields });
  await push(footer);
  const end = new Uint8Array(4);
  new DataView(end.buffer).setUint32(0, footer.length, true);
  await push(end);
  await push(MAGIC);
}

async function encodeAgain(
  sources: readonly OpenSource[],
  { spec, sortBy }: ParquetMergeOptions,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const first = sources[0]!.file;
  const schema: Schema = await withPath(first.path, 'Parquet', async () => ({
    fields: readFileSchema(await readFooter(first)).map(fieldOf),
  }));
  const writer = (await parquetFormat(spec)).createWriter(schema, null);
  const rows = sortBy.length === 0 ? inOrder(writer, spec) : sorted(writer, spec, schema, sortBy);
  for (const { file } of sources) {
    const decoder = new ParquetFileDecoder({
      schema,
      batchRows: BATCH_ROWS,
      keepLines: false,
      onBadRecord: ({ reason, place }) => corrupt(`${place ?? 'a row'}: ${reason}`),
    });
    await decoder.begin(file, null);
    for (let batch = await decoder.next(); batch !== null; batch = await decoder.next()) {
      const bytes = rows.append(batch);
      if (bytes.length > 0) await write(bytes);
    }
  }
  const bytes = rows.flush();
  if (bytes.length > 0) await write(bytes);
  await write(writer.finish());
}

interface RowSink {
  /** @returns bytes that are due */
  append(batch: Batch): Uint8Array;
  flush(): Uint8Array;
}

const NOTHING = new Uint8Array(0);

function inOrder(writer: BulkWriter, { rowGroupBytes }: ParquetSpec): RowSink {
  return {
    append(batch) {
      writer.append(batch, identityRows(batch.length), 0, batch.length);
      return writer.memoryBytes >= rowGroupBytes ? writer.flush() : NOTHING;
    },
    flush: () => NOTHING,
  };
}

/** Rows wait until there are enough for a row group, which is then written in order. */
function sorted(
  writer: BulkWriter,
  { rowGroupBytes }: ParquetSpec,
  schema: Schema,
  sortBy: readonly string[],
): RowSink {
  let waiting = new RowBuffer(schema);
  const flush = () => {
    if (waiting.length === 0) return NOTHING;
    const batch = new RowBatch(schema, waiting.columns, waiting.length);
    writer.append(batch, sortedRows(batch, sortBy), 0, batch.length);
    waiting = new RowBuffer(schema);
    return writer.flush();
  };
  return {
    append(batch) {
      waiting.append(batch, identityRows(batch.length), 0, batch.length);
      return waiting.memoryBytes >= rowGroupBytes ? flush() : NOTHING;
    },
    flush,
  };
}
