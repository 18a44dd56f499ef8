import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ValueCollector } from '../../../formats/parquet/chunk-values.ts';
import { DictionaryBuilder, dictionaryValues } from '../../../formats/parquet/dictionary-page.ts';
import { Shredder } from '../../../formats/parquet/levels.ts';
import { leavesOf } from '../../../formats/parquet/schema.ts';
import { type Bounds, boundsOf, lowerBound, upperBound } from '../../../formats/parquet/statistics.ts';
import type { DataType } from '../../../lib/core/data-type.ts';
import { batchOf } from './arbitrary-rows.ts';

function bounds(type: DataType, values: readonly unknown[], dictionaries = false): Bounds {
  const schema = { fields: [{ name: 'c', type, nullable: true }] };
  const batch = batchOf(
    schema,
    values.map((c) => ({ c })),
    dictionaries,
  );
  const leaf = leavesOf(schema)[0]!;
  let result: Bounds | null = null;
  new Shredder().shred(batch.columns[0]!, schema.fields[0]!, values.length, (column, entries) => {
    const chunk = new ValueCollector().collect(leaf, column, entries);
    const dictionary = chunk.kind === 'bytes' ? new DictionaryBuilder().build(chunk) : null;
    result = boundsOf(
      leaf,
      chunk.kind === 'bytes' && dictionary !== null ? dictionaryValues(dictionary, chunk) : chunk,
    );
  });
  return result!;
}

const view = (bound: Bounds['min']) =>
  new DataView(bound!.bytes.buffer, bound!.bytes.byteOffset, bound!.bytes.byteLength);
const signed = (bytes: Uint8Array) =>
  BigInt.asIntN(bytes.length * 8, BigInt(`0x${Buffer.from(bytes).toString('hex')}`));

describe('bounds', () => {
  it('int32, date: signed', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
        const { min, max } = bounds({ kind: 'int32' }, [...values, null]);
        expect(view(min).getInt32(0, true)).toBe(Math.min(...values));
        expect(view(max).getInt32(0, true)).toBe(Math.max(...values));
      }),
    );
  });

  it('int64: the low word is unsigned, the high word is not', () => {
    const near = [
      0n,
      1n,
      -1n,
      2n ** 31n,
      2n ** 32n - 1n,
      2n ** 32n,
      -(2n ** 32n),
      -(2n ** 31n),
      2n ** 63n - 1n,
      -(2n ** 63n),
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...near), { minLength: 1 }), (values) => {
        const sorted = [...values].sort((a, b) => (a < b ? -1 : 1));
        const { min, max } = bounds({ kind: 'int64' }, values);
        expect(view(min).getBigInt64(0, true)).toBe(sorted[0]);
        expect(view(max).getBigInt64(0, true)).toBe(sorted.at(-1));
      }),
    );
  });

  it('decimals of all three forms: signed', () => {
    for (const precision of [9, 18, 38]) {
      const most = 10n ** BigInt(precision) - 1n;
      const any = fc.oneof(fc.bigInt({ min: -most, max: most }), fc.constantFrom(0n, -1n, 1n, most, -most));
      fc.assert(
        fc.property(fc.array(any, { minLength: 1, maxLength: 10 }), (values) => {
          const sorted = [...values].sort((a, b) => (a < b ? -1 : 1));
          const found = bounds({ kind: 'decimal', precision, scale: 0 }, values.map(String));
          // Up to 18 digits they are little-endian integers, beyond that big-endian bytes.
          const read = (bytes: Uint8Array) => signed(precision > 18 ? bytes : bytes.slice().reverse());
          expect(read(found.min!.bytes)).toBe(sorted[0]);
          expect(read(found.max!.bytes)).toBe(sorted.at(-1));
        }),
        { numRuns: 50 },
      );
    }
  });

  it('floats: zero is -0 as minimum and +0 as maximum', () => {
    for (const kind of ['float32', 'float64'] as const) {
      const read = (bound: Bounds['min']) =>
        kind === 'float32' ? view(bound).getFloat32(0, true) : view(bound).getFloat64(0, true);
      for (const values of [[0], [-0], [0, -0], [-0, 0]]) {
        const { min, max } = bounds({ kind }, values);
        expect(Object.is(read(min), -0)).toBe(true);
        expect(Object.is(read(max), 0)).toBe(true);
      }
      const { min, max } = bounds({ kind }, [1.5, Number.NEGATIVE_INFINITY, -2, Number.POSITIVE_INFINITY]);
      expect([read(min), read(max)]).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
    }
  });

  it('floats: a NaN anywhere leaves both out', () => {
    for (const values of [[Number.NaN], [1, Number.NaN], [Number.NaN, 1], [1, Number.NaN, 2]]) {
      expect(bounds({ kind: 'float64' }, values)).toEqual({ min: null, max: null });
    }
  });

  it('booleans, and nothing where there is no value', () => {
    expect(bounds({ kind: 'boolean' }, [true, null, false]).min!.bytes).toEqual(Uint8Array.of(0));
    expect(bounds({ kind: 'boolean' }, [true, null]).min!.bytes).toEqual(Uint8Array.of(1));
    expect(bounds({ kind: 'boolean' }, [false]).max!.bytes).toEqual(Uint8Array.of(0));
    expect(bounds({ kind: 'int32' }, [null, null])).toEqual({ min: null, max: null });
    expect(bounds({ kind: 'string' }, [null], true)).toEqual({ min: null, max: null });
  });

  it('strings: unsigned bytes, with and without a dictionary, whatever prefixes they share', () => {
    const prefixed = fc.tuple(
      fc.constantFrom('', 'a', 'user-', '/articles/2026/', 'ä'),
      fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom('', '\u0000', '\u0000\u0000', 'ÿ', '😀')),
    );
    const strings = fc.array(
      prefixed.map((parts) => parts.join('')).filter((text) => Buffer.from(text).toString() === text),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(strings, fc.boolean(), (values, dictionaries) => {
        const sorted = values.map((value) => Buffer.from(value)).sort(Buffer.compare);
        const { min, max } = bounds({ kind: 'string' }, [...values, null], dictionaries);
        expect(Buffer.from(min!.bytes)).toEqual(sorted[0]);
        expect(Buffer.from(max!.bytes)).toEqual(sorted.at(-1));
        expect(min!.exact && max!.exact).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('long bounds', () => {
  const utf8 = new TextDecoder('utf-8', { fatal: true });

  it('hold, are short, and are UTF-8 where the value is', () => {
    const long = fc.tuple(fc.string({ unit: 'grapheme', minLength: 40, maxLength: 90 }), fc.boolean());
    fc.assert(
      fc.property(long, ([text, isText]) => {
        const value = Buffer.from(text);
        const lower = lowerBound(value, isText);
        expect(Buffer.compare(lower.bytes, value)).toBeLessThanOrEqual(0);
        expect(lower.exact).toBe(Buffer.compare(lower.bytes, value) === 0);
        const upper = upperBound(value, isText);
        if (upper !== null) {
          expect(Buffer.compare(upper.bytes, value)).toBeGreaterThanOrEqual(0);
          expect(upper.exact).toBe(value.length <= 64);
          expect(upper.bytes.length).toBeLessThanOrEqual(64);
          if (isText) utf8.decode(upper.bytes);
        }
        expect(lower.bytes.length).toBeLessThanOrEqual(64);
        if (isText) utf8.decode(lower.bytes);
      }),
      { numRuns: 1000 },
    );
  });

  it('leave the maximum out where no byte can be increased', () => {
    expect(upperBound(Buffer.from('é'.repeat(40)), true)).toBeNull();
    expect(upperBound(new Uint8Array(65).fill(0xff), false)).toBeNull();
    expect(upperBound(Buffer.from(`a${'é'.repeat(40)}`), true)!.bytes).toEqual(
      new Uint8Array(Buffer.from('b')),
    );
    expect(upperBound(Uint8Array.of(1, ...new Uint8Array(70).fill(0xff)), false)!.bytes).toEqual(
      Uint8Array.of(2),
    );
    expect(upperBound(Buffer.from('\u007f'.repeat(70)), true)).toBeNull();
  });
});
