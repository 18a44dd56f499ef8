import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Batch } from '../../../lib/core/batch.ts';
import { identityRows } from '../../../lib/core/column.ts';
import { SluiceError } from '../../../lib/core/errors.ts';
import { RowBuffer } from '../../../lib/core/row-buffer.ts';
import { restoreRows, saveRows } from '../../../lib/core/tail.ts';
import { anySchema, anyType, batchOf, type Row, schemaAndRows } from '../parquet/arbitrary-rows.ts';
import { goldenBuffer } from './golden-tail.ts';

function rowsOf(buffer: RowBuffer): unknown[] {
  const batch = new Batch(buffer.schema, buffer.columns, buffer.length);
  return Array.from({ length: buffer.length }, (_, row) => batch.record(row));
}

function bufferOf(schema: RowBuffer['schema'], rows: readonly Row[], dictionaries: boolean): RowBuffer {
  const buffer = new RowBuffer(schema);
  buffer.append(batchOf(schema, rows, dictionaries), identityRows(rows.length), 0, rows.length);
  return buffer;
}

const examples = fc.record({
  table: schemaAndRows(anySchema(anyType(2)), 40),
  dictionaries: fc.boolean(),
  splits: fc.tuple(fc.nat(), fc.nat()),
});

describe('tail', () => {
  it('gives back every row, saved in pieces at any row', () => {
    fc.assert(
      fc.property(examples, ({ table: { schema, rows }, dictionaries, splits }) => {
        const whole = bufferOf(schema, rows, dictionaries);
        const cuts = splits.map((split) => split % (rows.length + 1)).sort((a, b) => a - b);
        const restored = new RowBuffer(schema);
        let from = 0;
        for (const to of [...cuts, rows.length]) {
          // What a checkpoint sees: the rows up to `to`, of which those before `from` were saved by an earlier one.
          restoreRows(restored, saveRows(bufferOf(schema, rows.slice(0, to), dictionaries), from));
          from = to;
        }
        expect(rowsOf(restored)).toEqual(rowsOf(whole));
        expect(restored.columns.map((column) => column.nullCount)).toEqual(
          whole.columns.map((column) => column.nullCount),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('keeps dictionaries where they pay', () => {
    const schema = { fields: [{ name: 's', type: { kind: 'string' } as const, nullable: false }] };
    const rows = Array.from({ length: 1000 }, (_, i) => ({ s: `value ${i % 7}` }));
    const buffer = bufferOf(schema, rows, true);
    const restored = new RowBuffer(schema);
    restoreRows(restored, saveRows(buffer, 0));
    const column = restored.columns[0]!;
    // Far smaller than the rows, so whole: the 7, and the one that no row uses.
    expect(column.layout === 'dictionary' && column.dictionary.count).toBe(8);
    // Of 14 rows only the 7 used values go along; of 7 rows with 7 values there is no point in a dictionary.
    expect(saveRows(buffer, 986).length).toBe(9 + 1 + 4 + 1 + 7 + 7 * 7 + 1 + 14);
    expect(saveRows(buffer, 993).length).toBe(9 + 1 + 1 + 7 + 7 * 7);
  });

  it('refuses what is cut or altered, or survives it, and never reads out of bounds', () => {
    const small = schemaAndRows(anySchema(anyType(2)), 8);
    fc.assert(
      fc.property(small, fc.boolean(), fc.nat(), fc.nat(), (table, dictionaries, where, what) => {
        const { schema, rows } = table;
        const saved = saveRows(bufferOf(schema, rows, dictionaries), 0);
        const cut = saved.slice(0, where % saved.length);
        expect(() => restoreRows(new RowBuffer(schema), cut)).toThrow(SluiceError);
        expect(() => restoreRows(new RowBuffer(schema), Uint8Array.of(...saved, 0))).toThrow(SluiceError);
        const altered = saved.slice();
        altered[where % saved.length]! ^= 1 + (what % 255);
        const buffer = new RowBuffer(schema);
        try {
          restoreRows(buffer, altered);
        } catch (error) {
          expect(['STATE_CORRUPT', 'STATE_VERSION']).toContain((error as SluiceError).code);
          expect(buffer.length).toBe(0);
          return;
        }
        rowsOf(buffer); // whatever the rows are now, they can be read
      }),
      { numRuns: 500 },
    );
  });

  it('refuses another version and another schema', () => {
    const saved = saveRows(goldenBuffer(), 0).slice();
    const other = new RowBuffer({ fields: [{ name: 'x', type: { kind: 'int32' }, nullable: true }] });
    expect(() => restoreRows(other, saved)).toThrow(/another schema/);
    saved[0] = 2;
    expect(() => restoreRows(goldenBuffer(), saved)).toThrow(/version 2/);
    expect(() => saveRows(goldenBuffer(), 99)).toThrow(SluiceError);
  });

  it('reads version 1 as it was first written', () => {
    const golden = readFileSync(new URL('../../golden/tail/v1.bin', import.meta.url));
    const restored = new RowBuffer(goldenBuffer().schema);
    restoreRows(restored, golden);
    expect(rowsOf(restored)).toEqual(rowsOf(goldenBuffer()));
    expect(Buffer.from(saveRows(goldenBuffer(), 0))).toEqual(golden);
  });
});
