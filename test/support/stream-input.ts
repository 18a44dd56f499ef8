import { csvInput } from '../../formats/csv/input.ts';
import { ndjsonInput } from '../../formats/ndjson/input.ts';
import { textInput } from '../../formats/text/input.ts';
import type { InputFormat } from '../../lib/core/decoder.ts';
import type { InputFormatSpec } from '../../lib/core/specs.ts';

export type LineFormatSpec = Extract<InputFormatSpec, { readonly type: 'ndjson' | 'csv' | 'text' }>;

/** The format of a spec, at once: those that `createInputFormat` need not load. */
export function streamInput(spec: LineFormatSpec): InputFormat {
  switch (spec.type) {
    case 'ndjson':
      return ndjsonInput(spec);
    case 'csv':
      return csvInput(spec);
    case 'text':
      return textInput(spec);
  }
}
