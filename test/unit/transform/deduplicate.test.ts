import { expect, it } from 'vitest';
import { Batch } from '../../../lib/core/batch.ts';
import { emptyColumn, FixedColumn } from '../../../lib/core/column.ts';
import { parseDataType } from '../../../lib/core/data-type.ts';
import { Deduplication } from '../../../lib/transform/deduplicate.ts';
import { KeyWindow } from '../../../lib/transform/key-window.ts';

/** Keys of one column, as the window gets them, and which rows are kept. */
function keysOf(type: string, words: readonly bigint[]): { keys: string[]; kept: boolean[] } {
  const dataType = parseDataType(type);
  const column = emptyColumn(dataType, words.length);
  if (!(column instanceof FixedColumn)) throw new Error(`${type} has another layout`);
  for (const [row, word] of words.entries()) {
    if (dataType.kind === 'date') column.values[row] = Number(word);
    else column.setBigInt(row, word);
  }
  column.length = words.length;
  const keys: string[] = [];
  const window = new KeyWindow(['k'], 100);
  const add = window.add.bind(window);
  window.add = (key) => {
    keys.push(key);
    return add(key);
  };
  const schema = { fields: [{ name: 'k', type: dataType, nullable: true }] };
  const truth = new Deduplication([0], window).fresh(new Batch(schema, [column], words.length));
  return { keys, kept: words.map((_, row) => truth[row] === 1) };
}

it.each(['timestamp(ms)', 'timestamp(us)', 'date'])(
  '%s: values beyond those of a Date are keys of their own',
  (type) => {
    const far =
      type === 'date'
        ? [2n ** 31n - 1n, 2n ** 31n - 2n, -(2n ** 31n)]
        : [2n ** 63n - 1n, 2n ** 63n - 2n, -(2n ** 63n)];
    expect(keysOf(type, [...far, ...far]).kept).toEqual([true, true, true, false, false, false]);
  },
);

it('keys of ordinary values are the texts that windows in checkpoints were made of', () => {
  const times = [0n, -1n, 1767323045123n];
  expect(keysOf('timestamp(ms)', times).keys).toEqual(['1:0', '2:-1', '13:1767323045123']);
  expect(keysOf('timestamp(us)', times).keys).toEqual(['1:0', '2:-1', '13:1767323045123']);
  expect(keysOf('date', [0n, -1n, 20455n]).keys).toEqual(['1:0', '9:-86400000', '13:1767312000000']);
});
