/** Random schemas and rows for them: every type, null patterns, nesting, values that tend to break encoders. */
import fc from 'fast-check';
import { Batch } from '../../../lib/core/batch.ts';
import { type BytesColumn, type Column, Dictionary, DictionaryColumn } from '../../../lib/core/column.ts';
import type { DataType, Field, Schema } from '../../../lib/core/data-type.ts';
import { columnsOf } from '../../../lib/core/values.ts';

export type Row = Record<string, unknown>;

export const FLAT_TYPES: readonly DataType[] = [
  { kind: 'boolean' },
  { kind: 'int32' },
  { kind: 'int64' },
  { kind: 'float32' },
  { kind: 'float64' },
  { kind: 'string' },
  { kind: 'binary' },
  { kind: 'json' },
  { kind: 'date' },
  { kind: 'timestamp', unit: 'ms' },
  { kind: 'timestamp', unit: 'us' },
  { kind: 'decimal', precision: 9, scale: 2 },
  { kind: 'decimal', precision: 18, scale: 0 },
  { kind: 'decimal', precision: 38, scale: 10 },
];

export const flatType = fc.constantFrom(...FLAT_TYPES);

/** Types nested at most `depth` deep. */
export function anyType(depth: number): fc.Arbitrary<DataType> {
  if (depth === 0) return flatType;
  const inner = anyType(depth - 1);
  return fc.oneof(
    { weight: 3, arbitrary: flatType },
    { weight: 2, arbitrary: inner.map((element): DataType => ({ kind: 'list', element })) },
    {
      weight: 2,
      arbitrary: fc.array(fc.tuple(inner, fc.boolean()), { minLength: 1, maxLength: 3 }).map(
        (types): DataType => ({
          kind: 'struct',
          fields: types.map(([type, nullable], i) => ({ name: `f${i}`, type, nullable })),
        }),
      ),
    },
  );
}

export function anySchema(type: fc.Arbitrary<DataType>): fc.Arbitrary<Schema> {
  return fc.array(fc.tuple(type, fc.boolean()), { minLength: 1, maxLength: 4 }).map((types) => ({
    fields: types.map(([type, nullable], i): Field => ({ name: `c${i}`, type, nullable })),
  }));
}

const MILLIS = 253_402_300_799_999; // the end of year 9999: what every reader can print

const text = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    'b',
    'ab',
    '\u0000',
    '\u007f',
    'ä',
    '日本',
    '😀',
    `${'x'.repeat(63)}é`,
    'y'.repeat(70),
  ),
  fc.string({ unit: 'grapheme', maxLength: 90 }).filter((value) => Buffer.from(value).toString() === value),
);

/** A value of a type, never null at the top. */
export function anyValue(type: DataType): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case 'boolean':
      return fc.boolean();
    case 'int32':
      return fc.oneof(fc.constantFrom(0, -1, 2147483647, -2147483648), fc.integer());
    case 'int64':
      return fc.oneof(
        fc.constantFrom(
          0n,
          -1n,
          9223372036854775807n,
          -9223372036854775808n,
          4294967295n,
          2147483648n,
          -4294967296n,
        ),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      );
    case 'float32':
      return fc.oneof(fc.constantFrom(0, -0, 1.5), fc.float());
    case 'float64':
      return fc.oneof(fc.constantFrom(0, -0, 1.5, Number.MAX_VALUE, 5e-324), fc.double());
    case 'string':
      return text;
    case 'json':
      return fc.json({ maxDepth: 2 });
    case 'binary':
      return fc.uint8Array({ maxLength: 80 });
    case 'date':
      return fc.integer({ min: -25_000, max: 2_932_896 }).map((days) => new Date(days * 86_400_000));
    case 'timestamp':
      return type.unit === 'ms'
        ? fc.integer({ min: -25_340_230_079_999, max: MILLIS }).map((ms) => new Date(ms))
        : fc.bigInt({ min: -62_135_596_800_000_000n / 10n, max: BigInt(MILLIS) * 1000n });
    case 'decimal': {
      const most = 10n ** BigInt(type.precision) - 1n;
      return fc
        .oneof(fc.constantFrom(0n, 1n, -1n, most, -most), fc.bigInt({ min: -most, max: most }))
        .map((unscaled) => decimalText(unscaled, type.scale));
    }
    case 'list':
      return fc.array(fc.option(anyValue(type.element)), { maxLength: 4 });
    case 'struct':
      return anyRow(type.fields);
  }
}

function decimalText(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const sign = unscaled < 0n ? '-' : '';
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

export function anyRow(fields: readonly Field[]): fc.Arbitrary<Row> {
  return fc.record(
    Object.fromEntries(
      fields.map((field) => [
        field.name,
        field.nullable ? fc.option(anyValue(field.type)) : anyValue(field.type),
      ]),
    ),
  );
}

/** A schema and rows for it. */
export function schemaAndRows(
  schema: fc.Arbitrary<Schema>,
  maxRows: number,
): fc.Arbitrary<{ schema: Schema; rows: Row[] }> {
  return schema.chain((schema) =>
    fc.record({ schema: fc.constant(schema), rows: fc.array(anyRow(schema.fields), { maxLength: maxRows }) }),
  );
}

/** A batch of rows; with `dictionaries`, byte strings come as codes, as decoders give them. */
export function batchOf(schema: Schema, rows: readonly Row[], dictionaries: boolean): Batch {
  const columns = columnsOf(schema, rows);
  return new Batch(schema, dictionaries ? columns.map(withDictionaries) : columns, rows.length);
}

function withDictionaries(column: Column): Column {
  if (column.layout === 'bytes') return toDictionary(column);
  if (column.layout === 'list') column.child = withDictionaries(column.child);
  if (column.layout === 'struct') column.children = column.children.map(withDictionaries);
  return column;
}

function toDictionary(column: BytesColumn): DictionaryColumn {
  const dictionary = new Dictionary();
  // An entry that no row uses: encoders must not let it into statistics or dictionary pages.
  const unused = new Uint8Array([0xf4, 0x8f, 0xbf, 0xbf, 0xff]);
  dictionary.push(unused, 0, unused.length);
  const result = new DictionaryColumn(column.type, column.length, dictionary);
  const codes = new Map<string, number>();
  for (let row = 0; row < column.length; row++) {
    const [start, end] = [column.offsets[row]!, column.offsets[row + 1]!];
    const key = Buffer.from(column.bytes.subarray(start, end)).toString('latin1');
    const code = column.isNull(row) ? 0 : (codes.get(key) ?? dictionary.push(column.bytes, start, end));
    if (!column.isNull(row)) codes.set(key, code);
    result.codes[row] = code;
    if (column.isNull(row)) result.setNull(row);
  }
  result.length = column.length;
  return result;
}
