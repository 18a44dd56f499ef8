/** Avro files we write are read by others, value for value: avsc, fastavro, and ourselves in pieces. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import avro from 'avsc';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { avroFormat } from '../../../formats/avro/format.ts';
import { identityRows } from '../../../lib/core/column.ts';
import type { DataType, Schema } from '../../../lib/core/data-type.ts';
import { formatDataType, parseDataType } from '../../../lib/core/data-type.ts';
import { PYTHON, readWithPython } from '../../support/python.ts';
import { plainValue, readInput } from '../../support/read-input.ts';
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

const CODECS = ['none', 'deflate', 'snappy', 'zstd'] as const;
const folder = mkdtempSync(path.join(tmpdir(), 'sluice-avro-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface WriteOptions {
  readonly compression: (typeof CODECS)[number];
  readonly dictionaries: boolean;
  readonly rowsPerBlock: number;
  /** At these rows the part is given up and continued by another writer of another format object. */
  readonly continueAt: readonly number[];
}

async function write(schema: Schema, rows: readonly Row[], options: WriteOptions): Promise<Uint8Array> {
  const { compression, dictionaries, rowsPerBlock, continueAt } = options;
  const format = () => avroFormat({ type: 'avro', compression, level: null });
  const batch = batchOf(schema, rows, dictionaries);
  const pieces: Uint8Array[] = [];
  let writer = (await format()).createWriter(schema, null);
  let tails: Uint8Array[] = [];
  let saved = 0;
  for (let at = 0; at < rows.length; at++) {
    writer.append(batch, identityRows(rows.length), at, at + 1);
    if (writer.bufferedRows >= rowsPerBlock) {
      pieces.push(writer.flush().slice());
      tails = [];
      saved = 0;
    }
    if (!continueAt.includes(at)) continue;
    tails.push(writer.saveRows(saved).slice());
    saved = writer.bufferedRows;
    const footer: unknown = JSON.parse(JSON.stringify(writer.footer()));
    writer = (await format()).createWriter(schema, footer);
    for (const tail of tails) writer.restoreRows(tail);
  }
  pieces.push(writer.finish());
  return Buffer.concat(pieces);
}

function plain(schema: Schema, rows: readonly Row[]): Record<string, unknown>[] {
  return rows.map((row) =>
    Object.fromEntries(schema.fields.map(({ name, type }) => [name, plainOf(type, row[name])])),
  );
}

/** As the readers give it: floats rounded. */
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

/** Rows as avsc reads them. */
async function readWithAvsc(bytes: Uint8Array, schema: Schema, name: string): Promise<unknown[]> {
  const file = path.join(folder, `${name}.avro`);
  writeFileSync(file, bytes);
  const long = avro.types.LongType.__with({
    fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
    toBuffer: (value: bigint) => {
      const buffer = Buffer.alloc(8);
      buffer.writeBigInt64LE(value);
      return buffer;
    },
    fromJSON: BigInt,
    toJSON: Number,
    isValid: (value: unknown) => typeof value === 'bigint',
    compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
  });
  const rows: unknown[] = [];
  const decoder = avro.createFileDecoder(file, {
    parseHook: (schema: avro.Schema) =>
      avro.Type.forSchema(schema, {
        typeHook: (type) =>
          type === 'long' || Reflect.get(Object(type), 'type') === 'long' ? long : undefined,
      }),
  });
  for await (const row of decoder) {
    rows.push(fromAvsc({ kind: 'struct', fields: schema.fields }, row));
  }
  return rows;
}

function fromAvsc(type: DataType, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  switch (type.kind) {
    case 'int32':
    case 'int64':
      return String(value);
    case 'timestamp':
      return Number(value) * (type.unit === 'ms' ? 1000 : 1);
    case 'binary':
      return Buffer.from(value as Uint8Array).toString('hex');
    case 'decimal': {
      const bytes = value as Uint8Array;
      const unscaled = BigInt.asIntN(bytes.length * 8, BigInt(`0x${Buffer.from(bytes).toString('hex')}`));
      const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(type.scale + 1, '0');
      const sign = unscaled < 0n ? '-' : '';
      return type.scale === 0
        ? sign + digits
        : `${sign}${digits.slice(0, -type.scale)}.${digits.slice(-type.scale)}`;
    }
    case 'list':
      return (value as unknown[]).map((item) => fromAvsc(type.element, item));
    case 'struct':
      return Object.fromEntries(
        type.fields.map((field) => [field.name, fromAvsc(field.type, (value as Row)[field.name])]),
      );
    default:
      return value;
  }
}

async function readOurselves(bytes: Uint8Array, batchRows: number, chunkBytes: number, resume: boolean) {
  const fileSystem = memory();
  fileSystem.put('/in/a.avro', bytes);
  const options = { batchRows, chunkBytes, resume };
  return readInput(fileSystem, '/in/a.avro', { type: 'avro', compression: 'none' }, options);
}

describe('rows of any schema', () => {
  for (const depth of [0, 1, 3]) {
    it(`nested up to ${depth} deep: by us, in pieces`, { timeout: 60_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(
          schemaAndRows(anySchema(anyType(depth)), 60),
          fc.record({
            compression: fc.constantFrom(...CODECS),
            dictionaries: fc.boolean(),
            rowsPerBlock: fc.constantFrom(1, 7, 1000),
            continueAt: fc.array(fc.nat(60), { maxLength: 3 }),
          }),
          fc.integer({ min: 1, max: 30 }),
          fc.integer({ min: 1, max: 300 }),
          async ({ schema, rows }, options, batchRows, chunkBytes) => {
            const bytes = await write(schema, rows, options);
            const whole = await readOurselves(bytes, 8192, 1 << 20, false);
            expect(
              whole.schema.fields.map((field) => [field.name, formatDataType(field.type), field.nullable]),
            ).toEqual(
              schema.fields.map((field) => [
                field.name,
                formatDataType(jsonAsText(field.type)),
                field.nullable,
              ]),
            );
            expect(whole.rows).toEqual(plain(schema, rows));
            expect((await readOurselves(bytes, batchRows, chunkBytes, true)).rows).toEqual(whole.rows);
          },
        ),
        { numRuns: 40 },
      );
    });
  }
});

/** Avro has no type for JSON texts. */
function jsonAsText(type: DataType): DataType {
  if (type.kind === 'json') return { kind: 'string' };
  if (type.kind === 'list') return { kind: 'list', element: jsonAsText(type.element) };
  if (type.kind !== 'struct') return type;
  return { kind: 'struct', fields: type.fields.map((field) => ({ ...field, type: jsonAsText(field.type) })) };
}

/** Which of the rows are null. */
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

async function* cases(codecs: readonly (typeof CODECS)[number][]) {
  for (const type of TYPES) {
    // NaN and infinities are tested with our own reader: JSON has none.
    const values = fc
      .sample(anyValue(type), { numRuns: 60, seed: 7 })
      .filter(
        (value) =>
          !JSON.stringify(value, (_, v) =>
            typeof v === 'bigint' ? `${v}` : Number.isFinite(v) || typeof v !== 'number' ? v : '!',
          ).includes('!'),
      );
    for (const [pattern, isNull] of Object.entries(NULLS)) {
      for (const compression of codecs) {
        const schema: Schema = { fields: [{ name: 'c', type, nullable: true }] };
        const rows = Array.from({ length: 100 }, (_, row) => ({
          c: isNull(row) ? null : values[row % values.length],
        }));
        const options = {
          compression,
          dictionaries: compression !== 'snappy',
          rowsPerBlock: 40,
          continueAt: [50],
        };
        const name = `${formatDataType(type).replace(/[^a-z0-9]+/g, '_')}-${pattern}-${compression}`;
        yield { name, schema, rows, bytes: await write(schema, rows, options) };
      }
    }
  }
}

describe('every type x null pattern x codec', () => {
  it('by avsc (null and deflate, which are what it has)', { timeout: 60_000 }, async () => {
    for await (const { name, schema, rows, bytes } of cases(['none', 'deflate'])) {
      expect(await readWithAvsc(bytes, schema, name), name).toEqual(plain(schema, rows));
    }
  });

  it.skipIf(PYTHON === null)('by fastavro, every codec', { timeout: 60_000 }, async () => {
    const written: { file: string; schema: Schema; rows: Row[] }[] = [];
    for await (const { name, schema, rows, bytes } of cases(CODECS)) {
      const file = path.join(folder, `${name}.avro`);
      writeFileSync(file, bytes);
      written.push({ file, schema, rows });
    }
    const read = readWithPython(written.map(({ file }) => file));
    for (const [i, { file, schema, rows }] of written.entries())
      expect(read[i], file).toEqual(plain(schema, rows));
  });
});

describe('what is no Avro file, or was', () => {
  const schema: Schema = { fields: [{ name: 'c', type: { kind: 'string' }, nullable: true }] };
  const rows = Array.from({ length: 50 }, (_, i) => ({ c: `value ${i}` }));

  it('cut anywhere but behind a block: an error, never fewer rows', async () => {
    const bytes = await write(schema, rows, {
      compression: 'none',
      dictionaries: true,
      rowsPerBlock: 10,
      continueAt: [],
    });
    const blocks = new Set<number>();
    const sync = Buffer.from(bytes.subarray(-16));
    for (let at = Buffer.from(bytes).indexOf(sync); at !== -1; at = Buffer.from(bytes).indexOf(sync, at + 1))
      blocks.add(at + 16);
    expect(blocks.size).toBe(6);
    for (let length = 0; length < bytes.length; length++) {
      const fileSystem = memory();
      fileSystem.put('/in/a.avro', bytes.subarray(0, length));
      const read = readInput(fileSystem, '/in/a.avro', { type: 'avro', compression: 'none' }, { schema });
      if (length === 0 || blocks.has(length)) expect((await read).rows.length % 10).toBe(0);
      else
        await expect(read, `${length} bytes`).rejects.toMatchObject({
          code: 'INPUT_CORRUPT',
          message: expect.stringContaining('/in/a.avro'),
        });
    }
  });

  it('a column name that Avro does not allow is refused with its place', async () => {
    const odd: Schema = {
      fields: [{ name: 'a', type: parseDataType('struct<`user-id`:int64>'), nullable: true }],
    };
    await expect(
      write(odd, [], { compression: 'none', dictionaries: false, rowsPerBlock: 1, continueAt: [] }),
    ).rejects.toMatchObject({
      code: 'JOB_INVALID',
      message: expect.stringContaining("'a.user-id'"),
    });
  });
});
