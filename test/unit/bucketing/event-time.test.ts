import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createEventTime } from '../../../bucketing/event-time.ts';
import { parseIsoInstant } from '../../../bucketing/iso-instant.ts';
import { Batch } from '../../../lib/core/batch.ts';
import { Dictionary, DictionaryColumn } from '../../../lib/core/column.ts';
import type { EventTimeSpec } from '../../../lib/core/specs.ts';
import { batchOf, schemaOf } from './assigning.ts';

function timesOf(type: string, values: readonly unknown[], unit: EventTimeSpec['unit'] = 'ms'): number[] {
  const batch = batchOf(
    { t: type },
    values.map((t) => ({ t })),
  );
  const read = createEventTime({ column: 't', unit }, batch.schema);
  return [...read(batch).subarray(0, values.length)];
}

const INSTANT = Date.parse('2026-11-22T13:14:15.123Z');

describe('event time', () => {
  test.each([
    ['timestamp(ms)', new Date(INSTANT), 's', INSTANT],
    ['timestamp(us)', BigInt(INSTANT) * 1000n + 999n, 's', INSTANT],
    ['timestamp(us)', -1n, 's', -1],
    ['timestamp(us)', -1001n, 's', -2],
    ['date', new Date('2026-11-22'), 's', Date.parse('2026-11-22')],
    ['int64', BigInt(INSTANT), 'ms', INSTANT],
    ['int64', 1_800_000_000n, 's', 1_800_000_000_000],
    ['int64', BigInt(INSTANT) * 1000n + 1n, 'us', INSTANT],
    ['int64', BigInt(INSTANT) * 1_000_000n + 999_999n, 'ns', INSTANT],
    ['int64', -1n, 'ns', -1],
    ['int64', -1_000_001n, 'ns', -2],
    ['int32', 1_800_000_000, 's', 1_800_000_000_000],
    ['float64', 1_800_000_000.5, 's', 1_800_000_000_500],
    ['float64', -0.0001, 's', -1],
    ['float32', 2.5, 's', 2500],
    ['string', '2026-11-22T13:14:15.123Z', 'ms', INSTANT],
    ['string', '2026-11-22 14:14:15.123999+01:00', 's', INSTANT],
  ] as const)('%s %s (%s) is %d', (type, value, unit, ms) => {
    expect(timesOf(type, [value, null, value], unit)).toEqual([ms, Number.NaN, ms]);
  });

  test('nanoseconds are divided exactly (property)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { minLength: 1 }),
        (values) => {
          const floor = (value: bigint) =>
            Number((value - (((value % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n);
          expect(timesOf('int64', values, 'ns')).toEqual(values.map(floor));
        },
      ),
    );
  });

  test.each([
    ['string', 'yesterday', 'ms'],
    ['string', '', 'ms'],
    ['int64', 2n ** 60n, 'ms'],
    ['int64', 2n ** 60n, 's'],
    ['timestamp(us)', 2n ** 63n - 1n, 'ms'],
    ['float64', Number.POSITIVE_INFINITY, 'ms'],
    ['float64', 1e300, 's'],
  ] as const)('%s %s (%s) is a bad record, with column, value and row', (type, value, unit) => {
    expect(() => timesOf(type, [null, value], unit)).toThrow(
      expect.objectContaining({ code: 'BAD_RECORD', details: { column: 't', value: String(value), row: 1 } }),
    );
  });

  test('NaN is no event time', () => {
    expect(timesOf('float64', [Number.NaN], 's')).toEqual([Number.NaN]);
  });

  test('dictionaries: a value is looked at when a row needs it; another dictionary starts over', () => {
    const schema = schemaOf({ t: 'string' });
    const read = createEventTime({ column: 't', unit: 'ms' }, schema);
    const dictionaryOf = (...texts: string[]) => {
      const dictionary = new Dictionary();
      for (const text of texts) dictionary.push(Buffer.from(text), 0, text.length);
      return dictionary;
    };
    const rows = (dictionary: Dictionary, ...codes: number[]) => {
      const column = new DictionaryColumn({ kind: 'string' }, codes.length, dictionary);
      column.codes.set(codes);
      column.length = codes.length;
      return new Batch(schema, [column], codes.length);
    };
    const first = dictionaryOf('1970-01-01', 'broken', '1970-01-02');
    expect([...read(rows(first, 0, 2, 0)).subarray(0, 3)]).toEqual([0, 86_400_000, 0]);
    first.push(Buffer.from('1970-01-03'), 0, 10);
    expect([...read(rows(first, 3, 0)).subarray(0, 2)]).toEqual([172_800_000, 0]);
    expect(() => read(rows(first, 0, 1))).toThrow(
      expect.objectContaining({ details: { column: 't', value: 'broken', row: 1 } }),
    );
    expect([...read(rows(dictionaryOf('1970-01-05'), 0)).subarray(0, 1)]).toEqual([4 * 86_400_000]);
  });

  test.each(['boolean', 'binary', 'json', 'decimal(10,2)', 'list<string>'])(
    'refuses a column of type %s',
    (type) => {
      expect(() => createEventTime({ column: 't', unit: 'ms' }, schemaOf({ t: type }))).toThrow(
        expect.objectContaining({ code: 'JOB_INVALID' }),
      );
    },
  );

  test('refuses a column that there is not', () => {
    expect(() => createEventTime({ column: 'x', unit: 'ms' }, schemaOf({ t: 'string' }))).toThrow(
      /column 'x'/,
    );
  });
});

describe('ISO 8601', () => {
  const parse = (text: string) => {
    const bytes = Buffer.from(`##${text}##`);
    return parseIsoInstant(bytes, 2, bytes.length - 2);
  };

  test('reads what toISOString writes, with and without parts (property)', () => {
    fc.assert(
      fc.property(
        fc.date({
          min: new Date('0000-01-01'),
          max: new Date('9999-12-31T23:59:59.999Z'),
          noInvalidDate: true,
        }),
        fc.integer({ min: -1439, max: 1439 }),
        (date, minutes) => {
          const iso = date.toISOString();
          expect(parse(iso)).toBe(date.getTime());
          expect(parse(iso.slice(0, -1).replace('T', ' '))).toBe(date.getTime());
          expect(parse(iso.slice(0, 10))).toBe(Math.floor(date.getTime() / 86_400_000) * 86_400_000);
          expect(parse(`${iso.slice(0, 16)}`)).toBe(Math.floor(date.getTime() / 60_000) * 60_000);
          const sign = minutes < 0 ? '-' : '+';
          const two = (n: number) => String(n).padStart(2, '0');
          const zone = `${sign}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
          const shifted = date.getTime() - minutes * 60_000;
          expect(parse(`${iso.slice(0, -1)}${zone}`)).toBe(shifted);
          expect(parse(`${iso.slice(0, -1)}${zone.replace(':', '')}`)).toBe(shifted);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('fractions of any length are cut', () => {
    expect(parse('1970-01-01T00:00:00.1Z')).toBe(100);
    expect(parse('1970-01-01T00:00:00,1239999999999999999Z')).toBe(123);
  });

  test.each([
    '2026-02-29',
    '2026-13-01',
    '2026-00-01',
    '2026-01-00',
    '2026-1-1',
    '20260101',
    '2026-01-01T',
    '2026-01-01T1',
    '2026-01-01T24:00',
    '2026-01-01T23:60',
    '2026-01-01T23:59:60',
    '2026-01-01T23:59:5',
    '2026-01-01T23:59:59.',
    '2026-01-01T23:59:59.Z',
    '2026-01-01T23:59:59ZZ',
    '2026-01-01T23:59:59+1',
    '2026-01-01T23:59:59+24:00',
    '2026-01-01T23:59:59+01:0',
    '2026-01-01T23:59:59 +01:00',
    '2026-01-01x23:59',
    '2026-01-01 ',
    '+002026-01-01',
    '',
    '2026-01-0a',
  ])('refuses %j', (text) => {
    expect(parse(text)).toBeNaN();
  });
});
