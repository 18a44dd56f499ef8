/** The format that a job's `source.format` describes. */
import type { FileInputFormat, InputFormat } from '../lib/core/decoder.ts';
import type { InputFormatSpec } from '../lib/core/specs.ts';
import { csvInput } from './csv/input.ts';
import { ndjsonInput } from './ndjson/input.ts';
import { textInput } from './text/input.ts';

/** Formats that are read as a stream of bytes. */
export type StreamFormatSpec = Exclude<InputFormatSpec, { readonly type: 'parquet' | 'arrow' }>;

/** Formats that come with a large library are loaded when a job has them: a start would feel each. */
export function createInputFormat(spec: StreamFormatSpec): Promise<InputFormat>;
export function createInputFormat(spec: InputFormatSpec): Promise<InputFormat | FileInputFormat>;
export async function createInputFormat(spec: InputFormatSpec): Promise<InputFormat | FileInputFormat> {
  switch (spec.type) {
    case 'ndjson':
      return ndjsonInput(spec);
    case 'csv':
      return csvInput(spec);
    case 'text':
      return textInput(spec);
    case 'arrow':
      return (await import('./arrow/input.ts')).arrowInput(spec);
    case 'json':
      return (await import('./json/input.ts')).jsonInput(spec);
    case 'avro':
      return (await import('./avro/input.ts')).avroInput(spec);
    case 'parquet':
      return (await import('./parquet/input.ts')).parquetInput(spec);
  }
}
