import { describe, expect, test } from 'vitest';
import { sliceColumn } from '../../../formats/columns/slice-column.ts';
import { emptyColumn, FixedColumn } from '../../../lib/core/column.ts';
import { parseDataType } from '../../../lib/core/data-type.ts';
import { appendValue, readValue } from '../../../lib/core/values.ts';

describe('columns over memory of others', () => {
  const values: readonly [string, readonly unknown[]][] = [
    ['float64', [1.5, null, -2.25, 1e300, null, 0.1, 7]],
    ['float32', [1.5, null, -2.25, 0.5, null, 4, 7]],
    ['int64', [1n, null, -5n, 2n ** 60n, null, 0n, 7n]],
    ['boolean', [true, null, false, true, null, false, true]],
    ['string', ['a', null, '', 'ü', null, 'x', 'y']],
  ];
  test.each(values)('slices of %s read as the rows that they are of', (type, rows) => {
    const column = emptyColumn(parseDataType(type));
    for (const value of rows) appendValue(column, value);
    for (let from = 0; from < rows.length; from++) {
      for (let to = from; to <= rows.length; to++) {
        const sliced = sliceColumn(column, from, to);
        expect(Array.from({ length: to - from }, (_, i) => readValue(sliced, i))).toEqual(
          rows.slice(from, to),
        );
      }
    }
  });

  test('adopted doubles are seen as doubles, aligned or not', () => {
    const words = new Int32Array(new Float64Array([0, 1.5, 2.5]).buffer);
    const shifted = new Int32Array(8);
    shifted.set(words, 1);
    for (const adopted of [words, shifted.subarray(1, 7)]) {
      const column = new FixedColumn({ kind: 'float64' }, 2, 0);
      column.adopt(adopted);
      expect([...column.float64]).toEqual([0, 1.5, 2.5]);
    }
  });
});
