/** The ways in which NDJSON can be decoded: they differ in speed, and must in nothing else. */
import { NdjsonDecoder, type NdjsonTuning } from '../../../formats/ndjson/decoder.ts';
import type { Schema } from '../../../lib/core/data-type.ts';
import type { InputFormat } from '../../../lib/core/decoder.ts';
import { type Decoded, type DecodeOptions, decodeAll } from '../../support/decode.ts';

export const WAYS: Readonly<Record<string, NdjsonTuning>> = {
  kernel: { kernel: true, generate: true, dictionaries: true },
  'kernel, raw strings': { kernel: true, generate: true, dictionaries: false },
  'kernel, no generated code': { kernel: true, generate: false, dictionaries: true },
  'generated code': { kernel: false, generate: true, dictionaries: true },
  'generated code, raw strings': { kernel: false, generate: true, dictionaries: false },
  plain: { kernel: false, generate: false, dictionaries: true },
  'plain, raw strings': { kernel: false, generate: false, dictionaries: false },
};

/** Lone halves of surrogate pairs replaced, as UTF-8 cannot hold them. */
export function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

export function decodeBy(
  way: NdjsonTuning,
  schema: Schema,
  text: string | Uint8Array,
  options: DecodeOptions = {},
): Decoded {
  const format: InputFormat = {
    type: 'ndjson',
    splittable: true,
    createDecoder: (decoderOptions) => new NdjsonDecoder(decoderOptions, way),
    inferSchema: () => schema,
  };
  return decodeAll(format, schema, typeof text === 'string' ? Buffer.from(text) : text, options);
}
