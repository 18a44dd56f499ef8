/** The format that a job's `sink.format` describes. */
import type { BulkFormat, RowFormat } from '../lib/core/encoder.ts';
import type { OutputFormatSpec } from '../lib/core/specs.ts';
import { type StageClock, UNTIMED } from '../lib/core/stage-clock.ts';
import { type Compressor, loadCompressor } from './compression/compressor.ts';
import { csvFormat } from './csv/encoder.ts';
import { ndjsonFormat } from './ndjson/encoder.ts';
import { textFormat } from './text/encoder.ts';

export type OutputFormat =
  /** Parts are the bytes of the rows, cut into members of the compression at each flush. */
  | { readonly kind: 'row'; readonly format: RowFormat; readonly compressor: Compressor }
  /** Parts are what the format's writer says; it compresses inside. */
  | { readonly kind: 'bulk'; readonly format: BulkFormat };

export interface OutputFormatOptions {
  /**
   * Whether rows may be copied as the bytes they came in: only where part files have the schema of the input and
   * nothing of a record changes on the way. Formats that cannot do it ignore it.
   */
  readonly passThrough?: boolean;
  readonly stages?: StageClock;
  /** Budget of what uses the format; a share of it may wait in buffers for reuse. */
  readonly memoryBytes?: number;
}

/** @throws SluiceError JOB_INVALID */
export async function createOutputFormat(
  spec: OutputFormatSpec,
  options: OutputFormatOptions = {},
): Promise<OutputFormat> {
  if (spec.type === 'arrow')
    return { kind: 'bulk', format: (await import('./arrow/format.ts')).arrowFormat() };
  if (spec.type === 'avro') {
    const { avroFormat } = await import('./avro/format.ts');
    return { kind: 'bulk', format: await avroFormat(spec, options.stages) };
  }
  if (spec.type === 'parquet') {
    const { parquetFormat } = await import('./parquet/format.ts');
    const format = await parquetFormat(spec, options.stages ?? UNTIMED, options.memoryBytes);
    return { kind: 'bulk', format };
  }
  return {
    kind: 'row',
    format: rowFormat(spec, options.passThrough ?? false),
    compressor: await loadCompressor(spec.compression),
  };
}

function rowFormat(
  spec: Exclude<OutputFormatSpec, { type: 'parquet' | 'avro' | 'arrow' }>,
  passThrough: boolean,
): RowFormat {
  switch (spec.type) {
    case 'ndjson':
      return ndjsonFormat({ dialect: spec.dialect, passThrough: passThrough && spec.dialect === 'standard' });
    case 'csv':
      return csvFormat(spec);
    case 'text':
      return textFormat(spec);
  }
}
