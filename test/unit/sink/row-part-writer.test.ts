/** Row parts whose flushed memory is used again, against what was appended to each. */
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Batch } from '../../../lib/core/batch.ts';
import type { RowFormat } from '../../../lib/core/encoder.ts';
import { type MemberCompressor, rowPartFormat } from '../../../lib/sink/row-part-writer.ts';

/** A record is the letter that fills its row. */
const ROW_BYTES = 150_000;
const rowFormat: RowFormat = {
  type: 'text',
  createEncoder: () => ({
    extension: '.txt',
    header: Buffer.from('header\n'),
    encode(batch, rows, from, to, out) {
      for (let i = from; i < to; i++) out.push(Buffer.alloc(ROW_BYTES, String(batch.record(rows[i]!))));
    },
  }),
};
const none: MemberCompressor = { extension: '', compress: (bytes) => bytes };
/** Its members lie in memory of its own, all in the same. */
const scratch = new Uint8Array(4 * 1024 * 1024);
const gzip: MemberCompressor = {
  extension: '.gz',
  compress(bytes) {
    const member = gzipSync(bytes, { level: 1 });
    scratch.set(member);
    return scratch.subarray(0, member.length);
  },
};

it.each([
  ['as it is', none, (bytes: Buffer) => bytes],
  ['compressed', gzip, (bytes: Buffer) => (bytes.length === 0 ? bytes : gunzipSync(bytes))],
])('%s: each part has its rows, whenever the memory of others comes back', (_name, compressor, plain) => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ part: fc.nat(2), rows: fc.integer({ min: 1, max: 6 }) }) },
    { weight: 2, arbitrary: fc.record({ flush: fc.nat(2) }) },
    // How many of those that wait are written by now.
    { weight: 2, arbitrary: fc.record({ written: fc.integer({ min: 1, max: 4 }) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const format = rowPartFormat(rowFormat, compressor, { fields: [] });
      const parts = [0, 1, 2].map(() => ({
        writer: format.createWriter({ fields: [] }, null),
        file: Buffer.alloc(0),
        expected: Buffer.alloc(0),
      }));
      const waiting: { readonly part: number; readonly bytes: Uint8Array }[] = [];
      const write = (count: number) => {
        for (const { part, bytes } of waiting.splice(0, count)) {
          parts[part]!.file = Buffer.concat([parts[part]!.file, bytes]);
          format.recycle?.(bytes);
        }
      };
      const flushed = (part: number, bytes: Uint8Array) => {
        waiting.push({ part, bytes });
        // The next member would lie where this one does.
        if (compressor === gzip) write(1);
      };
      for (const [at, each] of steps.entries()) {
        if ('rows' in each) {
          const part = parts[each.part]!;
          const letter = String.fromCharCode(97 + (at % 26));
          const records = Array.from({ length: each.rows }, () => letter);
          const batch = Batch.ofObjects(records);
          part.writer.append(batch, Int32Array.from(records.keys()), 0, records.length);
          const header = part.expected.length === 0 ? 'header\n' : '';
          part.expected = Buffer.concat([
            part.expected,
            Buffer.from(header),
            Buffer.alloc(ROW_BYTES * each.rows, letter),
          ]);
        } else if ('flush' in each) flushed(each.flush, parts[each.flush]!.writer.flush());
        else write(each.written);
      }
      for (const [part, { writer }] of parts.entries()) flushed(part, writer.finish());
      write(waiting.length);
      for (const { file, expected } of parts) expect(plain(file).equals(expected)).toBe(true);
    }),
    { numRuns: 60 },
  );
});
