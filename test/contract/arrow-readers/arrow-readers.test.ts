/** Arrow streams we write are read by others, value for value: apache-arrow, pyarrow, and ourselves in pieces. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as arrow from 'apache-arrow';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { arrowFormat } from '../../../formats/arrow/format.ts';
import { identityRows } from '../../../lib/core/column.ts';
import { type DataType, formatDataType, parseDataType, type Schema } from '../../../lib/core/data-type.ts';
import { PYTHON, readWithPython } from '../../support/python.ts';
import { plainValue, type ReadOptions, readInput } from '../../support/read-input.ts';
import {
  anySchema,
  anyType,
  anyValue,
  batchOf,
  FLAT_TYPES,
  type Row,
  schemaAndRows,
} from '../../unit/parquet/arbitrary-rows.ts';
import { memory } from '../../unit/source/reading.ts';

const FILE = '/in/a.arrows';
const folder = mkdtempSync(path.join(tmpdir(), 'sluice-arrow-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface WriteOptions {
  readonly dictionaries: boolean;
  readonly rowsPerBatch: number;
  /** At these rows the part is given up and continued by another writer. */
  readonly continueAt: readonly number[];
}

function write(schema: Schema, rows: readonly Row[], options: WriteOptions): Uint8Array {
  const batch = batchOf(schema, rows, options.dictionaries);
  const pieces: Uint8Array[] = [];
  let writer = arrowFormat().createWriter(schema, null);
  let tails: Uint8Array[] = [];
  let saved = 0;
  for (let at = 0; at < rows.length; at++) {
    writer.append(batch, identityRows(rows.length), at, at + 1);
    if (writer.bufferedRows >= options.rowsPerBatch) {
      pieces.push(writer.flush().slice());
      tails = [];
      saved = 0;
    }
    if (!options.continueAt.includes(at)) continue;
    tails.push(writer.saveRows(saved).slice());
    saved = writer.bufferedRows;
    const footer: unknown = JSON.parse(JSON.stringify(writer.footer()));
    writer = arrowFormat().createWriter(schema, footer);
    for (const tail of tails) writer.restoreRows(tail);
  }
  pieces.push(writer.finish());
  return Buffer.concat(pieces);
}

async function read(bytes: Uint8Array, options: ReadOptions = {}) {
  const fileSystem = memory();
  fileSystem.put(FILE, bytes);
  const result = await readInput(fileSystem, FILE, { type: 'arrow', compression: 'none' }, options);
  expect(fileSystem.openSources).toBe(0);
  return result;
}

function plain(schema: Schema, rows: readonly Row[]): Record<string, unknown>[] {
  return rows.map((row) =>
    Object.fromEntries(schema.fields.map(({ name, type }) => [name, plainOf(type, row[name])])),
  );
}

function plainOf(type: DataType, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (type.kind === 'float32') return Math.fround(value as number);
  if (type.kind === 'list') return (value as unknown[]).map((item) => plainOf(type.element, item));
  if (type.kind === 'struct')
    return Object.fromEntries(
      type.fields.map((field) => [field.name, plainOf(field.type, (value as Row)[field.name])]),
    );
  return plainValue(type, value);
}

describe('rows of any schema', () => {
  for (const depth of [0, 1, 3]) {
    it(`nested up to ${depth} deep: written, read, read in pieces`, { timeout: 60_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(
          schemaAndRows(anySchema(anyType(depth)), 60),
          fc.record({
            dictionaries: fc.boolean(),
            rowsPerBatch: fc.constantFrom(1, 7, 1000),
            continueAt: fc.array(fc.nat(60), { maxLength: 3 }),
          }),
          fc.integer({ min: 1, max: 30 }),
          async ({ schema, rows }, options, batchRows) => {
            const bytes = write(schema, rows, options);
            const whole = await read(bytes);
            expect(whole.rows).toEqual(plain(schema, rows));
            expect((await read(bytes, { batchRows, resume: true })).rows).toEqual(whole.rows);
          },
        ),
        { numRuns: 40 },
      );
    });
  }
});

const NULLS: Readonly<Record<string, (row: number) => boolean>> = {
  none: () => false,
  all: () => true,
  some: (row) => row % 3 === 0,
};
const TYPES: readonly DataType[] = [
  ...FLAT_TYPES,
  ...[
    'list<string>',
    'list<int64>',
    'struct<a:string,b:float64>',
    'list<struct<a:list<int32>,b:boolean>>',
  ].map(parseDataType),
];

function* cases() {
  for (const type of TYPES) {
    const values = fc
      .sample(anyValue(type), { numRuns: 60, seed: 7 })
      .filter((value) => !/NaN|Infinity/.test(inspected(value)));
    for (const [pattern, isNull] of Object.entries(NULLS)) {
      const schema: Schema = { fields: [{ name: 'c', type, nullable: true }] };
      const rows = Array.from({ length: 100 }, (_, row) => ({
        c: isNull(row) ? null : values[row % values.length],
      }));
      const bytes = write(schema, rows, {
        dictionaries: pattern !== 'all',
        rowsPerBatch: 40,
        continueAt: [50],
      });
      yield { name: `${formatDataType(type).replace(/[^a-z0-9]+/g, '_')}-${pattern}`, schema, rows, bytes };
    }
  }
}

/** NaN and infinities are tested with our own reader: JSON has none. */
function inspected(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner) =>
      typeof inner === 'number' || typeof inner === 'bigint' ? String(inner) : inner,
    ) ?? ''
  );
}

describe('every type x null pattern', () => {
  it('by apache-arrow', () => {
    for (const { name, schema, rows, bytes } of cases()) {
      const table = arrow.tableFromIPC(bytes);
      const { type } = schema.fields[0]!;
      if (type.kind === 'timestamp') {
        // As values they are doubles of milliseconds, and not exact.
        expect(rawTimes(table), name).toEqual(
          rows.map(({ c }) => (c instanceof Date ? BigInt(c.getTime()) : c)),
        );
        continue;
      }
      const read = Array.from(table, (row) => ({ c: fromArrow(type, row?.toJSON().c) }));
      expect(read, name).toEqual(plain(schema, rows));
    }
  });

  it.skipIf(PYTHON === null)('by pyarrow', { timeout: 60_000 }, () => {
    const written = [...cases()].map(({ name, bytes, ...rest }) => {
      const file = path.join(folder, `${name}.arrows`);
      writeFileSync(file, bytes);
      return { file, ...rest };
    });
    const read = readWithPython(written.map(({ file }) => file));
    for (const [i, { file, schema, rows }] of written.entries())
      expect(read[i], file).toEqual(plain(schema, rows));
  });
});

function rawTimes(table: arrow.Table): (bigint | null)[] {
  return table
    .getChildAt(0)!
    .data.flatMap((data) =>
      Array.from({ length: data.length }, (_, i) =>
        data.getValid(i) ? (data.values as BigInt64Array)[i]! : null,
      ),
    );
}

function fromArrow(type: DataType, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  switch (type.kind) {
    case 'int32':
    case 'int64':
      return String(value);
    case 'date':
      return Number(value) / 86_400_000;
    case 'binary':
      return Buffer.from(value as Uint8Array).toString('hex');
    case 'decimal': {
      const words = value as Uint32Array;
      let unscaled = 0n;
      for (let i = 3; i >= 0; i--) unscaled = (unscaled << 32n) | BigInt(words[i]!);
      unscaled = BigInt.asIntN(128, unscaled);
      const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(type.scale + 1, '0');
      const sign = unscaled < 0n ? '-' : '';
      return type.scale === 0
        ? sign + digits
        : `${sign}${digits.slice(0, -type.scale)}.${digits.slice(-type.scale)}`;
    }
    case 'list':
      return Array.from(value as Iterable<unknown>, (item) => fromArrow(type.element, item));
    case 'struct': {
      const record = (value as { toJSON(): Row }).toJSON();
      return Object.fromEntries(
        type.fields.map((field) => [field.name, fromArrow(field.type, record[field.name])]),
      );
    }
    default:
      return value;
  }
}

describe('what is no Arrow file, or was', () => {
  const schema: Schema = { fields: [{ name: 'c', type: { kind: 'string' }, nullable: true }] };
  const rows = Array.from({ length: 50 }, (_, i) => ({ c: `value ${i}` }));

  it('cut within a message: an error. Behind one: a stream may end there', async () => {
    const bytes = write(schema, rows, { dictionaries: true, rowsPerBatch: 10, continueAt: [] });
    let whole = 0;
    for (let length = 0; length < bytes.length; length += 4) {
      const result = await read(bytes.subarray(0, length), { schema }).catch((error: unknown) => error);
      if (result instanceof Error) expect(result).toMatchObject({ code: 'INPUT_CORRUPT' });
      else {
        whole++;
        expect((result as { rows: unknown[] }).rows.length % 10).toBe(0);
      }
    }
    expect(whole).toBeLessThanOrEqual(8);
  });
});
