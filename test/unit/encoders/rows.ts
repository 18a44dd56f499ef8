/** Batches for encoder tests, and random ones of every type. */
import fc from 'fast-check';
import { Batch } from '../../../lib/core/batch.ts';
import { ByteBuffer } from '../../../lib/core/byte-buffer.ts';
import { type Column, Dictionary, DictionaryColumn } from '../../../lib/core/column.ts';
import { type DataType, parseDataType, type Schema } from '../../../lib/core/data-type.ts';
import type { RowEncoder } from '../../../lib/core/encoder.ts';
import { appendNull, columnsOf } from '../../../lib/core/values.ts';

export function schemaOf(types: Readonly<Record<string, string>>): Schema {
  return {
    fields: Object.entries(types).map(([name, type]) => ({
      name,
      type: parseDataType(type),
      nullable: true,
    })),
  };
}

export function batchOf(
  types: Readonly<Record<string, string>>,
  records: readonly Readonly<Record<string, unknown>>[],
): Batch {
  const schema = schemaOf(types);
  return new Batch(schema, columnsOf(schema, records), records.length);
}

/** The same rows with every string column as codes into a dictionary. */
export function withDictionaries(batch: Batch): Batch {
  return new Batch(batch.schema, batch.columns.map(toDictionary), batch.length);
}

function toDictionary(column: Column): Column {
  if (column.layout !== 'bytes') return column;
  const coded = new DictionaryColumn(column.type, column.length, new Dictionary());
  const codes = new Map<string, number>();
  for (let row = 0; row < column.length; row++) {
    if (column.isNull(row)) {
      appendNull(coded);
      continue;
    }
    const bytes = column.bytes.slice(column.offsets[row]!, column.offsets[row + 1]!);
    const key = String(bytes);
    const code = codes.get(key) ?? coded.dictionary.push(bytes, 0, bytes.length);
    codes.set(key, code);
    coded.reserve(row + 1);
    coded.codes[row] = code;
    coded.length = row + 1;
  }
  return coded;
}

/** What an encoder makes of all rows, or of those given, as text. */
export function encodeText(encoder: RowEncoder, batch: Batch, rows?: readonly number[]): string {
  const numbers = Int32Array.from(rows ?? Array.from({ length: batch.length }, (_, i) => i));
  const out = new ByteBuffer(1);
  encoder.encode(batch, numbers, 0, numbers.length, out);
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(out.view());
}

/** Text without lone surrogates, rich in what has to be escaped or quoted. */
export const anyText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.string({
    unit: fc.constantFrom('"', '\\', ',', '\n', '\r', '\t', '\0', 'a', 'é', '日', '😀', ' ', '\u007f'),
    maxLength: 30,
  }),
  fc.string({ unit: 'binary', maxLength: 20 }).map((text) => Buffer.from(text).toString()),
);

/** Values of a type as `columnsOf` takes them. */
function anyValue(type: DataType): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case 'boolean':
      return fc.boolean();
    case 'int32':
      return fc.oneof(fc.integer(), fc.constantFrom(0, -1, 0x7fff_ffff, -0x8000_0000, 9, 10, 99, 100, 1e9));
    case 'int64':
      return fc.oneof(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.bigInt({ min: -(2n ** 54n), max: 2n ** 54n }),
        fc.constantFrom(
          0n,
          -1n,
          2n ** 63n - 1n,
          -(2n ** 63n),
          2n ** 53n,
          2n ** 53n + 1n,
          -(2n ** 53n),
          -(2n ** 53n) - 1n,
        ),
      );
    case 'float32':
      return fc.oneof(
        fc.float({ noNaN: true, noDefaultInfinity: true }),
        fc.integer({ min: -1e6, max: 1e6 }).map((n) => Math.fround(n / 100)),
      );
    case 'float64':
      return fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.tuple(fc.integer(), fc.integer({ min: 0, max: 9 })).map(([n, places]) => n / 10 ** places),
        fc.maxSafeInteger(),
        fc.constantFrom(
          -0,
          0.1 + 0.2,
          1e21,
          1e-7,
          5e-324,
          Number.MAX_VALUE,
          999_999_999.9,
          1e9 + 0.1,
          0.000001,
        ),
      );
    case 'decimal': {
      const most = 10n ** BigInt(type.precision) - 1n;
      return fc
        .oneof(fc.bigInt({ min: -most, max: most }), fc.bigInt({ min: -1000n, max: 1000n }))
        .map((unscaled) => decimalText(unscaled > most || unscaled < -most ? 0n : unscaled, type.scale));
    }
    case 'string':
      return anyText;
    case 'binary':
      return fc.uint8Array({ maxLength: 12 });
    case 'json':
      return fc.json();
    case 'date':
      return fc.integer({ min: -719_528, max: 2_932_896 }).map((days) => new Date(days * 86_400_000));
    case 'timestamp': {
      const safe = fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 });
      return type.unit === 'ms'
        ? safe.map((ms) => new Date(ms))
        : fc.tuple(safe, fc.integer({ min: 0, max: 999 })).map(([ms, us]) => BigInt(ms) * 1000n + BigInt(us));
    }
    case 'list':
      return fc.array(nullable(anyValue(type.element)), { maxLength: 4 });
    case 'struct':
      return fc.record(
        Object.fromEntries(type.fields.map((field) => [field.name, nullable(anyValue(field.type))])),
      );
  }
}

function nullable(values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.option(values, { nil: null, freq: 5 });
}

function decimalText(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const whole = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return unscaled < 0n ? `-${whole}` : whole;
}

/** Records with all types, each column null now and then. */
export function anyRecords(schema: Schema): fc.Arbitrary<Record<string, unknown>[]> {
  return fc.array(
    fc.record(Object.fromEntries(schema.fields.map((field) => [field.name, nullable(anyValue(field.type))]))),
    { minLength: 1, maxLength: 30 },
  );
}

export const EVERY_TYPE = {
  bool: 'boolean',
  i32: 'int32',
  i64: 'int64',
  f32: 'float32',
  f64: 'float64',
  dec: 'decimal(12,3)',
  wide: 'decimal(38,10)',
  whole: 'decimal(20,0)',
  text: 'string',
  bin: 'binary',
  doc: 'json',
  day: 'date',
  ms: 'timestamp(ms)',
  us: 'timestamp(us)',
  list: 'list<string>',
  deep: 'struct<exact:int64,b:list<struct<c:timestamp(ms),d:float64>>>',
};
