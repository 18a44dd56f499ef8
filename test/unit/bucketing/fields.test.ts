import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fieldsAssigner } from '../../../bucketing/fields.ts';
import { partitionSegment } from '../../../bucketing/hive-escape.ts';
import { hiddenColumn } from '../../../bucketing/index.ts';
import { Batch } from '../../../lib/core/batch.ts';
import { BytesColumn, type Column, Dictionary, DictionaryColumn } from '../../../lib/core/column.ts';
import type { PartitionField } from '../../../lib/core/specs.ts';
import { batchOf, bucketsOf, schemaOf } from './assigning.ts';

function field(
  column: string,
  transform: PartitionField['transform'] = 'value',
  name = column,
): PartitionField {
  return { name, column, transform };
}

function assign(
  types: Record<string, string>,
  records: Record<string, unknown>[],
  ...fields: PartitionField[]
): string[] {
  return bucketsOf(fieldsAssigner(schemaOf(types), { fields }), batchOf(types, records));
}

/** Values -> column with every distinct value once in a dictionary. */
function coded(
  values: readonly (string | null)[],
  dictionary: Dictionary,
  codes: Map<string, number>,
): DictionaryColumn {
  const column = new DictionaryColumn({ kind: 'string' }, values.length, dictionary);
  values.forEach((value, row) => {
    if (value === null) {
      column.length = row + 1;
      column.setNull(row);
      return;
    }
    const bytes = Buffer.from(value);
    const code = codes.get(value) ?? dictionary.push(bytes, 0, bytes.length);
    codes.set(value, code);
    column.codes[row] = code;
    column.length = row + 1;
  });
  return column;
}

describe('fields assigner', () => {
  test('key=value levels in the order given', () => {
    const types = { country: 'string', n: 'int32', other: 'string' };
    const records = [
      { country: 'DE', n: 1, other: 'x' },
      { country: 'FR', n: 1, other: 'y' },
      { country: 'DE', n: 2, other: 'z' },
      { country: 'DE', n: 1, other: 'w' },
    ];
    expect(assign(types, records, field('n'), field('country', 'value', 'land'))).toEqual([
      'n=1/land=DE',
      'n=1/land=FR',
      'n=2/land=DE',
      'n=1/land=DE',
    ]);
  });

  test('null and the empty string are one partition', () => {
    expect(
      assign(
        { s: 'string', n: 'int64' },
        [
          { s: null, n: 1n },
          { s: '', n: null },
        ],
        field('s'),
        field('n'),
      ),
    ).toEqual([
      's=__HIVE_DEFAULT_PARTITION__/n=1',
      's=__HIVE_DEFAULT_PARTITION__/n=__HIVE_DEFAULT_PARTITION__',
    ]);
  });

  test.each([
    ['boolean', true, 'true'],
    ['boolean', false, 'false'],
    ['int32', -7, '-7'],
    ['int64', 2n ** 63n - 1n, '9223372036854775807'],
    ['int64', -(2n ** 53n) - 1n, '-9007199254740993'],
    ['float64', 0.1, '0.1'],
    ['float64', -0, '0'],
    ['float64', 1e21, '1e+21'],
    ['float32', Math.fround(0.1), '0.1'],
    ['decimal(10,2)', '-12.5', '-12.50'],
    ['date', new Date('2026-11-22'), '2026-11-22'],
    ['timestamp(ms)', new Date('2026-11-22T13:14:15.000Z'), '2026-11-22 13%3A14%3A15'],
    ['timestamp(ms)', new Date('2026-11-22T13:14:15.120Z'), '2026-11-22 13%3A14%3A15.12'],
    ['timestamp(us)', -1n, '1969-12-31 23%3A59%3A59.999999'],
    ['string', '../..', '..%2F..'],
    ['string', ' ü ', ' ü '],
  ])('%s %s is %s', (type, value, text) => {
    expect(assign({ v: type }, [{ v: value }], field('v'))).toEqual([`v=${text}`]);
  });

  test.each([
    ['date', 'dt=2026-11-23'],
    ['hour', 'dt=07'],
    ['month', 'dt=2026-11'],
    ['year', 'dt=2026'],
  ] as const)('the %s of a timestamp, UTC', (transform, bucket) => {
    const instant = new Date('2026-11-23T07:59:59.999Z');
    expect(
      assign({ t: 'timestamp(ms)' }, [{ t: instant }, { t: null }], field('t', transform, 'dt')),
    ).toEqual([bucket, 'dt=__HIVE_DEFAULT_PARTITION__']);
    const micros = BigInt(instant.getTime()) * 1000n + 999n;
    expect(assign({ t: 'timestamp(us)' }, [{ t: micros }], field('t', transform, 'dt'))).toEqual([bucket]);
  });

  test('date parts before 1970 and of dates', () => {
    const before = new Date('1969-12-31T23:59:59.999Z');
    expect(
      assign({ t: 'timestamp(ms)' }, [{ t: before }], field('t', 'date'), field('t', 'hour', 'h')),
    ).toEqual(['t=1969-12-31/h=23']);
    const types = { d: 'date' };
    const day = new Date('1999-03-04');
    expect(
      assign(types, [{ d: day }], field('d', 'year', 'y'), field('d', 'month', 'm'), field('d', 'date', 'd')),
    ).toEqual(['y=1999/m=1999-03/d=1999-03-04']);
  });

  test('values that look alike in other columns or neighbours stay apart', () => {
    const records = [
      { a: 'x', b: 'y' },
      { a: 'y', b: 'x' },
      { a: 'x', b: 'x' },
      { a: 'x', b: 'y' },
    ];
    expect(assign({ a: 'string', b: 'string' }, records, field('a'), field('b'))).toEqual([
      'a=x/b=y',
      'a=y/b=x',
      'a=x/b=x',
      'a=x/b=y',
    ]);
  });

  test('a value too long for a folder is refused, with the value', () => {
    expect(() => assign({ s: 'string' }, [{ s: 'x'.repeat(254) }], field('s'))).toThrow(
      expect.objectContaining({ code: 'PATH_ESCAPE' }),
    );
    expect(assign({ s: 'string' }, [{ s: 'x'.repeat(253) }], field('s'))[0]).toHaveLength(255);
  });

  test('partition columns: only those whose whole value is in the name, and none with keepFields', () => {
    const schema = schemaOf({ a: 'string', t: 'timestamp(ms)', b: 'int32' });
    const fields = [field('a'), field('t', 'date', 'dt'), field('a', 'value', 'again'), field('b')];
    expect(fieldsAssigner(schema, { fields }).partitionColumns).toEqual(['a', 'b']);
    expect(fieldsAssigner(schema, { fields, keepFields: true }).partitionColumns).toEqual([]);
  });

  test.each([
    [{ a: 'string' }, field('b'), /column 'b'/],
    [{ a: 'list<string>' }, field('a'), /list<string>/],
    [{ a: 'json' }, field('a'), /json/],
    [{ a: 'binary' }, field('a'), /binary/],
    [{ a: 'string' }, field('a', 'date'), /timestamp/],
    [{ a: 'date' }, field('a', 'hour'), /timestamp/],
    [{ a: 'string' }, field('a', 'value', '_a'), /'_a'/],
    [{ a: 'string' }, field('a', 'value', '.a'), /'\.a'/],
  ])('refuses %j by %j', (types, wrong, message) => {
    const make = () => fieldsAssigner(schemaOf(types as Record<string, string>), { fields: [wrong] });
    expect(make).toThrow(expect.objectContaining({ code: 'JOB_INVALID' }));
    expect(make).toThrow(message);
  });

  test('refuses no fields, and a key twice', () => {
    const schema = schemaOf({ a: 'string', b: 'string' });
    expect(() => fieldsAssigner(schema, { fields: [] })).toThrow(/no field/);
    expect(() => fieldsAssigner(schema, { fields: [field('a'), field('b', 'value', 'a')] })).toThrow(/twice/);
  });

  test('the vector equals a row-by-row reference, in every layout and over many batches (property)', () => {
    const types = { s: 'string', n: 'int64', t: 'timestamp(us)', b: 'boolean' };
    const schema = schemaOf(types);
    const fields = [field('s'), field('t', 'hour', 'h'), field('n'), field('b')];
    const long = 'x'.repeat(40);
    const row = fc.record({
      s: fc.option(
        fc.oneof(fc.constantFrom('a', 'b', 'c', '', 'é', long, `${long}2`), fc.string({ maxLength: 3 })),
        { nil: null },
      ),
      n: fc.option(
        fc.oneof(fc.bigInt({ min: -2n, max: 2n }), fc.bigInt({ min: 2n ** 62n, max: 2n ** 62n + 3n })),
        { nil: null },
      ),
      t: fc.option(fc.bigInt({ min: -(10n ** 11n), max: 10n ** 11n }), { nil: null }),
      b: fc.option(fc.boolean(), { nil: null }),
    });
    const reference = ({ s, n, t, b }: Record<string, unknown>) => {
      const hour =
        t === null
          ? null
          : new Date(Number(((t as bigint) - ((((t as bigint) % 1000n) + 1000n) % 1000n)) / 1000n))
              .toISOString()
              .slice(11, 13);
      const text = (value: unknown) => (value === null ? null : String(value));
      return [
        partitionSegment('s', s as string | null),
        partitionSegment('h', hour),
        partitionSegment('n', text(n)),
        partitionSegment('b', text(b)),
      ].join('/');
    };
    const dictionary = new Dictionary();
    const codes = new Map<string, number>();
    const assigner = fieldsAssigner(schema, { fields });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 60 }), fc.boolean(), (records, asDictionary) => {
        const plain = batchOf(types, records);
        const columns: Column[] = [...plain.columns];
        if (asDictionary)
          columns[0] = coded(
            records.map(({ s }) => s),
            dictionary,
            codes,
          );
        const batch = new Batch(schema, columns, records.length);
        expect(bucketsOf(assigner, batch)).toEqual(records.map(reference));
      }),
      { numRuns: 300 },
    );
  });

  test('more values than are remembered, and the same ones again afterwards', () => {
    const schema = schemaOf({ s: 'string' });
    const assigner = fieldsAssigner(schema, { fields: [field('s')] });
    for (let round = 0; round < 4; round++) {
      const column = new BytesColumn({ kind: 'string' }, 30_000);
      for (let i = 0; i < 30_000; i++) column.push(Buffer.from(`v${(round % 3) * 30_000 + i}`));
      const { codes, ids } = assigner.assign(new Batch(schema, [column], 30_000), {
        processingTimeMs: 0,
        watermarkMs: 0,
        timestampsMs: null,
      });
      expect(ids).toHaveLength(30_000);
      for (const row of [0, 1, 29_999]) expect(ids[codes[row]!]).toBe(`s=v${(round % 3) * 30_000 + row}`);
    }
  });
});

describe('a folder with the name of a column', () => {
  const schema = schemaOf({ id: 'int64', Country: 'string', ts: 'timestamp(ms)' });
  const hidden = (keepFields: boolean, ...fields: PartitionField[]) =>
    hiddenColumn({ type: 'fields', fields, keepFields }, schema);

  test.each([
    ['another one, which stays', false, [field('Country', 'value', 'id')], 'id'],
    ['another one, but for its case', false, [field('id', 'value', 'country')], 'Country'],
    [
      'another one, which is kept',
      true,
      [field('id', 'value', 'Country'), field('Country', 'value', 'c')],
      'Country',
    ],
    ['its own, of which the folder holds a part', false, [field('ts', 'date')], 'ts'],
    ['its own', false, [field('Country')], null],
    ['its own, which is kept', true, [field('Country', 'value', 'country')], null],
    [
      'another one, which only folders have',
      false,
      [field('id', 'value', 'Country'), field('Country', 'value', 'c')],
      null,
    ],
    ['none', false, [field('ts', 'date', 'dt')], null],
  ] as const)('%s', (_, keepFields, fields, column) => {
    expect(hidden(keepFields, ...fields)).toBe(column);
  });
});
