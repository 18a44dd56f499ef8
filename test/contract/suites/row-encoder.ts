/** What every RowEncoder has to do. For your own: import this, and call it with a way to make encoder and batches. */
import { describe, expect, it } from 'vitest';
import type { Batch } from '../../../lib/core/batch.ts';
import { ByteBuffer } from '../../../lib/core/byte-buffer.ts';
import type { RowEncoder } from '../../../lib/core/encoder.ts';

export interface RowEncoderFixture {
  readonly encoder: RowEncoder;
  /** Batches of at least two rows. */
  readonly batches: readonly Batch[];
}

function encoded(encoder: RowEncoder, batch: Batch, rows: readonly number[]): string {
  const out = new ByteBuffer(1);
  encoder.encode(batch, Int32Array.from(rows), 0, rows.length, out);
  return Buffer.from(out.view()).toString('latin1');
}

function allRows(batch: Batch): number[] {
  return Array.from({ length: batch.length }, (_, i) => i);
}

export function rowEncoderSuite(name: string, make: () => RowEncoderFixture): void {
  describe(`RowEncoder contract: ${name}`, () => {
    it('has an extension with its dot, which names no hidden or temporary file', () => {
      expect(make().encoder.extension).toMatch(/^\.[a-z0-9][a-z0-9.]*$/);
    });

    it('makes of many rows what it makes of each, one after the other', () => {
      const { encoder, batches } = make();
      for (const batch of batches) {
        const one = allRows(batch).map((row) => encoded(encoder, batch, [row]));
        expect(encoded(encoder, batch, allRows(batch))).toBe(one.join(''));
        for (const bytes of one) expect(bytes).not.toBe('');
      }
    });

    it('takes rows in any order, and again', () => {
      const { encoder, batches } = make();
      for (const batch of batches) {
        const rows = [...allRows(batch).reverse(), 0, 0];
        expect(encoded(encoder, batch, rows)).toBe(
          rows.map((row) => encoded(encoder, batch, [row])).join(''),
        );
      }
    });

    it('takes a part of the row numbers, none included', () => {
      const { encoder, batches } = make();
      const batch = batches[0]!;
      const out = new ByteBuffer(1);
      encoder.encode(batch, Int32Array.of(0, 1, 0), 1, 2, out);
      expect(Buffer.from(out.view()).toString('latin1')).toBe(encoded(encoder, batch, [1]));
      encoder.encode(batch, Int32Array.of(0, 1, 0), 2, 2, out);
      expect(Buffer.from(out.view()).toString('latin1')).toBe(encoded(encoder, batch, [1]));
    });

    it('appends: what is in the buffer stays', () => {
      const { encoder, batches } = make();
      const batch = batches[0]!;
      const out = new ByteBuffer(1);
      out.pushText('before');
      encoder.encode(batch, Int32Array.of(0), 0, 1, out);
      expect(Buffer.from(out.view()).toString('latin1')).toBe(`before${encoded(encoder, batch, [0])}`);
    });

    it('keeps nothing: many parts in turn, and a fresh encoder, give the same', () => {
      const { encoder, batches } = make();
      const first = batches.map((batch) => encoded(encoder, batch, allRows(batch)));
      const again = [...batches].reverse().map((batch) => encoded(encoder, batch, allRows(batch)));
      expect(again.reverse()).toEqual(first);
      const fresh = make();
      expect(fresh.batches.map((batch) => encoded(fresh.encoder, batch, allRows(batch)))).toEqual(first);
    });
  });
}
