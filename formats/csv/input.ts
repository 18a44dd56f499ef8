import type { DecoderState, InputFormat } from '../../lib/core/decoder.ts';
import { inferFromCsv, inferSchemaFromCsv } from '../inference/infer-csv.ts';
import { byteOrderMark } from '../line-start.ts';
import { CsvDecoder } from './decoder.ts';
import { readHeaderNames } from './header.ts';
import type { CsvSpec } from './spec.ts';

/** CSV files. */
export function csvInput(spec: CsvSpec): InputFormat {
  return {
    type: 'csv',
    splittable: !spec.quotedNewlines,
    createDecoder: (options) => new CsvDecoder(options, spec),
    ...(spec.header ? { readHeader: (head: Uint8Array, last: boolean) => readHeader(head, last, spec) } : {}),
    inferSchema: (samples) => inferSchemaFromCsv(samples, spec),
    explainSchema: (samples) => inferFromCsv(samples, spec).evidence,
  };
}

function readHeader(head: Uint8Array, last: boolean, spec: CsvSpec): DecoderState {
  const mark = byteOrderMark(head, 0, head.length, last);
  if (mark === null) return null;
  const header = readHeaderNames(head, mark, head.length, last, spec);
  return header === null ? null : { header: header.names };
}
