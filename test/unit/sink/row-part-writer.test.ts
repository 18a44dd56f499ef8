/** Row parts whose flushed memory is used again, against what was appended to each. */
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { basePathAssigner } from '../../../bucketing/base-path.ts';
import { Batch } from '../../../lib/core/batch.ts';
import type { RowFormat } from '../../../lib/core/encoder.ts';
import { Buckets } from '../../../lib/sink/buckets.ts';
import { type MemberCompressor, rowPartFormat } from '../../../lib/sink/row-part-writer.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryFileSystem } from '../../support/memory-file-system.ts';
import { neverRoll } from '../../support/sink-harness.ts';
import { SlowDisk } from '../../support/slow-disk.ts';

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

it('the memory of a flush serves the next one, once it is given back and not before', () => {
  const format = rowPartFormat(rowFormat, none, { fields: [] });
  const writer = format.createWriter({ fields: [] }, null);
  const batch = Batch.ofObjects(['a', 'b', 'c', 'd']);
  const flush = () => {
    writer.append(batch, Int32Array.of(0, 1, 2, 3), 0, 4);
    return writer.flush();
  };
  const [first, second] = [flush(), flush()];
  expect(second.buffer).not.toBe(first.buffer);
  format.recycle?.(second);
  expect(flush().buffer).toBe(second.buffer);
  expect(flush().buffer).not.toBe(second.buffer);
});

it('a sink gives the memory of a flush back when the disk has its bytes', async () => {
  const fileSystem = new MemoryFileSystem(new ManualClock());
  const files = new Map<string, Buffer>();
  // Whoever writes over bytes before they have arrived is found out.
  Object.defineProperty(fileSystem, 'recoverableWriter', { value: new SlowDisk(files) });
  const sink = new Buckets({
    path: '/lake',
    staging: null,
    naming: { prefix: 'part', jobId: '0a1b2c3d', suffix: '.txt' },
    subtask: 0,
    schema: { fields: [] },
    format: rowPartFormat(rowFormat, none, { fields: [] }),
    assigner: basePathAssigner(),
    policy: neverRoll,
    memoryBytes: 64 * 1024 * 1024,
    flushBytes: 2 * ROW_BYTES,
    fileSystem,
    segmentsFolder: '/state/segments',
    runId: 'aa',
    clock: new ManualClock(),
    checkpointId: 0,
  });
  const letters = Array.from({ length: 40 }, (_, at) => String.fromCharCode(97 + (at % 26)));
  for (const letter of letters) {
    await sink.write(Batch.ofObjects([letter]), {
      watermarkMs: Number.NEGATIVE_INFINITY,
      timestampsMs: null,
    });
    // Some writes are over when the next rows come, and some are not.
    await new Promise(setImmediate);
  }
  await sink.snapshot(1, true);
  const expected = letters.map((letter) => letter.repeat(ROW_BYTES)).join('');
  expect([...files.values()].map((file) => file.toString())).toEqual([`header\n${expected}`]);
});
