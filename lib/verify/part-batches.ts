/** The rows of a part, read back as the job's own input formats read them. */
import { createInputFormat } from '../../formats/input-format.ts';
import type { Batch } from '../core/batch.ts';
import type { Clock } from '../core/clock.ts';
import type { Schema } from '../core/data-type.ts';
import type { InputFormatSpec, OutputFormatSpec } from '../core/specs.ts';
import { startPosition } from '../source/split.ts';
import { SplitReader } from '../source/split-reader.ts';
import type { FileSystem } from '../storage/file-system.ts';

const BATCH_ROWS = 8192;
/** No record of a part is longer. */
const MAX_RECORD_BYTES = 2 ** 30;

/** A batch is valid until the next one is asked for. @throws SluiceError INPUT_CORRUPT, BAD_RECORD, NOT_FOUND */
export async function* partBatches(
  part: { readonly path: string; readonly sizeBytes: number },
  format: OutputFormatSpec,
  schema: Schema,
  fileSystem: FileSystem,
  clock: Clock,
): AsyncGenerator<Batch> {
  const reader = new SplitReader({
    fileSystem,
    clock,
    format: await createInputFormat(inputOf(format)),
    compression: 'compression' in format && isWhole(format) ? format.compression : 'none',
    schema,
    batchRows: BATCH_ROWS,
    keepLines: false,
    columns: undefined,
    maxRecordBytes: MAX_RECORD_BYTES,
    onBadRecord: 'fail',
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
    if (!isThere) return;
    for (;;) {
      const batch = await reader.next();
      if (batch === null) return;
      yield batch;
    }
  } finally {
    await reader.close();
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
