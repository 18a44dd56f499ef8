import { describe, expect, test } from 'vitest';
import { emptyColumn } from '../../../lib/core/column.ts';
import { parseDataType } from '../../../lib/core/data-type.ts';
import { appendValue, columnsOf, readValue } from '../../../lib/core/values.ts';

describe('values given as objects', () => {
  test('empty text is no JSON, and null in its place', () => {
    const column = emptyColumn(parseDataType('json'));
    for (const value of ['{"a":1}', '', '""']) appendValue(column, value);
    expect([0, 1, 2].map((row) => readValue(column, row))).toEqual(['{"a":1}', null, '""']);
    const field = { name: 'j', type: parseDataType('json'), nullable: false };
    expect(() => columnsOf({ fields: [field] }, [{ j: '' }])).toThrow("column 'j' is null and may not be");
  });

  test('a number that float32 has only as an infinity does not fit', () => {
    const column = emptyColumn(parseDataType('float32'));
    for (const value of [1e300, -1e300, 3.5e38])
      expect(() => appendValue(column, value)).toThrow('does not fit the type float32');
    const fitting = [3.4e38, Number.POSITIVE_INFINITY, Number.NaN, 1e-60];
    for (const value of fitting) appendValue(column, value);
    expect(fitting.map((_, row) => readValue(column, row))).toEqual(fitting.map(Math.fround));
  });
});
