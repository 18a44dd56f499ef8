/** Rows of a file, as the product reads it: through the split reader, with the format that a spec describes. */
import { createInputFormat } from '../../formats/input-format.ts';
import { Batch } from '../../lib/core/batch.ts';
import { appendColumnRange, emptyColumn } from '../../lib/core/column.ts';
import type { DataType, Schema } from '../../lib/core/data-type.ts';
import type { InputFormatSpec } from '../../lib/core/specs.ts';
import { selectRoots } from '../../lib/source/file-selector.ts';
import { sampleSchema } from '../../lib/source/schema-sampler.ts';
import { type Split, startPosition } from '../../lib/source/split.ts';
import { SplitReader } from '../../lib/source/split-reader.ts';
import type { SplitReaderOptions } from '../../lib/source/split-reader-options.ts';
import type { FileSystem } from '../../lib/storage/file-system.ts';

export interface ReadOptions extends Partial<SplitReaderOptions> {
  /** After each batch the file is closed, and opened again at the position, with another reader. */
  readonly resume?: boolean;
  readonly schema?: Schema;
}

export interface ReadInput {
  readonly schema: Schema;
  readonly rows: readonly Record<string, unknown>[];
  readonly rejected: number;
}

/** @param spec the format; the schema is what the file says or shows where `options` gives none */
export async function readInput(
  fileSystem: FileSystem,
  path: string,
  spec: InputFormatSpec,
  options: ReadOptions = {},
): Promise<ReadInput> {
  const format = await createInputFormat(spec);
  const schema = options.schema ?? (await schemaOfFile(fileSystem, path, spec));
  const status = (await fileSystem.stat(path))!;
  const readerOf = () =>
    new SplitReader({
      fileSystem,
      format,
      compression: spec.compression,
      batchRows: 8192,
      keepLines: false,
      maxRecordBytes: 1 << 25,
      onBadRecord: 'fail',
      modified: 'ignore',
      ...options,
      schema,
    });
  let split: Split = {
    id: '1.0',
    fileId: '1',
    path,
    sizeBytes: status.sizeBytes,
    modifiedNs: String(status.modifiedNs),
    compression: null,
    startByte: 0,
    endByte: null,
    position: startPosition(0),
  };
  const rows: Record<string, unknown>[] = [];
  let rejected = 0;
  let reader = readerOf();
  for (let opened = await reader.open(split); opened; ) {
    const batch = await reader.next();
    rejected += reader.takeCounts().rejected;
    if (batch === null) break;
    rows.push(...plainRows(batch));
    if (options.resume !== true) continue;
    split = JSON.parse(JSON.stringify(reader.split()));
    await reader.close();
    reader = readerOf();
    opened = await reader.open(split);
  }
  await reader.close();
  return { schema, rows, rejected };
}

export async function schemaOfFile(
  fileSystem: FileSystem,
  path: string,
  spec: InputFormatSpec,
): Promise<Schema> {
  const roots = await selectRoots(
    { paths: [path], include: [], exclude: [], recursive: true },
    fileSystem,
    () => {},
  );
  const format = await createInputFormat(spec);
  const sampled = await sampleSchema({ fileSystem, roots, format, compression: spec.compression });
  if (sampled === null) throw new Error(`${path} shows no schema`);
  return sampled.schema;
}

/** Rows in the form of test/golden/rows.json: integers, times (microseconds) and decimals as text, bytes as hex. */
export function plainRows(batch: Batch): Record<string, unknown>[] {
  // Copied as a sink copies them: what a decoder's columns are worth shows when rows of several batches meet.
  const columns = batch.columns.map((column) =>
    appendColumnRange(emptyColumn(column.type), column, 0, batch.length),
  );
  const copy = new Batch(batch.schema, columns, batch.length);
  return Array.from({ length: batch.length }, (_, row) => {
    const record = copy.record(row) as Record<string, unknown>;
    return Object.fromEntries(
      batch.schema.fields.map(({ name, type }) => [name, plainValue(type, record[name])]),
    );
  });
}

export function plainValue(type: DataType, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  switch (type.kind) {
    case 'int32':
    case 'int64':
      return String(value);
    case 'binary':
      return Buffer.from(value as Uint8Array).toString('hex');
    case 'date':
      return (value as Date).getTime() / 86_400_000;
    case 'timestamp':
      return value instanceof Date ? value.getTime() * 1000 : Number(value);
    case 'list':
      return (value as unknown[]).map((item) => plainValue(type.element, item));
    case 'struct':
      return Object.fromEntries(
        type.fields.map((field) => [
          field.name,
          plainValue(field.type, (value as Record<string, unknown>)[field.name]),
        ]),
      );
    default:
      return value;
  }
}
