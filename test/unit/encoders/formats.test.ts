import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createOutputFormat, csvFormat, ndjsonFormat } from '../../../formats/index.ts';
import type { Batch } from '../../../lib/core/batch.ts';
import type { Schema } from '../../../lib/core/data-type.ts';
import type { OutputFormatSpec } from '../../../lib/core/specs.ts';
import { readValue } from '../../../lib/core/values.ts';
import { type LineFormatSpec, streamInput } from '../../support/stream-input.ts';
import { anyRecords, batchOf, EVERY_TYPE, encodeText, schemaOf } from './rows.ts';

const CSV_OUT = {
  type: 'csv',
  compression: 'gzip',
  dialect: 'standard',
  delimiter: ',',
  header: true,
  nullText: '',
} as const;

/** All rows of a file, as values; `keep` sees the batch while it is valid. */
function decode(spec: LineFormatSpec, schema: Schema, file: Uint8Array, keep: (batch: Batch) => void): void {
  const decoder = streamInput(spec).createDecoder({
    schema,
    batchRows: 8192,
    keepLines: true,
    onBadRecord: ({ reason, column }) => {
      throw new Error(`${column}: ${reason}`);
    },
  });
  // Decoders read some bytes beyond the end of what they are given.
  const bytes = new Uint8Array(file.length + 64);
  bytes.set(file);
  decoder.begin({ offset: 0, state: null });
  let at = 0;
  for (;;) {
    at = decoder.decode(bytes, at, file.length, true);
    const rows = decoder.rows;
    if (rows > 0) keep(decoder.take());
    if (at >= file.length) return;
    if (rows === 0) throw new Error(`the decoder stands still at ${at}`);
  }
}

describe('output formats', () => {
  test.each([
    [{ type: 'ndjson', compression: 'none', dialect: 'hive' }, '.ndjson', ''],
    [CSV_OUT, '.csv', '.gz'],
    [{ type: 'text', compression: 'zstd', column: 'a' }, '.txt', '.zst'],
  ] as const)('%j', async (spec: OutputFormatSpec, extension, compressed) => {
    const output = await createOutputFormat(spec);
    if (output.kind !== 'row') throw new Error('a row format was expected');
    expect(output.format.type).toBe(spec.type);
    expect(output.compressor.extension).toBe(compressed);
    const encoder = output.format.createEncoder(schemaOf({ a: 'string' }));
    expect(encoder.extension).toBe(extension);
    expect(encoder.header !== null).toBe(spec.type === 'csv' && spec.header);
  });

  test('parquet is a bulk format', async () => {
    const output = await createOutputFormat({
      type: 'parquet',
      engine: 'sluice',
      compression: 'snappy',
      rowGroupBytes: 1e6,
      pageBytes: 1e4,
    });
    expect(output.kind).toBe('bulk');
    expect(output.format.type).toBe('parquet');
  });

  test('the hive dialect reaches the encoder, and takes pass-through back', async () => {
    const spec = { type: 'ndjson', compression: 'none', dialect: 'hive' } as const;
    const output = await createOutputFormat(spec, { passThrough: true });
    if (output.kind !== 'row') throw new Error('a row format was expected');
    const schema = schemaOf({ t: 'timestamp(ms)' });
    const file = Buffer.from('{"t":"2026-11-22T13:14:15.123Z"}\n');
    const seen: string[] = [];
    decode({ type: 'ndjson', compression: 'none' }, schema, file, (batch) => {
      expect(batch.lines).not.toBeNull();
      seen.push(encodeText(output.format.createEncoder(schema), batch));
    });
    expect(seen).toEqual(['{"t":"2026-11-22 13:14:15.123"}\n']);
  });
});

describe('what we write, we read', () => {
  const schema = schemaOf(EVERY_TYPE);
  const values = (batch: Batch) =>
    Array.from({ length: batch.length }, (_, row) => batch.columns.map((column) => readValue(column, row)));
  const csvIn = { type: 'csv', delimiter: ',', quote: '"', columns: null, quotedNewlines: true } as const;

  test('NDJSON, and passed through as lines (property)', () => {
    fc.assert(
      fc.property(anyRecords(schema), (generated) => {
        // JSON has one null: that of a json column reads back as the null of the row.
        const records = generated.map((record) =>
          record.doc === 'null' ? { ...record, doc: null } : record,
        );
        const batch = batchOf(EVERY_TYPE, records);
        const text = encodeText(ndjsonFormat().createEncoder(schema), batch);
        const read: unknown[][] = [];
        let passed = '';
        const passing = ndjsonFormat({ passThrough: true }).createEncoder(schema);
        decode({ type: 'ndjson', compression: 'none' }, schema, Buffer.from(text), (decoded) => {
          read.push(...values(decoded));
          passed += encodeText(passing, decoded);
        });
        expect(read).toEqual(values(batch));
        expect(passed).toBe(text);
      }),
      { numRuns: 60 },
    );
  });

  test('CSV with header (property)', () => {
    const flat = schemaOf(
      Object.fromEntries(Object.entries(EVERY_TYPE).filter(([, type]) => !/[<]/.test(type))),
    );
    const types = Object.fromEntries(Object.entries(EVERY_TYPE).filter(([, type]) => !/[<]/.test(type)));
    fc.assert(
      fc.property(anyRecords(flat), fc.constantFrom('', 'NULL'), (records, nullText) => {
        const batch = batchOf(types, records);
        const encoder = csvFormat({ nullText }).createEncoder(flat);
        const file = Buffer.concat([encoder.header!, Buffer.from(encodeText(encoder, batch))]);
        const read: unknown[][] = [];
        const spec = {
          ...csvIn,
          header: true,
          nullText: nullText === '' ? null : nullText,
          compression: 'none',
        } as const;
        decode(spec, flat, file, (decoded) => read.push(...values(decoded)));
        expect(read).toEqual(values(batch));
      }),
      { numRuns: 60 },
    );
  });
});
