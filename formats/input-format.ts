/** The format that a job's `source.format` describes. */
import type { InputFormat } from '../lib/core/decoder.ts';
import type { InputFormatSpec } from '../lib/core/specs.ts';
import { csvInput } from './csv/input.ts';
import { ndjsonInput } from './ndjson/input.ts';
import { textInput } from './text/input.ts';

export function createInputFormat(spec: InputFormatSpec): InputFormat {
  switch (spec.type) {
    case 'ndjson':
      return ndjsonInput(spec);
    case 'csv':
      return csvInput(spec);
    case 'text':
      return textInput(spec);
  }
}
