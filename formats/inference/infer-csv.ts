/** Schemas from CSV samples. */
import type { DataType, Schema } from '../../lib/core/data-type.ts';
import type { FileSample } from '../../lib/core/decoder.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import type { CsvSpec } from '../csv/spec.ts';
import { type CsvField, splitRecord } from '../csv/split-record.ts';
import { type ColumnEvidence, type Kind, numberKind, Shape, textKind } from './shape.ts';

const MAX_RECORDS = 20_000;
/** Of a value that is shown. */
const MAX_SAMPLE_CHARACTERS = 40;

/**
 * Names come from the header, from the job's `columns`, or are column1, column2 ...
 * @param samples a last record that may be cut is left out, unless it is the only one
 * @throws SluiceError SCHEMA_UNKNOWN where there is no record to learn from
 */
export function inferSchemaFromCsv(samples: readonly FileSample[], spec: CsvSpec): Schema {
  return inferFromCsv(samples, spec).schema;
}

/** As {@link inferSchemaFromCsv}, with what each column was inferred from. */
export function inferFromCsv(
  samples: readonly FileSample[],
  spec: CsvSpec,
): { readonly schema: Schema; readonly evidence: readonly ColumnEvidence[] } {
  let seen = 0;
  let hasBareReturns = false;
  const shapes = new Map<string, Shape>();
  for (const sample of samples) {
    const records = recordsOf(sample, spec);
    const first = records[0];
    if (first === undefined) continue;
    if (spec.header && first.some((field) => field.hasReturn)) {
      // Refused when it is read: it says nothing of the others.
      hasBareReturns = true;
      continue;
    }
    const names = spec.header
      ? first.map((field) => field.text)
      : (spec.columns ?? first.map((_, i) => `column${i + 1}`));
    for (const name of names) if (!shapes.has(name)) shapes.set(name, new Shape());
    for (const record of records.slice(spec.header ? 1 : 0)) {
      if (record.length !== names.length) continue;
      seen++;
      for (const [i, field] of record.entries()) seeField(field, shapes.get(names[i]!)!, spec);
    }
  }
  if (shapes.size > 0) {
    return {
      schema: {
        fields: [...shapes].map(([name, shape]) => ({ name, type: columnType(shape), nullable: true })),
      },
      evidence: [...shapes].map(([name, shape]) => ({ name, records: seen, kinds: shape.evidence })),
    };
  }
  if (hasBareReturns)
    throw new SluiceError(
      'SCHEMA_UNKNOWN',
      'no schema can be inferred: the lines of the CSV end with CR alone',
      {
        hint: 'convert the files: `tr "\\r" "\\n"`',
      },
    );
  throw new SluiceError('SCHEMA_UNKNOWN', 'no schema can be inferred: the sampled files hold no CSV record', {
    hint: 'give source.format.schema in the job file',
  });
}

function recordsOf({ bytes: given, isWhole }: FileSample, spec: CsvSpec): CsvField[][] {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
  const records: CsvField[][] = [];
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while (at < bytes.length && records.length < MAX_RECORDS) {
    const record = splitRecord(bytes, at, isWhole || records.length === 0, spec);
    if (record === null) break;
    // Refused when it is read.
    if (records.length > 0 && record.fields.at(-1)?.isOpen) break;
    at = record.end;
    const [only, ...more] = record.fields;
    if (more.length > 0 || only?.text !== '' || only.quoted) records.push(record.fields);
  }
  return records;
}

function seeField({ text, quoted }: CsvField, shape: Shape, spec: CsvSpec): void {
  if (!quoted && (text === '' || text === spec.nullText)) return;
  shape.see(fieldKind(text), text.slice(0, MAX_SAMPLE_CHARACTERS));
}

/** What fits no one type is text: that is what it is in the file. */
function columnType(shape: Shape): DataType {
  const type = shape.type();
  return type.kind === 'json' ? { kind: 'string' } : type;
}

/** Leading zeros and signs are part of a text (007, +49...): a number type would lose them. */
function fieldKind(text: string): Kind {
  if (/^(true|false)$/i.test(text)) return 'boolean';
  if (/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return numberKind(text);
  return textKind(text);
}
