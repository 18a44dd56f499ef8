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

/** Appends as a writer does. @returns the buffer to go on with */
function append(pool: RowBufferPool, buffer: RowBuffer, rows: number): RowBuffer {
  const roomy = pool.withRoomFor(buffer, rows);
  roomy.append(batch, identityRows(rows), 0, rows);
  return roomy;
}

/** A buffer filled in batches. */
function fill(
  pool: RowBufferPool,
  rows: number,
): { readonly buffer: RowBuffer; readonly capacities: number[] } {
  let buffer = pool.take(schema);
  const capacities = new Set<number>();
  for (let left = rows; left > 0; left -= ROWS) {
    buffer = append(pool, buffer, Math.min(left, ROWS));
    capacities.add(buffer.capacity);
  }
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
      for (let idle = 0; idle < 8; idle++) fill(pool, 20_000);
      return fill(pool, 40_000).capacities.at(-1)!;
    };
    expect(capacityAfter(1)).toBe(55_230);
    expect(capacityAfter(8)).toBe(65_536);
  });

  it('is not reserved where rows come mixed, whatever the longest buffer has', () => {
    const pool = new RowBufferPool(1 << 30);
    const long = fill(pool, 500_000).buffer;
    let buffers = [long, ...Array.from({ length: 3 }, () => pool.take(schema))];
    for (let batches = 0; batches < 5; batches++)
      buffers = buffers.map((buffer) => append(pool, buffer, ROWS));
    expect(buffers.slice(1).map(({ capacity }) => capacity)).toEqual([65_536, 65_536, 65_536]);
  });

  it('is reserved though some rows go elsewhere', () => {
    const pool = new RowBufferPool(1 << 30);
    let late = fill(pool, 160_000).buffer;
    let buffer = pool.take(schema);
    for (let batches = 0; batches < 3; batches++) {
      buffer = append(pool, buffer, ROWS);
      late = append(pool, late, 2);
    }
    expect(buffer.capacity).toBe(Math.floor((160_000 + 4) * 1.07));
  });

  it('is that of an idle long buffer, once a buffer grows long: late rows of another part leave it alone', () => {
    const pool = new RowBufferPool(1 << 30);
    const first = fill(pool, 160_000).buffer;
    pool.give(first);
    const late = pool.take(schema);
    expect(late).not.toBe(first);
    append(pool, late, 20);
    const { buffer, capacities } = fill(pool, 170_000);
    expect(capacities).toEqual([8192, 16_384, first.capacity]);
    expect(buffer).toBe(first);
    const records = new Batch(schema, buffer.columns, buffer.length);
    for (const row of [0, 16_383, 16_384, 169_999])
      expect(records.record(row)).toEqual(batch.record(row % ROWS));
  });

  it('is that of an idle long buffer where rows come mixed, too, and the shortest one that will do', () => {
    const pool = new RowBufferPool(1 << 30);
    const idle = [500_000, 60_000, 200_000].map((rows) => fill(new RowBufferPool(1 << 30), rows).buffer);
    const mixed = [pool.take(schema), pool.take(schema)];
    for (const buffer of idle) pool.give(buffer);
    let buffers = mixed;
    for (let batches = 0; batches < 3; batches++)
      buffers = buffers.map((buffer) => append(pool, buffer, ROWS));
    expect(buffers).toEqual([idle[1], idle[2]]);
  });

  it('is reserved for rows in order that outgrow an idle buffer, too', () => {
    const pool = new RowBufferPool(1 << 30);
    fill(pool, 300_000);
    pool.take(schema);
    pool.give(fill(new RowBufferPool(1 << 30), 60_000).buffer);
    const longest = (300_000 + 60_000) / 2;
    expect(fill(pool, 170_000).capacities).toEqual([8192, 16_384, 65_536, Math.floor(longest * 1.07)]);
  });

  it('is never that of a buffer of another schema', () => {
    const pool = new RowBufferPool(1 << 30);
    const reversed = { fields: [...schema.fields].reverse() };
    const long = new RowBuffer(reversed);
    long.reserve(100_000);
    const buffer = append(pool, append(pool, pool.take(schema), ROWS), ROWS);
    pool.take(reversed);
    pool.give(long);
    expect(append(pool, buffer, ROWS)).toBe(buffer);
  });

  it.each([300_000, 350_000, 360_000, 380_000])(
    'parts of %i rows one after the other share buffers that nearly fill the pool',
    (rows) => {
      const pool = new RowBufferPool(8 << 20);
      const seen = new Set<RowBuffer>();
      for (let part = 0; part < 10; part++) {
        const { buffer } = fill(pool, rows);
        seen.add(buffer);
        pool.give(buffer);
      }
      expect(seen.size).toBeLessThan(4);
    },
  );

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
