import type { InputFormat } from '../../lib/core/decoder.ts';
import type { InputFormatSpec } from '../../lib/core/specs.ts';
import { TextDecoder } from './decoder.ts';

/** Lines of text as rows of one column. */
export function textInput(spec: Extract<InputFormatSpec, { type: 'text' }>): InputFormat {
  return {
    type: 'text',
    splittable: true,
    createDecoder: (options) => new TextDecoder(options),
    inferSchema: () => ({ fields: [{ name: spec.column, type: { kind: 'string' }, nullable: false }] }),
  };
}
