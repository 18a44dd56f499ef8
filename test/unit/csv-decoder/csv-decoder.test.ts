import { readFileSync } from 'node:fs';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvInput } from '../../../formats/csv/input.ts';
import type { CsvSpec } from '../../../formats/csv/spec.ts';
import { type DecodeOptions, decodeAll } from '../../support/decode.ts';
import { csvInputSpec, schemaOf } from '../../support/job.ts';

const spec = (overrides: Partial<CsvSpec> = {}): CsvSpec => ({ ...csvInputSpec, ...overrides });
const ab = schemaOf({ a: 'string', b: 'string' });
const decode = (
  text: string | Uint8Array,
  overrides: Partial<CsvSpec> = {},
  schema = ab,
  options: DecodeOptions = {},
) =>
  decodeAll(csvInput(spec(overrides)), schema, typeof text === 'string' ? Buffer.from(text) : text, options);
const pairs = (text: string, overrides: Partial<CsvSpec> = {}) =>
  decode(text, overrides).rows.map((row) => [row.a, row.b]);

describe('RFC 4180', () => {
  it('reads quotes, doubled quotes, delimiters and line ends inside quotes', () => {
    expect(pairs('a,b\n"x,y","say ""hi"""\r\n"two\nlines","\r\n"\n')).toEqual([
      ['x,y', 'say "hi"'],
      ['two\nlines', '\r\n'],
    ]);
  });

  it('takes LF and CRLF, and a last record without a line end', () => {
    expect(pairs('a,b\r\n1,2\r\n3,4')).toEqual([
      ['1', '2'],
      ['3', '4'],
    ]);
    expect(pairs('a,b\n1,2\n"3","4"')).toEqual([
      ['1', '2'],
      ['3', '4'],
    ]);
  });

  it('tells null from the empty string by quotes', () => {
    expect(pairs('a,b\n,""\n"",\n')).toEqual([
      [null, ''],
      ['', null],
    ]);
  });

  it('takes null_text unquoted only', () => {
    expect(pairs('a,b\nNA,"NA"\n', { nullText: 'NA' })).toEqual([[null, 'NA']]);
  });

  it('takes a quote within an unquoted field as it is', () => {
    expect(pairs('a,b\n5" disk,x\n')).toEqual([['5" disk', 'x']]);
  });

  it('skips blank lines and a byte order mark', () => {
    expect(pairs('\uFEFFa,b\n\n1,2\n\r\n3,4\n\n')).toEqual([
      ['1', '2'],
      ['3', '4'],
    ]);
  });

  it('has other delimiters, and columns given instead of a header', () => {
    expect(pairs('1;2\n', { delimiter: ';', header: false, columns: ['b', 'a'] })).toEqual([['2', '1']]);
    expect(pairs('1\t2\n', { delimiter: '\t', header: false })).toEqual([['1', '2']]);
  });

  it('matches columns by name: other order, unknown ones, missing ones', () => {
    expect(pairs('x,b,c\n1,2,3\n')).toEqual([[null, '2']]);
  });

  it('gives nothing for an empty file and for a header alone', () => {
    expect(decode('').rows).toEqual([]);
    expect(decode('a,b').rows).toEqual([]);
    expect(decode('a,b\n').records).toBe(0);
  });

  it('refuses a file that has none of the columns: another delimiter, or no header', () => {
    const schema = schemaOf({ id: 'int64', total: 'int64' });
    for (const text of ['id;total\n1;10\n', '1,10\n2,20\n', '1,10'])
      expect(() => decode(text, {}, schema)).toThrow("none of the schema's columns");
  });
});

describe('types', () => {
  const schema = schemaOf({
    i: 'int64',
    d: 'decimal(10,2)',
    f: 'float64',
    t: 'timestamp(ms)',
    day: 'date',
    ok: 'boolean',
    n: 'int32',
    j: 'json',
    raw: 'binary',
    g: 'float32',
  });
  it('reads every type, with all digits', () => {
    const { rows, bad } = decode(
      'i,d,f,t,day,ok,n,j,raw,g\n9007199254740993,12.5,1e3,2026-11-23T01:02:03.004Z,2024-02-29,TRUE,-7,"{""a"":1}",AQI=,0.5\n,,,,,,,,,\n',
      {},
      schema,
    );
    expect(bad).toEqual([]);
    expect(rows[0]).toEqual({
      i: 9007199254740993n,
      d: '12.50',
      f: 1000,
      t: new Date('2026-11-23T01:02:03.004Z'),
      day: new Date('2024-02-29'),
      ok: true,
      n: -7,
      j: '{"a":1}',
      raw: Uint8Array.of(1, 2),
      g: 0.5,
    });
    expect(Object.values(rows[1]!).every((value) => value === null)).toBe(true);
  });

  it('refuses lists and structs by name', () => {
    expect(() => decode('a\n', {}, schemaOf({ a: 'list<int64>' }))).toThrow(/column 'a': CSV cannot hold/);
  });
});

describe('bad records', () => {
  const schema = schemaOf({ a: 'int64', b: 'string' });
  const cases: [string, string | null, string][] = [
    ['1', null, '1 fields instead of 2'],
    ['1,2,3', null, '3 fields instead of 2'],
    ['x,2', 'a', "'x' is not an int64"],
    ['9223372036854775808,2', 'a', "'9223372036854775808' is not an int64"],
    ['1,"x"y', 'b', 'text stands behind a closing quote'],
  ];
  for (const [record, column, reason] of cases) {
    it(`${record}: ${reason}; the rows around it are kept`, () => {
      const { rows, bad, records } = decode(`a,b\n1,first\n${record}\n2,last\n`, {}, schema);
      expect(bad).toMatchObject([{ offset: 12, recordIndex: 1, column, reason, text: record }]);
      expect(rows).toEqual([
        { a: 1n, b: 'first' },
        { a: 2n, b: 'last' },
      ]);
      expect(records).toBe(3);
    });
  }

  it('a record that is refused late leaves no trace in the columns before', () => {
    const wide = schemaOf({ s: 'string', n: 'string', i: 'int64' });
    const { rows } = decode('s,n,i\nkeep,,1\ngone,gone,x\n,kept,2\n', {}, wide);
    expect(rows).toEqual([
      { s: 'keep', n: null, i: 1n },
      { s: null, n: 'kept', i: 2n },
    ]);
  });

  it('an open quote costs its line, not the rest of the file', () => {
    const { rows, bad } = decode('a,b\n1,"open\n2,x\n', {}, schema);
    expect(bad).toMatchObject([{ column: 'b', reason: 'a quote is opened and not closed', text: '1,"open' }]);
    expect(rows).toEqual([{ a: 2n, b: 'x' }]);
  });

  it('quoted_newlines: false makes a line end inside quotes a bad record of one line', () => {
    const { rows, bad } = decode('a,b\n1,"x\n2,"y"\n', { quotedNewlines: false }, schema);
    expect(bad).toMatchObject([{ text: '1,"x' }]);
    expect(rows).toEqual([{ a: 2n, b: 'y' }]);
  });

  it('refuses invalid UTF-8, and keeps NUL bytes', () => {
    const { rows, bad } = decode(
      Buffer.concat([Buffer.from('a,b\n1,'), Uint8Array.of(0xff), Buffer.from('\n2,\u0000x\n')]),
      {},
      schema,
    );
    expect(bad).toMatchObject([{ column: 'b' }]);
    expect(rows).toEqual([{ a: 2n, b: '\u0000x' }]);
  });

  it('refuses null where it may not be', () => {
    const strict = { fields: schema.fields.map((field) => ({ ...field, nullable: false })) };
    expect(decode('a,b\n,x\n', {}, strict).bad).toMatchObject([{ column: 'a' }]);
    expect(() => decode('b\nx\n', {}, strict)).toThrow(/no column 'a'/);
  });

  it('refuses a header with a name twice', () => {
    expect(() => decode('a,a\n1,2\n')).toThrow(/'a' stands twice/);
  });

  it('refuses a header that is not UTF-8: no name would match, and every value be null', () => {
    for (const [text, encoding] of [
      ['\uFEFFa,b\n1,2\n', 'utf16le'],
      ['a,b\n1,2\n', 'utf16le'],
      ['a,é\n1,2\n', 'latin1'],
    ] as const)
      expect(() => decode(Buffer.from(text, encoding))).toThrow(/it is not UTF-8/);
    expect(decode('a,é\n1,2\n', {}, schemaOf({ a: 'string', é: 'string' })).rows).toEqual([
      { a: '1', é: '2' },
    ]);
  });
});

describe('a file whose lines end with CR alone', () => {
  it('is refused: all of it would be its header', () => {
    for (const text of ['a,b\r1,x\r2,y\r', 'a,b\r1,x', 'b,a\r1,2\n', '"a","b"\r"1","x"\r', '"a"\r,b\n'])
      expect(() => decode(text), JSON.stringify(text)).toThrow(/a carriage return stands in it/);
    // In the quotes of a name, or at the end of the header, it may stand.
    const schema = schemaOf({ 'a\rb': 'string' });
    expect(decode('"a\rb"\r\n1\r\n', {}, schema).rows).toEqual([{ 'a\rb': '1' }]);
    expect(pairs('a,b\r')).toEqual([]);
    expect(pairs('"a","b"\r\n1,2')).toEqual([['1', '2']]);
  });
});

const cell = fc.oneof(
  fc.constant(null),
  fc.string({ maxLength: 12 }),
  fc.stringMatching(/^[",\r\n x]{0,6}$/),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
);
const table = fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 30 });
const quoted = (value: string | null) =>
  value === null
    ? ''
    : value === '' || /[",\r\n]|^\s|\s$/.test(value)
      ? `"${value.replaceAll('"', '""')}"`
      : value;

describe('any table', () => {
  it('comes back whole, in pieces and batches of any size, from any position', () => {
    fc.assert(
      fc.property(
        table,
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        (rows, piece, batchRows, end, open) => {
          const text = ['a,b', ...rows.map((row) => row.map(quoted).join(','))].join(end) + (open ? '' : end);
          const bytes = Buffer.from(text);
          const whole = decode(bytes, {}, ab, { piece, batchRows });
          expect(whole.bad).toEqual([]);
          expect(whole.rows.map((row) => [row.a, row.b])).toEqual(rows);
          for (const position of whole.positions) {
            const rest = decode(bytes, {}, ab, { piece, batchRows: 5, start: position.start });
            expect(rest.rows).toEqual(whole.rows.slice(position.rows));
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('columns with many distinct values come back when they leave their dictionary', () => {
    const rows = Array.from({ length: 50_000 }, (_, i) => `${i % 7},value ${i}`);
    const { rows: read } = decode(`a,b\n${rows.join('\n')}\n`, {}, ab, { batchRows: 8192, piece: 100_000 });
    expect(read.map((row) => `${row.a},${row.b}`)).toEqual(rows);
  });
});

describe('real files', { timeout: 60_000 }, () => {
  for (const name of [
    'birdstrikes.csv',
    'seattle-weather.csv',
    'species.csv',
    'github.csv',
    'zipcodes.csv',
    'airports.csv',
  ]) {
    it(`${name}: as many rows as DuckDB reads, and the same text`, async () => {
      const file = path.resolve(import.meta.dirname, '../../../node_modules/vega-datasets/data', name);
      const bytes = readFileSync(file);
      const format = csvInput(spec());
      const schema = format.inferSchema([{ bytes, isWhole: true }]);
      const texts = {
        fields: schema.fields.map((field) => ({ ...field, type: { kind: 'string' as const } })),
      };
      const { rows, bad } = decodeAll(format, texts, bytes, { piece: 100_000 });
      expect(bad).toEqual([]);
      const connection = await (await DuckDBInstance.create(':memory:')).connect();
      const result = await connection.runAndReadAll(
        `SELECT * FROM read_csv('${file}', all_varchar = true, header = true, delim = ',', quote = '"', escape = '"')`,
      );
      expect(rows.map((row) => Object.values(row))).toEqual(result.getRows());
      expect(decodeAll(format, schema, bytes).bad).toEqual([]);
    });
  }
});
