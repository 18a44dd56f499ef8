/**
 * Filters, compiled to run per column, against a plain evaluation row by row of the same condition: the generator writes the
 * text and knows what it means, so the two share nothing but the language.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Batch } from '../../../lib/core/batch.ts';
import {
  appendColumnRange,
  type Column,
  Dictionary,
  DictionaryColumn,
  emptyColumn,
} from '../../../lib/core/column.ts';
import type { Schema } from '../../../lib/core/data-type.ts';
import { columnsOf } from '../../../lib/core/values.ts';
import { columnsIn, compilePredicate } from '../../../lib/transform/expression/compile.ts';
import { parseExpression } from '../../../lib/transform/expression/parse.ts';
import { schemaOf } from '../../support/job.ts';

const SCHEMA = schemaOf({
  i: 'int32',
  j: 'int32',
  l: 'int64',
  m: 'int64',
  f: 'float64',
  h: 'float32',
  d: 'decimal(12,2)',
  s: 'string',
  t: 'string',
  b: 'boolean',
  c: 'boolean',
  ts: 'timestamp(ms)',
  us: 'timestamp(us)',
  day: 'date',
  u: 'struct<x:int64,y:string>',
});

type Truth = boolean | null;
type RowOf = Readonly<Record<string, unknown>>;

interface Condition {
  readonly text: string;
  readonly truth: (row: RowOf) => Truth;
}

const WORDS = ['', 'a', 'ab', 'abc', 'b', 'é', '😀', 'ä b', 'DE', 'FR'];
const LONGS = [
  -(2n ** 63n),
  -(2n ** 53n) - 1n,
  -5n,
  -1n,
  0n,
  1n,
  4n,
  2n ** 32n,
  2n ** 53n,
  2n ** 53n + 1n,
  2n ** 63n - 1n,
];
const INTS = [-2147483648, -5, -1, 0, 1, 4, 2147483647];
const FLOATS = [-1e300, -1.5, -0, 0, 0.25, 4, 1e300];
const DECIMALS = ['-12345678.25', '-1.50', '-0.01', '0.00', '0.25', '4.00', '9999999999.99'];
const TIMES = [-1, 0, 1, 1_700_000_000_000, 1_700_000_000_123].map((ms) => new Date(ms));

const nullable = <T>(values: readonly T[]) => fc.option(fc.constantFrom(...values), { nil: null, freq: 4 });
const rowOf = fc.record({
  i: nullable(INTS),
  j: nullable(INTS),
  l: nullable(LONGS),
  m: nullable(LONGS),
  f: nullable([...FLOATS, Number.NaN]),
  h: nullable([-1.5, 0, 0.25, 4]),
  d: nullable(DECIMALS),
  s: nullable(WORDS),
  t: nullable(WORDS),
  b: nullable([true, false]),
  c: nullable([true, false]),
  ts: nullable(TIMES),
  us: nullable(TIMES.map((time) => BigInt(time.getTime()) * 1000n)),
  day: nullable([0, 19_000, -4].map((days) => new Date(days * 86_400_000))),
  u: fc.option(fc.record({ x: nullable(LONGS), y: nullable(WORDS) }), { nil: null, freq: 4 }),
});

const OPERATORS = ['==', '!=', '<', '<=', '>', '>='] as const;
type Operator = (typeof OPERATORS)[number];

function holds(operator: Operator, less: boolean, equal: boolean, greater: boolean): boolean {
  switch (operator) {
    case '==':
      return equal;
    case '!=':
      return !equal;
    case '<':
      return less;
    case '<=':
      return less || equal;
    case '>':
      return greater;
    case '>=':
      return greater || equal;
  }
}

/** As SQL compares: null with anything is unknown. */
function compared(operator: Operator, a: unknown, b: unknown): Truth {
  if (a === null || b === null || a === undefined || b === undefined) return null;
  if (typeof a === 'string' && typeof b === 'string') {
    const order = Buffer.compare(Buffer.from(a), Buffer.from(b));
    return holds(operator, order < 0, order === 0, order > 0);
  }
  const [x, y] = [a, b].map((each) => (each instanceof Date ? each.getTime() : each)) as [number, number];
  // biome-ignore lint/suspicious/noDoubleEquals: a bigint and a number are compared by value
  return holds(operator, x < y, x == y, x > y);
}

const not = (truth: Truth): Truth => (truth === null ? null : !truth);
const and = (a: Truth, b: Truth): Truth =>
  a === false || b === false ? false : a === null || b === null ? null : true;
const or = (a: Truth, b: Truth): Truth =>
  a === true || b === true ? true : a === null || b === null ? null : false;

const float = (value: number) => {
  const text = Object.is(value, -0) ? '-0.0' : String(value).replace('e+', 'e');
  return /[.e]/.test(text) ? text : `${text}.0`;
};
const quoted = (text: string) => JSON.stringify(text);
const long = (value: bigint) => String(value);

/** Columns with what they are compared with: its text, and its value as the rows have it. */
const COMPARED: readonly [string, (row: RowOf) => unknown, readonly (readonly [string, unknown])[]][] = [
  [
    'i',
    (row) => row.i,
    [...INTS.map((v) => [String(v), v] as const), ['0.5', 0.5], ['9999999999', 9999999999]],
  ],
  [
    'l',
    (row) => row.l,
    [...LONGS.filter((v) => v > -(2n ** 63n)).map((v) => [long(v), v] as const), ['0.5', 0.5]],
  ],
  ['f', (row) => row.f, [...FLOATS.map((v) => [float(v), v] as const), ['4', 4]]],
  [
    'h',
    (row) => row.h,
    [
      ['0.25', 0.25],
      ['-1.5', -1.5],
      ['4', 4],
    ],
  ],
  [
    'd',
    (row) => (row.d === null ? null : Number(row.d)),
    DECIMALS.map((v) => [v.replace(/^-?/, (sign) => sign), Number(v)] as const),
  ],
  ['s', (row) => row.s, WORDS.map((v) => [quoted(v), v] as const)],
  ['u.y', (row) => (row.u as RowOf | null)?.y ?? null, WORDS.map((v) => [quoted(v), v] as const)],
  [
    'u.x',
    (row) => (row.u as RowOf | null)?.x ?? null,
    [
      ['4', 4n],
      ['-1', -1n],
    ],
  ],
  ['ts', (row) => row.ts, TIMES.map((v) => [`timestamp("${v.toISOString()}")`, v] as const)],
  [
    'us',
    (row) => row.us,
    TIMES.map((v) => [`timestamp("${v.toISOString()}")`, BigInt(v.getTime()) * 1000n] as const),
  ],
  [
    'day',
    (row) => row.day,
    [
      ['date("1970-01-01")', new Date(0)],
      ['date("2022-01-08")', new Date(19_000 * 86_400_000)],
    ],
  ],
];

const constants: fc.Arbitrary<Condition> = fc.constantFrom(...COMPARED).chain(([name, of, given]) =>
  fc
    .tuple(fc.constantFrom(...given), fc.constantFrom(...OPERATORS), fc.boolean())
    .map(([[text, value], operator, mirrored]) => {
      const mirror = { '==': '==', '!=': '!=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' } as const;
      return {
        text: mirrored ? `${text} ${mirror[operator]} ${name}` : `${name} ${operator} ${text}`,
        truth: (row) => compared(operator, of(row), value),
      };
    }),
);

const PAIRS: readonly (readonly [string, string])[] = [
  ['i', 'j'],
  ['i', 'l'],
  ['l', 'm'],
  ['m', 'i'],
  ['i', 'f'],
  ['f', 'h'],
  ['s', 't'],
];
const columnPairs: fc.Arbitrary<Condition> = fc
  .tuple(fc.constantFrom(...PAIRS), fc.constantFrom(...OPERATORS))
  .map(([[a, b], operator]) => ({
    text: `${a} ${operator} ${b}`,
    truth: (row) => compared(operator, row[a], row[b]),
  }));

const textTests: fc.Arbitrary<Condition> = fc
  .tuple(
    fc.constantFrom('s', 't'),
    fc.constantFrom('startsWith', 'endsWith', 'contains'),
    fc.constantFrom(...WORDS),
  )
  .map(([name, test, part]) => ({
    text: `${name}.${test}(${quoted(part)})`,
    truth: (row) => {
      const value = row[name];
      if (typeof value !== 'string') return null;
      if (test === 'startsWith') return value.startsWith(part);
      return test === 'endsWith' ? value.endsWith(part) : value.includes(part);
    },
  }));

const memberships: fc.Arbitrary<Condition> = fc.oneof(
  fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 4 }).map(
    (words): Condition => ({
      text: `s in [${words.map(quoted).join(', ')}]`,
      truth: (row) => (typeof row.s === 'string' ? words.includes(row.s) : null),
    }),
  ),
  fc.array(fc.constantFrom(...INTS), { minLength: 1, maxLength: 4 }).map(
    (numbers): Condition => ({
      text: `l in [${numbers.join(', ')}]`,
      truth: (row) => (typeof row.l === 'bigint' ? numbers.includes(Number(row.l)) : null),
    }),
  ),
);

const others: fc.Arbitrary<Condition> = fc.constantFrom<Condition>(
  { text: 'b', truth: (row) => row.b as Truth },
  { text: 'b == c', truth: (row) => compared('==', row.b, row.c) },
  { text: 'b != true', truth: (row) => compared('!=', row.b, true) },
  { text: 'false == c', truth: (row) => compared('==', row.c, false) },
  { text: 'true', truth: () => true },
  ...Object.keys({ i: 1, l: 1, s: 1, b: 1, u: 1, ts: 1 }).flatMap((name) => [
    { text: `${name} == null`, truth: (row: RowOf) => row[name] === null },
    { text: `null != ${name}`, truth: (row: RowOf) => row[name] !== null },
  ]),
);

const condition = fc.letrec<{ any: Condition }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    { weight: 4, arbitrary: fc.oneof(constants, columnPairs, textTests, memberships, others) },
    {
      weight: 1,
      arbitrary: tie('any').map(({ text, truth }) => ({
        text: `!(${text})`,
        truth: (row: RowOf) => not(truth(row)),
      })),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(tie('any'), tie('any')).map(([a, b]) => ({
        text: `(${a.text}) && (${b.text})`,
        truth: (row: RowOf) => and(a.truth(row), b.truth(row)),
      })),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(tie('any'), tie('any')).map(([a, b]) => ({
        text: `(${a.text}) || (${b.text})`,
        truth: (row: RowOf) => or(a.truth(row), b.truth(row)),
      })),
    },
  ),
})).any;

/** Texts as codes into a dictionary, as decoders give them. */
function withDictionaries(columns: readonly Column[]): Column[] {
  return columns.map((column) => {
    if (column.layout !== 'bytes') return column;
    const coded = new DictionaryColumn(column.type, column.length, new Dictionary());
    const codes = new Map<string, number>();
    for (let row = 0; row < column.length; row++) {
      const [start, end] = [column.offsets[row]!, column.offsets[row + 1]!];
      const text = Buffer.from(column.bytes.subarray(start, end)).toString();
      let code = codes.get(text);
      code ??= coded.dictionary.push(column.bytes, start, end);
      codes.set(text, code);
      coded.codes[row] = code;
      if (column.isNull(row)) coded.setNull(row);
    }
    coded.length = column.length;
    return coded;
  });
}

async function compiled(text: string, schema: Schema = SCHEMA) {
  const parsed = await parseExpression(text);
  if (!parsed.ok) throw new Error(`${text}: ${parsed.message}`);
  return compilePredicate(parsed.expression, schema);
}

describe('filters', () => {
  it('say of each row what a plain evaluation says, nulls included', async () => {
    await fc.assert(
      fc.asyncProperty(
        condition,
        fc.array(rowOf, { maxLength: 40 }),
        fc.boolean(),
        async (given, rows, coded) => {
          const predicate = await compiled(given.text);
          if (typeof predicate !== 'function') throw new Error(`${given.text}: ${predicate.message}`);
          const columns = columnsOf(SCHEMA, rows);
          const batch = new Batch(SCHEMA, coded ? withDictionaries(columns) : columns, rows.length);
          const truths = [...predicate(batch).subarray(0, rows.length)];
          const wanted = rows.map((row) => {
            const truth = given.truth(row);
            return truth === null ? 2 : truth ? 1 : 0;
          });
          expect(truths, given.text).toEqual(wanted);
        },
      ),
      { numRuns: 1500 },
    );
  }, 60_000);

  it('looks at values that a growing dictionary gets later, and at another dictionary', async () => {
    const predicate = await compiled('s in ["b", "x"]', schemaOf({ s: 'string' }));
    if (typeof predicate !== 'function') throw new Error(predicate.message);
    const schema = schemaOf({ s: 'string' });
    const dictionary = new Dictionary();
    const run = (words: readonly string[], from: Dictionary) => {
      const column = new DictionaryColumn(schema.fields[0]!.type, words.length, from);
      for (const [row, word] of words.entries())
        column.codes[row] = from.push(Buffer.from(word), 0, word.length);
      column.length = words.length;
      return [...predicate(new Batch(schema, [column], words.length)).subarray(0, words.length)];
    };
    expect(run(['a', 'b'], dictionary)).toEqual([0, 1]);
    expect(run(['x', 'y'], dictionary)).toEqual([1, 0]);
    expect(run(['b', 'a'], new Dictionary())).toEqual([1, 0]);
    const plain = emptyColumn(schema.fields[0]!.type);
    appendColumnRange(plain, columnsOf(schema, [{ s: 'b' }, { s: null }])[0]!, 0, 2);
    expect([...predicate(new Batch(schema, [plain], 2)).subarray(0, 2)]).toEqual([1, 2]);
  });

  it.each([
    ['nope > 1', 0, "there is no column 'nope'"],
    ['i > 1 && nope == 2', 9, "there is no column 'nope'"],
    ['i == "1"', 5, 'cannot be compared with a string'],
    ['s > 4', 4, 'cannot be compared with a integer'],
    ['ts > "2026-01-01"', 5, 'write timestamp("...")'],
    ['ts > us', 0, 'cast one of them'],
    ['i', 0, 'a condition is needed here'],
    ['b > true', 0, 'neither smaller nor greater'],
    ['u.z == 1', 0, "has no field 'z'"],
    ['u == 1', 5, 'cannot be compared'],
    ['i.startsWith("a")', 0, 'is for text'],
    ['l > 9223372036854775807 && ts > timestamp("2026-01-01")', -1, ''],
  ])('%s: is held against the columns', async (text, at, message) => {
    const found = await compiled(text);
    if (at === -1) expect(typeof found).toBe('function');
    else {
      expect(found).toMatchObject({ at });
      expect(found).toHaveProperty('message', expect.stringContaining(message));
    }
  });

  it.each([
    ['a > && b', 4, 'Unexpected token'],
    ['a > 1 +', 7, ''],
    ['a + 1 > 2', 0, 'column'],
    ['1 == 2', 0, 'column on one side'],
    ['a in b', 5, 'takes a list'],
    ['a.matches("x")', 0, "no function 'matches'"],
    ['a ? b : c', 0, 'not in this language'],
    ['a.startsWith(b)', 0, 'one text in quotes'],
    ['a > null', 0, 'neither smaller nor greater'],
    ['a > timestamp("yesterday")', 4, 'timestamp takes'],
    ['a > timestamp("2026-02-30T00:00:00Z")', 4, 'day of the calendar'],
    ['a > timestamp("2026-01-01T24:00:00Z")', 4, 'timestamp takes'],
    ['a == date("2026-02-30")', 5, 'day of the calendar'],
    ['a == size(b)', 5, "no function 'size'"],
    ['', 0, ''],
    [`${'!('.repeat(300)}a${')'.repeat(300)}`, -1, ''],
  ])('%s: is refused with its place', async (text, at, message) => {
    const parsed = await parseExpression(text);
    expect(parsed.ok).toBe(false);
    if (parsed.ok) return;
    if (at >= 0) expect(parsed.at).toBe(at);
    expect(parsed.message).toContain(message);
  });

  it('takes signs that stand one before the other', async () => {
    expect(await parseExpression('a in [- - 16, -(-(-1)), - - 1.5, - 0]')).toMatchObject({
      expression: {
        list: [{ value: '16' }, { value: '-1' }, { value: 1.5 }, { value: '-0' }],
      },
    });
  });

  it('tells the columns that it looks at', async () => {
    const parsed = await parseExpression('a.x > b && (!(c == null) || d in [1] || e.contains("y") || f)');
    expect(parsed.ok && [...columnsIn(parsed.expression)].sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });
});
