/** The format that a job's `source.format` describes. */
import type { FileInputFormat, InputFormat } from '../lib/core/decoder.ts';
import type { InputFormatSpec } from '../lib/core/specs.ts';
import { arrowInput } from './arrow/input.ts';
import { avroInput } from './avro/input.ts';
import { csvInput } from './csv/input.ts';
import { jsonInput } from './json/input.ts';
import { ndjsonInput } from './ndjson/input.ts';
import { parquetInput } from './parquet/input.ts';
import { textInput } from './text/input.ts';

/** Formats that are read as a stream of bytes. */
export type StreamFormatSpec = Exclude<InputFormatSpec, { readonly type: 'parquet' | 'arrow' }>;

export function createInputFormat(spec: StreamFormatSpec): InputFormat;
export function createInputFormat(spec: InputFormatSpec): InputFormat | FileInputFormat;
export function createInputFormat(spec: InputFormatSpec): InputFormat | FileInputFormat {
  switch (spec.type) {
    case 'ndjson':
      return ndjsonInput(spec);
    case 'csv':
      return csvInput(spec);
    case 'text':
      return textInput(spec);
    case 'arrow':
      return arrowInput(spec);
    case 'json':
      return jsonInput(spec);
    case 'avro':
      return avroInput(spec);
    case 'parquet':
      return parquetInput(spec);
  }
}
