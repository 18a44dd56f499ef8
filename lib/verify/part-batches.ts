/** The rows of a part, read back as the job's own input formats read them. */
import { createInputFormat } from '../../formats/input-format.ts';
import type { Batch } from '../core/batch.ts';
import type { DataType, Schema } from '../core/data-type.ts';
import type { FileInputFormat, InputFormat } from '../core/decoder.ts';
import { SluiceError } from '../core/errors.ts';
import type { InputFormatSpec, OutputFormatSpec, SchemaDriftSpec } from '../core/specs.ts';
import { openRandomFile } from '../source/random-file.ts';
import { readRange } from '../source/read-range.ts';
import { startPosition } from '../source/split.ts';
import { SplitReader } from '../source/split-reader.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { isNested } from './canonical-text.ts';

const BATCH_ROWS = 8192;
/** The schema in an Avro or Arrow file's beginning is not longer. */
const MAX_HEADER_BYTES = 4 * 1024 * 1024;
/** No record of a part is longer. */
const MAX_RECORD_BYTES = 2 ** 30;

const TEXT: DataType = { kind: 'string' };
/** Parts that are older than a column which became text have its numbers, dates and booleans as they were. */
const AS_TEXT: SchemaDriftSpec = { newField: 'ignore', mismatch: 'widen' };

/** What else is wanted of the batches. */
export interface PartReadOptions {
  /** Whether they carry their lines. */
  readonly keepLines?: boolean;
  /** The columns that are decoded; all where left out. */
  readonly columns?: ReadonlySet<string> | undefined;
  /** Whether values of other types may stand where `schema` has text. */
  readonly widened?: boolean;
}

/**
 * A batch is valid until the next one is asked for.
 * @param schema of formats that do not say it themselves; batches of the others have that of the file, which may be older
 * @throws SluiceError INPUT_CORRUPT, BAD_RECORD, NOT_FOUND
 */
export async function* partBatches(
  part: { readonly path: string; readonly sizeBytes: number },
  format: OutputFormatSpec,
  schema: Schema,
  fileSystem: FileSystem,
  { keepLines = false, columns, widened = false }: PartReadOptions = {},
): AsyncGenerator<Batch> {
  const input = await createInputFormat(inputOf(format));
  const reader = new SplitReader({
    fileSystem,
    format: input,
    compression: 'compression' in format && isWhole(format) ? format.compression : 'none',
    schema: (await fileSchema(part, input, fileSystem)) ?? readable(format, schema),
    batchRows: BATCH_ROWS,
    keepLines,
    columns,
    maxRecordBytes: MAX_RECORD_BYTES,
    onBadRecord: 'fail',
    ...(widened ? { drift: AS_TEXT } : {}),
    modified: 'ignore',
  });
  const status = await fileSystem.stat(part.path);
  try {
    const isThere = await reader.open({
      id: '0.0',
      fileId: '0',
      path: part.path,
      sizeBytes: part.sizeBytes,
      modifiedNs: String(status?.modifiedNs ?? 0),
      ...(status?.identity === undefined ? {} : { identity: String(status.identity) }),
      compression: null,
      startByte: 0,
      endByte: null,
      position: startPosition(0),
    });
    if (!isThere) throw new SluiceError('NOT_FOUND', `${part.path} is not there`, { hint: 'check the path' });
    for (;;) {
      const batch = await reader.next();
      if (reader.drift !== null) reader.passDrift();
      if (batch === null) return;
      yield batch;
    }
  } finally {
    await reader.close();
  }
}

/** What a self-describing file says of its columns; null for other formats. */
async function fileSchema(
  part: { readonly path: string; readonly sizeBytes: number },
  input: InputFormat | FileInputFormat,
  fileSystem: FileSystem,
): Promise<Schema | null> {
  if (input.access === 'random') {
    const file = await openRandomFile(fileSystem, part);
    return input.readSchema(file).finally(() => file.close());
  }
  if (input.type !== 'avro' && input.type !== 'arrow') return null;
  const head = await readRange(fileSystem, part.path, 0, Math.min(part.sizeBytes, MAX_HEADER_BYTES));
  return input.inferSchema([{ bytes: head, isWhole: head.length === part.sizeBytes }]);
}

/** What the readers do not take as it is written is read as text: JSON in CSV, NaN in it, years of five digits. */
function readable(format: OutputFormatSpec, schema: Schema): Schema {
  if (format.type === 'text') {
    const field = schema.fields.find(({ name }) => name === (format.column ?? name));
    return { fields: field === undefined ? [] : [{ ...field, type: TEXT }] };
  }
  const typeOf = format.type === 'csv' ? readableCsv : readableJson;
  return { fields: schema.fields.map((field) => ({ ...field, type: typeOf(field.type) })) };
}

function readableCsv(type: DataType): DataType {
  return isNested(type) || WRITTEN_ONLY.has(type.kind) ? TEXT : type;
}

/** Types of which CSV is written with values that it is not read with. */
const WRITTEN_ONLY: ReadonlySet<string> = new Set(['float32', 'float64', 'date', 'timestamp']);

function readableJson(type: DataType): DataType {
  switch (type.kind) {
    case 'date':
    case 'timestamp':
      return TEXT;
    case 'list':
      return { ...type, element: readableJson(type.element) };
    case 'struct':
      return { ...type, fields: type.fields.map((field) => ({ ...field, type: readableJson(field.type) })) };
    default:
      return type;
  }
}

type RowSpec = Extract<OutputFormatSpec, { readonly type: 'ndjson' | 'csv' | 'text' }>;

/** Whether the file is compressed as a whole, not inside. */
function isWhole(format: OutputFormatSpec): format is RowSpec {
  return format.type === 'ndjson' || format.type === 'csv' || format.type === 'text';
}

function inputOf(format: OutputFormatSpec): InputFormatSpec {
  switch (format.type) {
    case 'csv':
      return {
        type: 'csv',
        delimiter: format.delimiter,
        quote: '"',
        header: format.header,
        columns: null,
        nullText: format.nullText,
        quotedNewlines: format.dialect === 'standard',
        compression: format.compression,
      };
    case 'text':
      return { type: 'text', column: format.column ?? 'line', compression: format.compression };
    case 'ndjson':
      return { type: 'ndjson', compression: format.compression };
    default:
      return { type: format.type, compression: 'none' };
  }
}
