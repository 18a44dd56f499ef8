/** Forms that the files of other writers have. */
import * as arrow from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { readInput } from '../../support/read-input.ts';
import { memory } from '../source/reading.ts';

const read = (bytes: Uint8Array, batchRows = 2) => {
  const fileSystem = memory();
  fileSystem.put('/in/a', bytes);
  const options = { batchRows, resume: true };
  return readInput(fileSystem, '/in/a', { type: 'arrow', compression: 'none' }, options);
};

describe('an Arrow file whose schema stands in its footer only', () => {
  const columns = { id: Int32Array.from([1, 2, 3]), text: ['a', 'b', 'a'] };

  it('is read as any other, whole and in pieces', async () => {
    const bytes = arrow.tableToIPC(arrow.tableFromArrays(columns), 'file');
    const { rows } = await read(bytes);
    expect(rows).toEqual([
      { id: '1', text: 'a' },
      { id: '2', text: 'b' },
      { id: '3', text: 'a' },
    ]);
  });

  it('has its columns without a row, too', async () => {
    const table = new arrow.Table(arrow.tableFromArrays(columns).schema);
    const { schema, rows } = await read(arrow.tableToIPC(table, 'file'));
    expect(schema.fields.map(({ name }) => name)).toEqual(['id', 'text']);
    expect(rows).toEqual([]);
  });
});
