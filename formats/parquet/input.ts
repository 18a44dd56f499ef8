/** Parquet as an input format. The footer of a file says what it has, so nothing is sampled. */
import type { FileInputFormat } from '../../lib/core/decoder.ts';
import type { InputFormatSpec } from '../../lib/core/specs.ts';
import { withPath } from '../corrupt.ts';
import { ParquetFileDecoder } from './reader/decoder.ts';
import { fieldOf, readFileSchema } from './reader/file-schema.ts';
import { readFooter } from './reader/read-footer.ts';

/** All there is to set is which columns are read: those of the schema. */
export function parquetInput(_spec: Extract<InputFormatSpec, { type: 'parquet' }>): FileInputFormat {
  return {
    type: 'parquet',
    access: 'random',
    createDecoder: (options) => new ParquetFileDecoder(options),
    readSchema: (file) =>
      withPath(file.path, 'Parquet', async () => ({
        fields: readFileSchema(await readFooter(file)).map(fieldOf),
      })),
  };
}
