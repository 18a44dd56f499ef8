import type { InputFormat } from '../../lib/core/decoder.ts';
import type { InputFormatSpec } from '../../lib/core/specs.ts';
import { inferFromJson, inferSchemaFromJson } from '../inference/infer-json.ts';
import { NdjsonDecoder } from './decoder.ts';

/** Newline-delimited JSON. There is nothing to set; compression is the reader's affair. */
export function ndjsonInput(_spec: Extract<InputFormatSpec, { type: 'ndjson' }>): InputFormat {
  return {
    type: 'ndjson',
    splittable: true,
    createDecoder: (options) => new NdjsonDecoder(options),
    inferSchema: (samples) => inferSchemaFromJson(samples.map(({ bytes }) => bytes)),
    explainSchema: (samples) => inferFromJson(samples.map(({ bytes }) => bytes)).evidence,
  };
}
