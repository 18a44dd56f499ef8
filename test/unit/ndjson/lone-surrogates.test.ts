/** Half a character, `"\ud83d"`, is JSON and no text: readers of Parquet refuse a column of JSON that has one. */
import { describe, expect, it } from 'vitest';
import { csvInput } from '../../../formats/csv/input.ts';
import { RescuedColumn } from '../../../formats/rescued-column.ts';
import { readValue } from '../../../lib/core/values.ts';
import { decodeAll } from '../../support/decode.ts';
import { csvInputSpec, schemaOf } from '../../support/job.ts';
import { decodeBy, WAYS } from './ways.ts';

/** Values, and what becomes of them. */
const VALUES: readonly (readonly [string, string])[] = [
  ['"\\ud83d"', '"\\ufffd"'],
  ['{"a\\uDE00":["\\uD83Dx","y"]}', '{"a\\ufffd":["\\ufffdx","y"]}'],
  ['["\\ude00\\ud83d"]', '["\\ufffd\\ufffd"]'],
  ['["\\ud83d\\ud83d\\uDe00"]', '["\\ufffd\\ud83d\\uDe00"]'],
  // Whole characters, and an escaped backslash before letters that look like one.
  [
    '["\\ud83d\\ude00","\\\\ud83d","\\\\\\ud83d","\\ud7ff\\ue000"]',
    '["\\ud83d\\ude00","\\\\ud83d","\\\\\\ufffd","\\ud7ff\\ue000"]',
  ],
  ['"\\\\"', '"\\\\"'],
  ['"\\ud83d\\\\ude00"', '"\\ufffd\\\\ude00"'],
];

describe('lone surrogates become U+FFFD', () => {
  for (const [name, way] of Object.entries(WAYS)) {
    it(`in json columns of NDJSON, and within lists: ${name}`, () => {
      const text = VALUES.map(([value]) => `{"j":${value},"l":[1,${value}]}\n`).join('');
      const { rows } = decodeBy(way, schemaOf({ j: 'json', l: 'list<json>' }), text);
      expect(rows).toEqual(VALUES.map(([, kept]) => ({ j: kept, l: ['1', kept] })));
      const alone = decodeBy(way, schemaOf({ j: 'json' }), text);
      expect(alone.rows).toEqual(VALUES.map(([, kept]) => ({ j: kept })));
    });
  }

  it('in json columns of CSV', () => {
    const text = VALUES.map(([value]) => `"${value.replaceAll('"', '""')}"\n`).join('');
    const { rows } = decodeAll(csvInput(csvInputSpec), schemaOf({ j: 'json' }), Buffer.from(`j\n${text}`));
    expect(rows).toEqual(VALUES.map(([, kept]) => ({ j: kept })));
  });

  it('in what is rescued', () => {
    const rescued = new RescuedColumn(10);
    VALUES.forEach(([value], row) => {
      rescued.keep('a', value);
      rescued.endRecord(row);
    });
    const column = rescued.finish(VALUES.length);
    expect(VALUES.map((_, row) => readValue(column, row))).toEqual(VALUES.map(([, kept]) => `{"a":${kept}}`));
  });
});
