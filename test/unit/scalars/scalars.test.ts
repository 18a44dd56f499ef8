import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseBoolean } from '../../../formats/scalars/boolean.ts';
import { fixedParser } from '../../../formats/scalars/scalar-parser.ts';
import { BitsColumn, emptyColumn, FixedColumn } from '../../../lib/core/column.ts';
import { type DataType, parseDataType } from '../../../lib/core/data-type.ts';
import { decimalFromWords, decimalToWords } from '../../../lib/core/decimal.ts';
import { readValue } from '../../../lib/core/values.ts';

/** The value that a text is read as, behind and before other bytes; undefined where it is refused. */
function parse(typeText: string, text: string): unknown {
  const type = parseDataType(typeText);
  const column = emptyColumn(type) as FixedColumn;
  const bytes = Buffer.from(`7.1${text}9e1`);
  const parser = fixedParser(type)!;
  if (!parser(bytes, 3, 3 + Buffer.byteLength(text), column, 1)) return undefined;
  column.length = 2;
  // Nothing but the slot of row 1 is written.
  expect([...column.values.subarray(0, column.words)]).toEqual(new Array(column.words).fill(0));
  return readValue(column, 1);
}

const instant = (text: string) => parse('timestamp(ms)', text);

describe('booleans', () => {
  test('are true and false, nothing else', () => {
    const column = new BitsColumn({ kind: 'boolean' }, 4);
    const parsed = (text: string) => parseBoolean(Buffer.from(`${text}e`), 0, text.length, column, 2);
    expect([parsed('true'), column.get(2)]).toEqual([true, true]);
    expect([parsed('false'), column.get(2)]).toEqual([true, false]);
    for (const text of ['', 'True', 'FALSE', 'tru', 'truee', 'falsy', '1', '0', 'null', 'fals']) {
      expect(parsed(text), text).toBe(false);
    }
  });
});

describe('integers', () => {
  test('of 64 bits keep every digit up to the bounds', () => {
    for (const text of ['0', '-1', '9007199254740993', '-9007199254740993', '9223372036854775807']) {
      expect(parse('int64', text)).toBe(BigInt(text));
    }
    expect(parse('int64', '-9223372036854775808')).toBe(-(2n ** 63n));
    for (const text of ['9223372036854775808', '-9223372036854775809', '9999999999999999999', '1e19']) {
      expect(parse('int64', text), text).toBeUndefined();
    }
    expect(parse('int64', '-0')).toBe(0n);
    expect(parse('int64', '000000000000000000000000012')).toBe(12n);
  });

  test('may be spelled with an exponent or a fraction of zeros', () => {
    expect(parse('int64', '1e3')).toBe(1000n);
    expect(parse('int64', '9.223372036854775807E18')).toBe(2n ** 63n - 1n);
    expect(parse('int64', '1e00000000000000000000002')).toBe(100n);
    expect(parse('int32', '12.0')).toBe(12);
    expect(parse('int32', '1500e-2')).toBe(15);
    expect(parse('int64', '0e999999999999999999999')).toBe(0n);
    for (const text of ['1.5', '1e-1', '15e-2', '1e99999999999999999999']) {
      expect(parse('int64', text), text).toBeUndefined();
      expect(parse('int32', text), text).toBeUndefined();
    }
  });

  test('of 32 bits have their bounds', () => {
    expect(parse('int32', '2147483647')).toBe(2147483647);
    expect(parse('int32', '-2147483648')).toBe(-2147483648);
    for (const text of ['2147483648', '-2147483649', '9999999999', '4294967296']) {
      expect(parse('int32', text), text).toBeUndefined();
    }
  });

  test('are what BigInt reads, and other text is refused', () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 65n), 2n ** 65n), (value) => {
        const expected = BigInt.asIntN(64, value) === value ? value : undefined;
        expect(parse('int64', value.toString())).toBe(expected);
        const small = BigInt.asIntN(32, value >> 20n);
        expect(parse('int32', small.toString())).toBe(Number(small));
      }),
    );
    const refused = [
      '',
      '-',
      '+',
      ' 1',
      '1 ',
      '1_000',
      '0x10',
      'NaN',
      '١',
      '--1',
      '1-1',
      'e5',
      '.',
      '1e',
      '1e+',
      '1a',
    ];
    for (const text of refused) {
      for (const type of ['int32', 'int64', 'float32', 'float64', 'decimal(10,2)']) {
        expect(parse(type, text), `${type} ${text}`).toBeUndefined();
      }
    }
  });
});

describe('floats', () => {
  test('are the doubles that Number reads', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Object.is(parse('float64', spell(value)), value)).toBe(true);
        expect(Object.is(parse('float32', spell(Math.fround(value))), finite(Math.fround(value)))).toBe(true);
      }),
      { numRuns: 1000 },
    );
    const decimal = fc.tuple(fc.boolean(), fc.stringMatching(/^\d{0,20}$/), fc.stringMatching(/^\d{1,25}$/));
    fc.assert(
      fc.property(decimal, ([negative, whole, fraction]) => {
        const text = `${negative ? '-' : ''}${whole}.${fraction}`;
        expect(Object.is(parse('float64', text), Number(text)), text).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('keep -0, and refuse what is not finite', () => {
    for (const text of ['-0', '-0.0', '-0e5', '-1e-400']) expect(parse('float64', text), text).toBe(-0);
    for (const text of ['1e400', '-1e400', 'NaN', 'Infinity', '-Infinity', 'inf']) {
      expect(parse('float64', text), text).toBeUndefined();
    }
    expect(parse('float32', '1e39')).toBeUndefined();
    expect(parse('float32', '0.1')).toBe(Math.fround(0.1));
    expect(parse('float64', '5e-324')).toBe(5e-324);
    expect(parse('float64', '123456789012345.6')).toBe(123456789012345.6);
  });
});

/** String() says 0 for -0. */
function spell(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

describe('decimals', () => {
  test('are what lib/core/decimal reads', () => {
    const text = fc.stringMatching(/^[+-]?\d{0,20}\.?\d{0,20}(e[+-]?\d{1,2})?$/);
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 38 }), fc.nat(), (spelled, precision, n) => {
        const scale = n % (precision + 1);
        const words = new Int32Array(4);
        const fits = decimalToWords(spelled, precision, scale, words, 0);
        const expected = fits ? decimalFromWords(words, 0, scale) : undefined;
        expect(parse(`decimal(${precision},${scale})`, spelled)).toBe(expected);
      }),
      { numRuns: 3000 },
    );
  });

  test('are never rounded, and bounded by the precision', () => {
    expect(parse('decimal(5,2)', '-12.5')).toBe('-12.50');
    expect(parse('decimal(5,2)', '12.500000')).toBe('12.50');
    expect(parse('decimal(5,2)', '12.505')).toBeUndefined();
    expect(parse('decimal(5,2)', '999.99')).toBe('999.99');
    expect(parse('decimal(5,2)', '1000')).toBeUndefined();
    expect(parse('decimal(38,0)', '9'.repeat(38))).toBe('9'.repeat(38));
    expect(parse('decimal(38,0)', '9'.repeat(39))).toBeUndefined();
    expect(parse('decimal(5,2)', '-0.00')).toBe('0.00');
  });
});

describe('dates', () => {
  test('are what Date reads, over all days of some centuries', () => {
    for (let day = -800_000; day <= 2_932_896; day += 397) {
      const date = new Date(day * 86_400_000);
      if (date.getUTCFullYear() < 0) continue;
      expect(parse('date', date.toISOString().slice(0, 10))).toEqual(date);
    }
    expect(parse('date', '0000-01-01')).toEqual(new Date('0000-01-01'));
    expect(parse('date', '9999-12-31')).toEqual(new Date('9999-12-31'));
  });

  test('have to exist', () => {
    expect(parse('date', '2024-02-29')).toBeDefined();
    expect(parse('date', '2000-02-29')).toBeDefined();
    const refused = ['2023-02-29', '1900-02-29', '2024-02-30', '2024-04-31', '2024-13-01', '2024-00-10'];
    refused.push(
      '2024-01-00',
      '2024-01-32',
      '2024-1-1',
      '24-01-01',
      '2024/01/01',
      '2024-01-01Z',
      '2024-01-0:',
    );
    refused.push('', '2024-01', '20240101', ' 024-01-01', '+024-01-01', '2024-0a-01');
    for (const text of refused) expect(parse('date', text), text).toBeUndefined();
  });
});

describe('timestamps', () => {
  test('are ISO 8601 in its usual forms', () => {
    const expected = new Date('2026-11-22T13:14:15.120Z');
    const forms = ['2026-11-22T13:14:15.12Z', '2026-11-22 13:14:15.120', '2026-11-22t13:14:15.12z'];
    forms.push('2026-11-22T15:14:15.12+02:00', '2026-11-22T15:14:15.12+0200', '2026-11-22T15:14:15.12+02');
    forms.push('2026-11-21T23:59:15.12-13:15', '2026-11-22T13:14:15.120999999Z');
    for (const text of forms) expect(instant(text), text).toEqual(expected);
    expect(instant('2026-11-22')).toEqual(new Date('2026-11-22'));
    expect(instant('2026-11-22T13:14Z')).toEqual(new Date('2026-11-22T13:14Z'));
    expect(instant('1969-12-31T23:59:59.999Z')).toEqual(new Date(-1));
    expect(instant('2026-12-31T23:59:59.9999Z')).toEqual(new Date('2026-12-31T23:59:59.999Z'));
  });

  test('in microseconds are exact over all years', () => {
    expect(parse('timestamp(us)', '2026-11-22T13:14:15.123456Z')).toBe(
      BigInt(Date.parse('2026-11-22T13:14:15Z')) * 1000n + 123456n,
    );
    for (const year of ['0000', '0001', '1500', '1969', '1970', '2255', '2256', '9999']) {
      const text = `${year}-03-01T00:00:01`;
      expect(parse('timestamp(us)', `${text}.000007Z`)).toBe(BigInt(Date.parse(`${text}Z`)) * 1000n + 7n);
    }
  });

  test('are what Date reads', () => {
    fc.assert(
      fc.property(fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 }), (ms) => {
        expect(instant(new Date(ms).toISOString())).toEqual(new Date(ms));
        expect(parse('timestamp(us)', new Date(ms).toISOString())).toBe(BigInt(ms) * 1000n);
      }),
      { numRuns: 2000 },
    );
  });

  test('have to exist', () => {
    const refused = [
      '2026-11-22T24:00:00Z',
      '2026-11-22T13:60:00Z',
      '2026-11-22T13:14:60Z',
      '2023-02-29T00:00:00Z',
    ];
    refused.push(
      '2026-11-22T',
      '2026-11-22T13',
      '2026-11-22T13:1',
      '2026-11-22T13:14:',
      '2026-11-22T13:14:1',
    );
    refused.push('2026-11-22T13:14:15.', '2026-11-22T13:14:15.Z', '2026-11-22T13:14:15.1234567890Z');
    refused.push('2026-11-22T13:14:15ZZ', '2026-11-22T13:14:15+1', '2026-11-22T13:14:15+24:00');
    refused.push('2026-11-22T13:14:15+02:60', '2026-11-22T13:14:15+02-00', '2026-11-22T13:14:15 UTC');
    refused.push('2026-11-22_13:14:15Z', '2026-11-22T13-14-15Z', '2026-11-22T13:14:15+', '2026-11-22Z', '');
    for (const text of refused) expect(instant(text), text).toBeUndefined();
  });
});

test('a type without one fixed slot a value has no parser', () => {
  const others: DataType[] = [
    { kind: 'string' },
    { kind: 'boolean' },
    { kind: 'list', element: { kind: 'date' } },
  ];
  for (const type of others) expect(fixedParser(type)).toBeNull();
  expect(emptyColumn({ kind: 'date' })).toBeInstanceOf(FixedColumn);
});
