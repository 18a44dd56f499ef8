import { parquetReadObjects } from 'hyparquet';
import { expect, it } from 'vitest';
import { parquetFormat } from '../../../formats/parquet/format.ts';
import { identityRows } from '../../../lib/core/column.ts';
import type { BulkWriter } from '../../../lib/core/encoder.ts';
import { batchOf } from './arbitrary-rows.ts';

const schema = {
  fields: [
    { name: 'id', type: { kind: 'int64' } as const, nullable: true },
    { name: 'name', type: { kind: 'string' } as const, nullable: true },
  ],
};
const BATCH = 8192;
const open = () =>
  parquetFormat({
    type: 'parquet',
    engine: 'sluice',
    compression: 'none',
    rowGroupBytes: 32 << 20,
    pageBytes: 1 << 20,
  });
const rowOf = (id: number) => ({
  id: id % 7 === 0 ? null : BigInt(id),
  name: id % 5 === 0 ? null : `name ${id}`,
});

/** Rows `from` to `from + count`, in batches. */
function append(writer: BulkWriter, from: number, count: number): void {
  for (let at = from; at < from + count; at += BATCH) {
    const rows = Math.min(BATCH, from + count - at);
    const batch = batchOf(
      schema,
      Array.from({ length: rows }, (_, i) => rowOf(at + i)),
      false,
    );
    writer.append(batch, identityRows(rows), 0, rows);
  }
}

async function readBack(...pieces: Uint8Array[]): Promise<unknown[]> {
  return parquetReadObjects({ file: new Uint8Array(Buffer.concat(pieces)).buffer });
}

const expected = (rows: number) => Array.from({ length: rows }, (_, id) => rowOf(id));

it('a part that goes on in the buffer of one before has its rows, in its file and in its tails', async () => {
  const format = await open();
  const before = format.createWriter(schema, null);
  append(before, 1_000_000, 60_000);
  before.finish();
  const writer = format.createWriter(schema, null);
  append(writer, 0, 16_000);
  const tails = [writer.saveRows(0)];
  append(writer, 16_000, 14_000);
  tails.push(writer.saveRows(16_000));
  const restored = format.createWriter(schema, null);
  for (const tail of tails) restored.restoreRows(tail);
  expect(writer.bufferedRows).toBe(30_000);
  expect(await readBack(writer.finish())).toEqual(expected(30_000));
  expect(await readBack(restored.finish())).toEqual(expected(30_000));
});

it('the memory of what was written is that of the next row group, and not before', async () => {
  const format = await open();
  const writer = format.createWriter(schema, null);
  append(writer, 0, 40_000);
  const first = writer.flush();
  append(writer, 40_000, 40_000);
  const second = writer.flush();
  // Not compared by `toBe`, which would print megabytes.
  expect(second.buffer === first.buffer).toBe(false);
  const kept = first.slice();
  format.recycle?.(first);
  append(writer, 80_000, 40_000);
  const third = writer.finish();
  expect(third.buffer === first.buffer).toBe(true);
  expect(await readBack(kept, second, third)).toEqual(expected(120_000));
});

it('parts of two schemas do not get into the buffers of each other', async () => {
  const format = await open();
  const writer = format.createWriter(schema, null);
  append(writer, 0, 2 * BATCH);
  const reversed = format.createWriter({ fields: [...schema.fields].reverse() }, null);
  append(reversed, 500_000, 10 * BATCH);
  reversed.finish();
  append(writer, 2 * BATCH, 2 * BATCH);
  expect(await readBack(writer.finish())).toEqual(expected(4 * BATCH));
});
