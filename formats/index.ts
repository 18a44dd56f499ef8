/**
 * `sluice/formats`: what sluice reads and writes.
 *
 * Input: {@link ndjsonInput}, {@link csvInput}, {@link textInput}; {@link parquetInput}, which reads at any place of a file. Output by row: {@link ndjsonFormat}, {@link csvFormat},
 * {@link textFormat}, or your own `RowEncoder` ({@link rowEncoder} makes one of a function). Output in bulk:
 * {@link parquetFormat}, or your own `BulkFormat`. {@link loadCompressor} gives the compressions of row formats.
 */
export type { Batch, SourceLines } from '../lib/core/batch.ts';
export type { ByteBuffer } from '../lib/core/byte-buffer.ts';
export type {
  BadRecord,
  Decoder,
  DecoderOptions,
  DecoderStart,
  DecoderState,
  FileDecoder,
  FileInputFormat,
  FileSample,
  InputFormat,
  RandomAccessFile,
} from '../lib/core/decoder.ts';
export type { BulkFormat, BulkWriter, RowEncoder, RowFormat } from '../lib/core/encoder.ts';
export type { Compression, InputFormatSpec, OutputFormatSpec, RowCompression } from '../lib/core/specs.ts';
export { arrowFormat } from './arrow/format.ts';
export { arrowInput } from './arrow/input.ts';
export { avroFormat } from './avro/format.ts';
export { avroInput } from './avro/input.ts';
export { type Compressor, loadCompressor } from './compression/compressor.ts';
export { type CsvFormatOptions, csvFormat } from './csv/encoder.ts';
export { csvInput } from './csv/input.ts';
export type { Dialect } from './encoding/time.ts';
export { createInputFormat, type StreamFormatSpec } from './input-format.ts';
export { jsonInput } from './json/input.ts';
export { type NdjsonFormatOptions, ndjsonFormat } from './ndjson/encoder.ts';
export { ndjsonInput } from './ndjson/input.ts';
export { createOutputFormat, type OutputFormat, type OutputFormatOptions } from './output-format.ts';
export { parquetFormat } from './parquet/format.ts';
export { parquetInput } from './parquet/input.ts';
export { replayInput } from './replay/input.ts';
export { type RecordContext, rowEncoder } from './row-encoder.ts';
export { type TextFormatOptions, textFormat } from './text/encoder.ts';
export { textInput } from './text/input.ts';
