import { describe, expect, it } from 'vitest';
import { createInputFormat } from '../../../formats/input-format.ts';
import { captureRecords } from '../../../lib/pipeline/bucketless-rows.ts';
import { FilesAhead } from '../../../lib/source/files-ahead.ts';
import { capturing } from '../../../lib/source/row-capture.ts';
import { openSplitSource } from '../../../lib/source/split-source.ts';
import { schemaOf } from '../../support/job.ts';
import { memory, readerOf, splitOf } from '../source/reading.ts';

const FILE = '/in/a';
const NDJSON = { type: 'ndjson', compression: 'auto', schema: 'infer' } as const;

/** Reads a file that is read ahead and then replaced, and refuses its second row. */
async function refuseSecond(keepsAhead: boolean) {
  const fileSystem = memory();
  fileSystem.put(FILE, '{"id":1}\n{"id":2}\n');
  const ahead = new FilesAhead(fileSystem);
  const split = splitOf(fileSystem, FILE);
  ahead.add(split);
  await ahead.bytesOf(split);
  fileSystem.put(FILE, '{"id":3}\n{"id":4}\n{"id":5}\n', 9n);
  const format = await createInputFormat(NDJSON);
  const options = { format, schema: schemaOf({ id: 'int64' }) };
  const reader = readerOf(fileSystem, { ...options, ahead });
  await reader.open(split);
  const before = reader.split();
  expect((await reader.next())!.length).toBe(2);
  const again = { ...options, ahead: keepsAhead ? ahead : null };
  const records = await captureRecords(
    before,
    new Map([[1, { code: 'late', reason: 'late', column: null }]]),
    {
      createReader: (onRow) => readerOf(fileSystem, { ...again, format: capturing(format, onRow) }),
      rowsOf: (row) => row.length,
      replay: false,
      open: async () => {
        const held = await ahead.bytesOf(split);
        return (await openSplitSource(fileSystem, split, 'none', 0, () => {}, held)).source;
      },
    },
  );
  return records.map(({ bytes, ...record }) => ({ ...record, text: Buffer.from(bytes).toString() }));
}

describe('the record of a refused row', () => {
  it('is that of the file as it was read, also where that was replaced since', async () => {
    expect(await refuseSecond(true)).toMatchObject([
      { text: '{"id":2}', complete: true, offset: 9, line: 2 },
    ]);
  });

  it('is incomplete where the file is another one by now, and nobody has its bytes', async () => {
    expect(await refuseSecond(false)).toMatchObject([{ text: '', complete: false }]);
  });
});
