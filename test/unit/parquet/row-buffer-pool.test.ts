import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RowBufferPool } from '../../../formats/parquet/row-buffer-pool.ts';
import { Batch } from '../../../lib/core/batch.ts';
import { identityRows } from '../../../lib/core/column.ts';
import { RowBuffer } from '../../../lib/core/row-buffer.ts';
import { anySchema, anyType, batchOf, schemaAndRows } from './arbitrary-rows.ts';

const schema = {
  fields: [
    { name: 'id', type: { kind: 'int64' } as const, nullable: false },
    { name: 'name', type: { kind: 'string' } as const, nullable: false },
  ],
};
const ROWS = 8192;
const batch = batchOf(
  schema,
  Array.from({ length: ROWS }, (_, id) => ({ id, name: `name ${id % 100}` })),
  false,
);

/** Appends as a writer does. @returns the capacity afterwards */
function append(pool: RowBufferPool, buffer: RowBuffer, rows: number): number {
  pool.makeRoom(buffer, rows);
  buffer.append(batch, identityRows(rows), 0, rows);
  return buffer.capacity;
}

/** A buffer filled in batches. */
function fill(
  pool: RowBufferPool,
  rows: number,
): { readonly buffer: RowBuffer; readonly capacities: number[] } {
  const buffer = pool.take(schema);
  const capacities = new Set<number>();
  for (let left = rows; left > 0; left -= ROWS) capacities.add(append(pool, buffer, Math.min(left, ROWS)));
  return { buffer, capacities: [...capacities] };
}

describe('room for rows', () => {
  it('doubles for the first long buffer; the next one gets as much as that had, and some more', () => {
    const pool = new RowBufferPool(1 << 30);
    expect(fill(pool, 160_000).capacities).toEqual([8192, 16_384, 32_768, 65_536, 131_072, 262_144]);
    const { buffer, capacities } = fill(pool, 170_000);
    expect(capacities).toEqual([8192, 16_384, Math.floor(160_000 * 1.07)]);
    expect(buffer.length).toBe(170_000);
  });

  it('is no more than the pool could keep', () => {
    const pool = new RowBufferPool(1024 * 1024);
    fill(pool, 160_000);
    const { buffer, capacities } = fill(pool, 20_000);
    expect(capacities.at(-1)).toBeGreaterThan(32_768);
    expect(buffer.memoryBytes).toBeLessThanOrEqual(1024 * 1024);
  });

  it('forgets a buffer that was longer than those after it', () => {
    const capacityAfter = (shorter: number) => {
      const pool = new RowBufferPool(1 << 20);
      pool.give(fill(pool, 1_000_000).buffer);
      for (let i = 0; i < shorter; i++) pool.give(fill(pool, 20_000).buffer);
      // Those that came back have grown already.
      for (let idle = 0; idle < 8; idle++) pool.take(schema);
      return fill(pool, 40_000).capacities.at(-1)!;
    };
    expect(capacityAfter(1)).toBe(55_230);
    expect(capacityAfter(8)).toBe(65_536);
  });

  it('is not reserved where rows come mixed, whatever the longest buffer has', () => {
    const pool = new RowBufferPool(1 << 30);
    const long = fill(pool, 500_000).buffer;
    const buffers = Array.from({ length: 3 }, () => pool.take(schema));
    for (let batches = 0; batches < 5; batches++)
      for (const buffer of [long, ...buffers]) append(pool, buffer, ROWS);
    expect(buffers.map(({ capacity }) => capacity)).toEqual([65_536, 65_536, 65_536]);
  });

  it('is reserved though some rows go elsewhere', () => {
    const pool = new RowBufferPool(1 << 30);
    const late = fill(pool, 160_000).buffer;
    const buffer = pool.take(schema);
    for (let batches = 0; batches < 3; batches++) {
      append(pool, buffer, ROWS);
      append(pool, late, 2);
    }
    expect(buffer.capacity).toBe(Math.floor((160_000 + 4) * 1.07));
  });

  it('keeps the rows that are there, of any type', () => {
    fc.assert(
      fc.property(
        schemaAndRows(anySchema(anyType(2)), 40),
        fc.boolean(),
        fc.nat(1000),
        (table, dictionaries, room) => {
          const from = batchOf(table.schema, table.rows, dictionaries);
          const rows = table.rows.length;
          const plain = new RowBuffer(table.schema);
          const roomy = new RowBuffer(table.schema);
          for (const half of [0, 1]) {
            const [start, end] = half === 0 ? [0, rows >> 1] : [rows >> 1, rows];
            for (const buffer of [plain, roomy]) buffer.append(from, identityRows(rows), start, end);
            roomy.reserve(room);
          }
          expect(roomy.capacity).toBeGreaterThanOrEqual(room);
          const recordsOf = ({ columns }: RowBuffer) => {
            const whole = new Batch(table.schema, columns, rows);
            return Array.from({ length: rows }, (_, row) => whole.record(row));
          };
          expect(recordsOf(roomy)).toEqual(recordsOf(plain));
        },
      ),
      { numRuns: 200 },
    );
  });
});
