import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ndjsonFormat } from '../../../formats/ndjson/encoder.ts';
import { Batch } from '../../../lib/core/batch.ts';
import { FixedColumn } from '../../../lib/core/column.ts';
import type { DataType, Schema } from '../../../lib/core/data-type.ts';
import { anyRecords, batchOf, EVERY_TYPE, encodeText, schemaOf, withDictionaries } from './rows.ts';

const encoderOf = (schema: Schema, options = {}) => ndjsonFormat(options).createEncoder(schema);

function line(types: Record<string, string>, record: Record<string, unknown>, options = {}): string {
  const batch = batchOf(types, [record]);
  const text = encodeText(encoderOf(batch.schema, options), batch);
  expect(text.endsWith('\n')).toBe(true);
  return text.slice(0, -1);
}

/** The value that JSON.parse has to give for a column value; integers beyond 2^53 and decimals are compared as text. */
function expected(type: DataType, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  switch (type.kind) {
    case 'int64':
      return String(value);
    case 'decimal':
      return value;
    case 'json':
      return JSON.parse(value as string);
    case 'binary':
      return Buffer.from(value as Uint8Array).toString('base64');
    case 'date':
      return (value as Date).toISOString().split('T')[0];
    case 'timestamp': {
      if (type.unit === 'ms') return (value as Date).toISOString();
      const micros = value as bigint;
      const rest = ((micros % 1000n) + 1000n) % 1000n;
      const ms = new Date(Number((micros - rest) / 1000n)).toISOString();
      return `${ms.slice(0, -1)}${String(rest).padStart(3, '0')}Z`;
    }
    case 'list':
      return (value as unknown[]).map((item) => expected(type.element, item));
    case 'struct':
      return Object.fromEntries(
        type.fields.map((field) => [
          field.name,
          expected(field.type, (value as Record<string, unknown>)[field.name]),
        ]),
      );
    default:
      return value;
  }
}

/** What was parsed, with numbers of exact types as the text they stand as. */
function exact(type: DataType, value: unknown): unknown {
  if (value === null) return null;
  switch (type.kind) {
    case 'float32':
      return Math.fround(value as number);
    case 'list':
      return (value as unknown[]).map((item) => exact(type.element, item));
    case 'struct':
      return Object.fromEntries(
        type.fields.map((field) => [
          field.name,
          exact(field.type, (value as Record<string, unknown>)[field.name]),
        ]),
      );
    default:
      return value;
  }
}

/** Puts integers and decimals of the exact columns into quotes, so that JSON.parse does not round them. */
function quoteExactNumbers(text: string): string {
  return text.replace(/"(i64|dec|wide|whole|exact)":(-?[0-9.]+)(?=[,}])/g, '"$1":"$2"');
}

describe('NDJSON encoder', () => {
  const schema = schemaOf(EVERY_TYPE);

  test.each(['bytes', 'dictionary'])('what JSON.parse reads is what the columns hold (%s)', (layout) => {
    fc.assert(
      fc.property(anyRecords(schema), (records) => {
        const plain = batchOf(EVERY_TYPE, records);
        const batch = layout === 'bytes' ? plain : withDictionaries(plain);
        const text = encodeText(encoderOf(schema), batch);
        const lines = text.split('\n');
        expect(lines.pop()).toBe('');
        expect(lines.length).toBe(records.length);
        lines.forEach((encoded, row) => {
          // Strings may hold what looks like an exact number, so the free text is checked unquoted first.
          const { text: string, doc, list } = JSON.parse(encoded);
          const parsed = { ...JSON.parse(quoteExactNumbers(encoded)), text: string, doc, list };
          const record = records[row]!;
          for (const { name, type } of schema.fields) {
            const want = expected(type, record[name]);
            expect(Object.is(exact(type, parsed[name]), want) ? want : exact(type, parsed[name])).toEqual(
              want,
            );
          }
        });
      }),
      { numRuns: 150 },
    );
  });

  test('rows are gathered by number, in the order given', () => {
    const batch = batchOf({ n: 'int32' }, [{ n: 0 }, { n: 1 }, { n: 2 }, { n: 3 }]);
    expect(encodeText(encoderOf(batch.schema), batch, [3, 1, 1])).toBe('{"n":3}\n{"n":1}\n{"n":1}\n');
  });

  test('null fields are written', () => {
    expect(line({ a: 'string', b: 'list<int32>', c: 'struct<d:int32>' }, {})).toBe(
      '{"a":null,"b":null,"c":null}',
    );
  });

  test('int64 keeps every digit', () => {
    for (const value of [
      0n,
      -1n,
      2n ** 53n + 1n,
      -(2n ** 53n) - 1n,
      2n ** 63n - 1n,
      -(2n ** 63n),
      1n << 32n,
    ]) {
      expect(line({ n: 'int64' }, { n: value })).toBe(`{"n":${value}}`);
    }
  });

  test('doubles are written as JSON.stringify does, and -0 keeps its sign', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.double(),
          fc.integer().map((n) => n / 1000),
        ),
        (value) => {
          const want = Object.is(value, -0) ? '-0' : JSON.stringify(value);
          expect(line({ x: 'float64' }, { x: value })).toBe(`{"x":${want}}`);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('a float32 is the shortest decimal that reads back as the same float', () => {
    expect(line({ x: 'float32' }, { x: Math.fround(0.1) })).toBe('{"x":0.1}');
    expect(line({ x: 'float32' }, { x: Math.fround(16777216) })).toBe('{"x":16777216}');
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = line({ x: 'float32' }, { x: value }).slice(5, -1);
        expect(Object.is(Math.fround(Number(text)), value)).toBe(true);
        expect(text.replace(/^-/, '').replace('.', '').length).toBeLessThanOrEqual(45);
      }),
      { numRuns: 2000 },
    );
  });

  test('NaN and the infinities are null', () => {
    const column = new FixedColumn({ kind: 'float64' }, 2, 3);
    column.float64.set([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    column.length = 3;
    const schemaX = schemaOf({ x: 'float64' });
    expect(encodeText(encoderOf(schemaX), new Batch(schemaX, [column], 3))).toBe('{"x":null}\n'.repeat(3));
  });

  test('decimals have exactly their scale', () => {
    const types = { d: 'decimal(10,3)' };
    expect(line(types, { d: '1.5' })).toBe('{"d":1.500}');
    expect(line(types, { d: '-0.001' })).toBe('{"d":-0.001}');
    expect(line(types, { d: '0' })).toBe('{"d":0.000}');
    expect(line({ d: 'decimal(38,0)' }, { d: '9'.repeat(38) })).toBe(`{"d":${'9'.repeat(38)}}`);
    expect(line({ d: 'decimal(38,38)' }, { d: `-0.${'0'.repeat(37)}1` })).toBe(`{"d":-0.${'0'.repeat(37)}1}`);
  });

  test('dates and timestamps, standard and hive', () => {
    const types = { day: 'date', ms: 'timestamp(ms)', us: 'timestamp(us)' };
    const ms = new Date('2026-11-22T13:14:15.123Z');
    const record = { day: new Date('2026-11-22'), ms, us: BigInt(ms.getTime()) * 1000n + 456n };
    expect(line(types, record)).toBe(
      '{"day":"2026-11-22","ms":"2026-11-22T13:14:15.123Z","us":"2026-11-22T13:14:15.123456Z"}',
    );
    expect(line(types, record, { dialect: 'hive' })).toBe(
      '{"day":"2026-11-22","ms":"2026-11-22 13:14:15.123","us":"2026-11-22 13:14:15.123456"}',
    );
  });

  test.each([
    ['0001-01-01T00:00:00.000Z', '0001-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
    ['-000044-03-15T12:00:00.000Z', '-000044-03-15T12:00:00.000Z'],
    ['+010000-01-01T00:00:00.000Z', '+010000-01-01T00:00:00.000Z'],
    ['1969-12-31T23:59:59.999Z', '1969-12-31T23:59:59.999Z'],
    ['2000-02-29T00:00:00.000Z', '2000-02-29T00:00:00.000Z'],
  ])('the instant %s', (instant, text) => {
    const value = new Date(instant);
    expect(line({ t: 'timestamp(ms)' }, { t: value })).toBe(`{"t":"${text}"}`);
    const micros = `${text.slice(0, -1)}007Z`;
    expect(line({ t: 'timestamp(us)' }, { t: BigInt(value.getTime()) * 1000n + 7n })).toBe(
      `{"t":"${micros}"}`,
    );
  });

  test.each([
    [-719_529, '-000001-12-31'],
    [2_932_897, '+010000-01-01'],
    [-(2 ** 31), '-5877641-06-23'],
    [2 ** 31 - 1, '+5881580-07-11'],
    [11_016, '2000-02-29'],
  ])('day %d since 1970', (days, text) => {
    const column = new FixedColumn({ kind: 'date' }, 1, 1);
    column.values[0] = days;
    column.length = 1;
    const schemaD = schemaOf({ d: 'date' });
    expect(encodeText(encoderOf(schemaD), new Batch(schemaD, [column], 1))).toBe(`{"d":"${text}"}\n`);
  });

  test('timestamps at the edges of int64 do not break the line', () => {
    expect(line({ t: 'timestamp(us)' }, { t: 2n ** 63n - 1n })).toBe(
      '{"t":"+294247-01-10T04:00:54.775807Z"}',
    );
    expect(line({ t: 'timestamp(us)' }, { t: -(2n ** 63n) })).toBe('{"t":"-290308-12-21T19:59:05.224192Z"}');
    expect(line({ t: 'timestamp(ms)' }, { t: 2n ** 63n - 1n })).toBe(
      '{"t":"+292278994-08-17T07:12:55.807Z"}',
    );
  });

  test('strings are escaped as JSON wants it, and only there', () => {
    const text = '"\\/\b\f\n\r\t\u0000\u001f\u007fé日😀\u2028';
    const encoded = line({ s: 'string' }, { s: text });
    expect(encoded).toBe('{"s":"\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\u007fé日😀\u2028"}');
    expect(JSON.parse(encoded)).toEqual({ s: text });
  });

  test('keys are escaped; a key named __proto__ is a key like any other', () => {
    expect(line({ 'a"b': 'int32', __proto_: 'int32' }, { 'a"b': 1, __proto_: 2 })).toBe(
      '{"a\\"b":1,"__proto_":2}',
    );
    const proto = { fields: [{ name: '__proto__', type: { kind: 'int32' as const }, nullable: true }] };
    const column = new FixedColumn({ kind: 'int32' }, 1, 1);
    column.length = 1;
    expect(encodeText(encoderOf(proto), new Batch(proto, [column], 1))).toBe('{"__proto__":0}\n');
  });

  test('json columns go in as they are; line ends between tokens become blanks', () => {
    expect(line({ j: 'json' }, { j: '{"a": 1e3,\r\n"b":[]}' })).toBe('{"j":{"a": 1e3,  "b":[]}}');
    expect(line({ j: 'json' }, { j: '' })).toBe('{"j":null}');
  });

  test('dictionary values: grown dictionary, another dictionary, more values than are remembered', () => {
    const encoder = encoderOf(schemaOf({ s: 'string' }));
    const first = withDictionaries(batchOf({ s: 'string' }, [{ s: 'a"' }, { s: 'b' }, { s: null }]));
    expect(encodeText(encoder, first)).toBe('{"s":"a\\""}\n{"s":"b"}\n{"s":null}\n');
    const column = first.columns[0]!;
    if (column.layout !== 'dictionary') throw new Error('a dictionary was expected');
    column.codes[1] = column.dictionary.push(new TextEncoder().encode('new'), 0, 3);
    expect(encodeText(encoder, first)).toBe('{"s":"a\\""}\n{"s":"new"}\n{"s":null}\n');
    const big = 'x'.repeat(300_000);
    const others = ['p', `${big}1`, `${big}2`, `${big}3`, `${big}4`, `${big}5`, 'q'].map((s) => ({ s }));
    const second = withDictionaries(batchOf({ s: 'string' }, others));
    expect(encodeText(encoder, second)).toBe(others.map((record) => `${JSON.stringify(record)}\n`).join(''));
  });

  test('columns are found by name among more of them, and a changed type is an error', () => {
    const batch = batchOf({ x: 'int32', part: 'string', y: 'string' }, [{ x: 1, part: 'p', y: 'q' }]);
    expect(encodeText(encoderOf(schemaOf({ y: 'string', x: 'int32' })), batch)).toBe('{"y":"q","x":1}\n');
    expect(() => encodeText(encoderOf(schemaOf({ x: 'int64' })), batch)).toThrow(/int32/);
    expect(() => encodeText(encoderOf(schemaOf({ z: 'int64' })), batch)).toThrow(/no column 'z'/);
  });

  describe('pass-through', () => {
    const bytes = new TextEncoder().encode('{"n": 1}\n{"n": 2}\r\n{"n": 3}\n\n{"n": 4}');
    const lines = { bytes, starts: Int32Array.of(0, 9, 19, 29), ends: Int32Array.of(8, 17, 27, 37) };
    const columns = batchOf({ n: 'int32' }, [{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }]);
    const batch = new Batch(columns.schema, columns.columns, 4, lines);

    test('copies source lines, each with one line feed', () => {
      const encoder = encoderOf(columns.schema, { passThrough: true });
      expect(encodeText(encoder, batch)).toBe('{"n": 1}\n{"n": 2}\n{"n": 3}\n{"n": 4}\n');
      expect(encodeText(encoder, batch, [3, 0, 1, 1])).toBe('{"n": 4}\n{"n": 1}\n{"n": 2}\n{"n": 2}\n');
    });

    test('writes columns where the batch has no lines, or nobody asked', () => {
      const written = '{"n":1}\n{"n":2}\n{"n":3}\n{"n":4}\n';
      expect(encodeText(encoderOf(columns.schema, { passThrough: true }), columns)).toBe(written);
      expect(encodeText(encoderOf(columns.schema), batch)).toBe(written);
    });
  });
});
