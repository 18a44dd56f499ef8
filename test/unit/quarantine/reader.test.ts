import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { csvInputSpec } from '../../support/job.ts';
import { NDJSON, readQuarantining } from './read-quarantining.ts';

describe('reader, on_bad_record: quarantine', () => {
  test('line and offset of each record, across chunks', async () => {
    const lines = Array.from({ length: 3000 }, (_, i) => (i % 100 === 50 ? `bad ${i}` : `{"id":${i}}`));
    const { rows, kept } = await readQuarantining('a.ndjson', Buffer.from(`${lines.join('\n')}\n`));
    expect(rows).toBe(2970);
    expect(kept.map(({ line }) => line)).toEqual(Array.from({ length: 30 }, (_, i) => i * 100 + 51));
    for (const record of kept) {
      const text = `${lines.slice(0, record.line! - 1).join('\n')}\n`;
      expect(record.offset).toBe(text.length);
      expect(Buffer.from(record.bytes).toString()).toBe(lines[record.line! - 1]);
    }
  });

  test('nothing but bad records: they are returned in bounded portions, and the positions go on', async () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `bad ${i}`);
    const { rows, kept, returned } = await readQuarantining('a.ndjson', Buffer.from(lines.join('\n')));
    expect(rows).toBe(0);
    expect(kept).toHaveLength(20_000);
    expect(returned).toBeGreaterThan(4);
  });

  test('a torn gzip: its rows are read as far as they go, and the rest is one record', async () => {
    const text = Array.from({ length: 20_000 }, (_, i) => `{"id":${(i * 7919) % 100_003}}`).join('\n');
    const gzip = gzipSync(text);
    const { rows, kept, outcome } = await readQuarantining('a.ndjson.gz', gzip.subarray(0, gzip.length / 2));
    expect(outcome).toBe('read');
    expect(rows).toBeGreaterThan(1000);
    const rest = kept.at(-1)!;
    expect(kept).toHaveLength(1);
    expect(rest).toMatchObject({ code: 'file_corrupt', complete: false });
    // What was read ends where the rest begins.
    const before = Buffer.from(text).subarray(0, rest.offset).toString();
    expect(before.split('\n').length - 1).toBe(rows);
  });

  test('a CSV file whose header says a column twice is kept as a whole', async () => {
    const { rows, kept, outcome, counts } = await readQuarantining(
      'a.csv',
      Buffer.from('id,id\n1,2\n'),
      csvInputSpec,
    );
    expect({ rows, outcome, quarantined: counts.quarantined }).toEqual({
      rows: 0,
      outcome: 'read',
      quarantined: 1,
    });
    expect(kept[0]).toMatchObject({ code: 'file_header', offset: 0, complete: false });
  });

  test('a record that is too long is kept in part, and what follows is read', async () => {
    const { rows, kept } = await readQuarantining(
      'a.ndjson',
      Buffer.from(`{"x":"${'x'.repeat(20_000)}"}\n{"id":1}\n`),
    );
    expect(rows).toBe(1);
    expect(kept).toHaveLength(1);
    expect(kept[0]).toMatchObject({ code: 'too_large', offset: 0, line: 1, complete: false });
    expect(kept[0]!.bytes.length).toBeLessThanOrEqual(10_000);
  });

  test('a field that stops the job does so in the first record, too: what is behind it is not kept in its place', async () => {
    const text = Buffer.from('{"id":1,"new":2}\n{"id":2}\n');
    const drift = { newField: 'fail', mismatch: 'bad_record' } as const;
    await expect(readQuarantining('a.ndjson', text, NDJSON, { drift })).rejects.toMatchObject({
      code: 'BAD_RECORD',
      message: expect.stringContaining("column 'new'"),
    });
  });
});
