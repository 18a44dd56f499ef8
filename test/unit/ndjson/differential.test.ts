/** Generated records through every way of decoding, in batches and pieces of any size: all give what JSON.parse gives. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Schema } from '../../../lib/core/data-type.ts';
import { schemaOf } from '../../support/job.ts';
import { decodeBy, WAYS, wellFormed } from './ways.ts';

const schema: Schema = {
  fields: [
    ...schemaOf({
      ts: 'timestamp(ms)',
      micros: 'timestamp(us)',
      day: 'date',
      flag: 'boolean',
      small: 'int32',
      large: 'int64',
      ratio: 'float64',
      half: 'float32',
      name: 'string',
      json: 'json',
      words: 'list<string>',
      numbers: 'list<int64>',
    }).fields,
    {
      name: 'inner',
      nullable: true,
      type: { kind: 'struct', fields: schemaOf({ x: 'int32', y: 'string', z: 'list<float64>' }).fields },
    },
  ],
};

const string = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 70 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }).map(wellFormed) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      '',
      'a',
      'usual',
      'x'.repeat(15),
      'x'.repeat(16),
      'x'.repeat(17),
      'é'.repeat(8),
    ),
  },
);
const date = fc.date({
  min: new Date('0000-01-01T00:00:00Z'),
  max: new Date('9999-12-31T23:59:59.999Z'),
  noInvalidDate: true,
});
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { freq: 8 });
const record = fc.record(
  {
    ts: maybe(date.map((value) => value.toISOString())),
    micros: maybe(
      fc
        .tuple(date, fc.integer({ min: 0, max: 999 }))
        .map(([value, micros]) => value.toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`)),
    ),
    day: maybe(date.map((value) => value.toISOString().slice(0, 10))),
    flag: maybe(fc.boolean()),
    small: maybe(fc.integer()),
    large: maybe(fc.oneof(fc.maxSafeInteger(), fc.integer(), fc.nat(99))),
    ratio: maybe(
      fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.integer().map((n) => n / 100),
        fc.integer(),
      ),
    ),
    half: maybe(fc.float({ noNaN: true, noDefaultInfinity: true })),
    name: maybe(string),
    json: maybe(fc.jsonValue({ maxDepth: 3 })),
    words: maybe(fc.array(string, { maxLength: 5 })),
    numbers: maybe(fc.array(fc.maxSafeInteger(), { maxLength: 5 })),
    inner: maybe(
      fc.record(
        {
          x: maybe(fc.integer()),
          y: maybe(string),
          z: maybe(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 3 })),
        },
        { requiredKeys: [] },
      ),
    ),
    unknown: maybe(fc.jsonValue({ maxDepth: 2 })),
  },
  { requiredKeys: [] },
);
type Row = Record<string, unknown>;

/** A record of the schema as `Batch.record` gives it, from what JSON.parse gave. */
function expectedRow(value: Row): Row {
  const map = (key: string, to: (value: never) => unknown) =>
    value[key] === undefined || value[key] === null ? null : to(value[key] as never);
  const same = (one: unknown) => one;
  const micros = (text: string) =>
    BigInt(Date.parse(`${text.slice(0, -4)}Z`)) * 1000n + BigInt(text.slice(-4, -1));
  return {
    ts: map('ts', (text: string) => new Date(text)),
    micros: map('micros', micros),
    day: map('day', (text: string) => new Date(text)),
    flag: map('flag', same),
    small: map('small', same),
    large: map('large', (number: number) => BigInt(number)),
    ratio: map('ratio', same),
    half: map('half', (number: number) => Math.fround(number)),
    name: map('name', same),
    json: map('json', (one: unknown) => JSON.stringify(one)),
    words: map('words', same),
    numbers: map('numbers', (numbers: number[]) => numbers.map((number) => BigInt(number))),
    inner: map('inner', (inner: Row) => ({ x: inner.x ?? null, y: inner.y ?? null, z: inner.z ?? null })),
  };
}

type Style = 'usual' | 'python' | 'spaced';

function spelled(value: unknown, style: Style): string {
  if (style === 'spaced') return ` ${JSON.stringify(value)} \t\r`;
  if (style === 'usual') return JSON.stringify(value);
  // `{"a": 1, "b": 2}`, as Python writes the outermost object.
  const entries = Object.entries(value as object).map(
    ([key, one]) => `${JSON.stringify(key)}: ${JSON.stringify(one)}`,
  );
  return `{${entries.join(', ')}}`;
}

describe('generated records', { timeout: 60_000 }, () => {
  it('are the same in every way of decoding, and as JSON.parse gives them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(record, fc.constantFrom<Style>('usual', 'usual', 'usual', 'python', 'spaced')), {
          minLength: 1,
          maxLength: 40,
        }),
        fc.constantFrom(1, 3, 7, 1000),
        fc.constantFrom(64, 1000, 1_000_000),
        fc.constantFrom('\n', '\r\n'),
        (records, batchRows, piece, lineEnd) => {
          const lines = records.map(([value, style]) => spelled(value, style));
          const text = lines.join(lineEnd) + lineEnd;
          const expected = lines.map((line) => expectedRow(JSON.parse(line)));
          for (const [name, way] of Object.entries(WAYS)) {
            const { rows, bad, records: count } = decodeBy(way, schema, text, { batchRows, piece });
            expect(bad, name).toEqual([]);
            expect(rows, name).toEqual(expected);
            expect(count, name).toBe(lines.length);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('with bytes changed are refused or taken by all alike, exactly where JSON.parse does it', () => {
    const simple = schemaOf({ a: 'json', s: 'string', words: 'list<string>' });
    const wanted = fc.record({
      a: fc.jsonValue({ maxDepth: 2 }),
      s: string,
      words: fc.array(string, { maxLength: 3 }),
    });
    fc.assert(
      fc.property(
        fc.array(wanted, { minLength: 4, maxLength: 8 }),
        fc.array(
          fc.tuple(
            fc.nat(),
            fc.constantFrom(...' "\\{}[],:0e.-\tnu\u0001'),
            fc.constantFrom('put', 'cut', 'set'),
          ),
          { minLength: 1, maxLength: 3 },
        ),
        (records, changes) => {
          let damaged = JSON.stringify(records[2]);
          for (const [place, byte, how] of changes) {
            const at = place % damaged.length;
            damaged =
              damaged.slice(0, at) + (how === 'cut' ? '' : byte) + damaged.slice(how === 'put' ? at : at + 1);
          }
          damaged = wellFormed(damaged);
          const lines = records.map((each, i) => (i === 2 ? damaged : JSON.stringify(each)));
          const [first, ...others] = Object.entries(WAYS).map(([name, way]) => ({
            name,
            ...decodeBy(way, simple, `${lines.join('\n')}\n`),
          }));
          for (const other of others) {
            expect(other.rows, other.name).toEqual(first!.rows);
            expect(other.bad, other.name).toEqual(first!.bad);
          }
          let value: unknown;
          try {
            value = JSON.parse(damaged);
          } catch {
            value = undefined;
          }
          // What is no JSON is refused. What is may still not fit the schema.
          if (value === undefined && damaged.trim() !== '')
            expect(first!.bad.map(({ text }) => text)).toEqual([damaged.replace(/\r$/, '')]);
          expect(first!.rows.length + first!.bad.length).toBe(
            damaged.trim() === '' ? lines.length - 1 : lines.length,
          );
        },
      ),
      { numRuns: 150 },
    );
  });

  it('fill many batches, with more values than a dictionary takes', () => {
    const rows = 30_000;
    const many = schemaOf({ id: 'int64', few: 'string', many: 'string', tags: 'list<string>' });
    const line = (i: number) =>
      `{"id":${i},"few":"${'value '.repeat(i % 7)}${i % 31}","many":"user ${(i * 7919) % 25_000}","tags":[${i % 3 === 0 ? '' : `"t${i % 11}","ü${i % 5}"`}]}\n`;
    const text = Array.from({ length: rows }, (_, i) => line(i)).join('');
    for (const name of ['kernel', 'generated code']) {
      const decoded = decodeBy(WAYS[name]!, many, text, { batchRows: 8192, piece: 1 << 20 });
      expect(decoded.rows.length, name).toBe(rows);
      for (let i = 0; i < rows; i += 101) {
        const value = JSON.parse(line(i));
        expect(decoded.rows[i], name).toEqual({ ...value, id: BigInt(i) });
      }
    }
  });

  it('keep to their keys when their order changes, and the last of equal keys counts', () => {
    const ab = schemaOf({ a: 'int32', b: 'string' });
    const text = `${'{"a":1,"b":"x"}\n'.repeat(50)}${'{"b":"y","a":2}\n'.repeat(50)}${'{"a":1,"a":3,"b":"p","b":"q"}\n'.repeat(50)}{"\\u0061":4,"b":null}\n{"b":"z"}\n{}\n`;
    for (const [name, way] of Object.entries(WAYS)) {
      const { rows } = decodeBy(way, ab, text, { batchRows: 64 });
      expect(rows.slice(0, 50), name).toEqual(Array(50).fill({ a: 1, b: 'x' }));
      expect(rows.slice(50, 100), name).toEqual(Array(50).fill({ a: 2, b: 'y' }));
      expect(rows.slice(100, 150), name).toEqual(Array(50).fill({ a: 3, b: 'q' }));
      expect(rows.slice(150), name).toEqual([
        { a: 4, b: null },
        { a: null, b: 'z' },
        { a: null, b: null },
      ]);
    }
  });
});
