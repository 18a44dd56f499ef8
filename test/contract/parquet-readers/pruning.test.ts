/**
 * Engines skip row groups by our statistics: a wrong bound makes a filter lose rows in silence. Each filter is asked of
 * the file, where DuckDB prunes, and of a table made from all its rows, where it cannot.
 */
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { type DataType, formatDataType, parseDataType, type Schema } from '../../../lib/core/data-type.ts';
import { anyValue, FLAT_TYPES, type Row } from '../../unit/parquet/arbitrary-rows.ts';
import { DuckDb } from './readers.ts';
import { writeParquet } from './write.ts';

const duckDb = new DuckDb();
afterAll(() => duckDb.close());

const OPERATORS = ['=', '<>', '<', '>', '<=', '>='] as const;

async function expectSameAnswers(type: DataType, rows: readonly Row[], dictionaries: boolean): Promise<void> {
  const schema: Schema = {
    fields: [
      { name: 'c', type, nullable: true },
      { name: 'row', type: { kind: 'int32' }, nullable: false },
    ],
  };
  const numbered = rows.map((row, i) => ({ ...row, row: i }));
  const path = duckDb.write(await writeParquet(schema, numbered, { rowsPerGroup: 4, dictionaries }));
  await duckDb.query(`CREATE OR REPLACE TABLE everything AS SELECT * FROM read_parquet('${path}')`);
  const filters = ['c IS NULL', 'c IS NOT NULL'];
  for (const constant of await constants()) {
    for (const operator of OPERATORS) filters.push(`c ${operator} ${constant}`);
  }
  const answers = (source: string) =>
    duckDb.query(
      filters
        .map((filter, i) => `(SELECT ${i} AS filter, list(row ORDER BY row) FROM ${source} WHERE ${filter})`)
        .join(' UNION ALL '),
    );
  const byFilter = (answer: readonly unknown[][]) =>
    Object.fromEntries(answer.map(([filter, found]) => [filters[Number(filter)], found]));
  expect(byFilter(await answers(`read_parquet('${path}')`))).toEqual(byFilter(await answers('everything')));
}

/** Values of the table as constants: only those are compared with statistics. */
async function constants(): Promise<string[]> {
  const values = await duckDb.query(`SELECT typeof(any_value(c)), CASE typeof(any_value(c))
    WHEN 'BLOB' THEN hex(any_value(c)::BLOB) WHEN 'VARCHAR' THEN hex(any_value(c)::VARCHAR)
    ELSE any_value(c)::VARCHAR END FROM everything WHERE c IS NOT NULL GROUP BY c LIMIT 8`);
  return values.map(([type, value]) => {
    if (type === 'BLOB') return `from_hex('${value}')`;
    return type === 'VARCHAR' ? `decode(from_hex('${value}'))` : `CAST('${value}' AS ${type})`;
  });
}

const types = [...FLAT_TYPES, ...['list<string>', 'list<int64>'].map(parseDataType)].filter(
  // DuckDB compares JSON as text only after a cast, which it does not push down.
  ({ kind }) => kind !== 'json' && kind !== 'list',
);

for (const type of types) {
  it(formatDataType(type), { timeout: 60_000 }, async () => {
    const rows = fc.array(fc.record({ c: fc.option(anyValue(type)) }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(rows, fc.boolean(), (rows, dictionaries) =>
        expectSameAnswers(type, rows, dictionaries),
      ),
      { numRuns: 15 },
    );
  });
}

it('NaN, both zeros and the infinities are found', async () => {
  const values = [
    Number.NaN,
    1,
    -0,
    0,
    5,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    7,
    8,
    9,
    Number.NaN,
    3,
  ];
  for (const kind of ['float32', 'float64'] as const) {
    await expectSameAnswers(
      { kind },
      values.map((c) => ({ c })),
      false,
    );
  }
});

it('strings that are cut in the statistics are found', async () => {
  const values = [
    'a'.repeat(100),
    `${'a'.repeat(63)}é`,
    `${'a'.repeat(63)}éb`,
    'é'.repeat(50),
    '\u007f'.repeat(80),
    'a'.repeat(64),
  ];
  await expectSameAnswers(
    { kind: 'string' },
    [...values, ...values].map((c) => ({ c })),
    true,
  );
  await expectSameAnswers(
    { kind: 'string' },
    values.map((c) => ({ c })),
    false,
  );
});
