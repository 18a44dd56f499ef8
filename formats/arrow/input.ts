/** Arrow IPC files and streams as an input format. */
import { RecordBatchReader } from 'apache-arrow';
import type { Schema } from '../../lib/core/data-type.ts';
import type { FileInputFormat, RandomAccessFile } from '../../lib/core/decoder.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import type { InputFormatSpec } from '../../lib/core/specs.ts';
import { withPath } from '../corrupt.ts';
import { schemaOfArrow } from './arrow-type.ts';
import { ArrowDecoder } from './decoder.ts';
import { findMessages, readSchemaMessage } from './messages.ts';

export function arrowInput(_spec: Extract<InputFormatSpec, { type: 'arrow' }>): FileInputFormat {
  return {
    type: 'arrow',
    access: 'random',
    createDecoder: (options) => new ArrowDecoder(options),
    readSchema: (file) => withPath(file.path, 'Arrow', () => readSchema(file)),
  };
}

async function readSchema(file: RandomAccessFile): Promise<Schema> {
  const range = await findMessages(file);
  const message = await readSchemaMessage(file, range);
  const schema = schemaOfArrow(RecordBatchReader.from(message.header).open().schema);
  if (!('unknown' in schema)) return schema;
  throw new SluiceError('SCHEMA_UNKNOWN', `${file.path}: ${schema.unknown}, which no column holds`, {
    hint: 'give a schema without that column: what it does not name is not read',
    details: { path: file.path },
  });
}
