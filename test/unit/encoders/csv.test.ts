import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { csvFormat } from '../../../formats/csv/encoder.ts';
import { anyRecords, anyText, batchOf, EVERY_TYPE, encodeText, schemaOf, withDictionaries } from './rows.ts';

function rowsOf(types: Record<string, string>, records: Record<string, unknown>[], options = {}): string {
  const batch = batchOf(types, records);
  return encodeText(csvFormat(options).createEncoder(batch.schema), batch);
}

/** A strict RFC 4180 reader: null for an unquoted field that reads as null. */
function parseCsv(text: string, delimiter: string, nullText: string): (string | null)[][] {
  const rows: (string | null)[][] = [];
  let row: (string | null)[] = [];
  let at = 0;
  while (at < text.length) {
    let field: string | null = '';
    if (text[at] === '"') {
      at++;
      for (;;) {
        const quote = text.indexOf('"', at);
        if (quote === -1) throw new Error('a quote is not closed');
        field += text.slice(at, quote);
        at = quote + 1;
        if (text[at] !== '"') break;
        field += '"';
        at++;
      }
    } else {
      const start = at;
      while (text[at] !== delimiter && text[at] !== '\n') at++;
      field = text.slice(start, at);
      if (/["\r]/.test(field)) throw new Error(`a bare field holds a quote or CR: ${field}`);
      if (field === nullText) field = null;
    }
    row.push(field);
    if (text[at] === '\n') {
      rows.push(row);
      row = [];
    } else if (text[at] !== delimiter) throw new Error(`text behind a quoted field at ${at}`);
    at++;
  }
  return rows;
}

describe('CSV encoder', () => {
  test('quotes only what needs it', () => {
    const values = ['plain', 'a,b', 'say "hi"', 'two\nlines', 'cr\rhere', ' blank ', '', null, "it's", '#'];
    expect(
      rowsOf(
        { a: 'string', n: 'int32' },
        values.map((a, n) => ({ a, n })),
      ),
    ).toBe(
      'plain,0\n"a,b",1\n"say ""hi""",2\n"two\nlines",3\n"cr\rhere",4\n blank ,5\n"",6\n,7\nit\'s,8\n#,9\n',
    );
  });

  test('each type', () => {
    const record = {
      ...{
        bool: true,
        i32: -5,
        i64: 2n ** 63n - 1n,
        f32: Math.fround(0.1),
        f64: -0,
        dec: '1.5',
        wide: '-2',
        whole: '7',
      },
      ...{ text: 'x', bin: Uint8Array.of(1, 2, 3), doc: '{"a":1}', day: new Date('2026-11-22') },
      ...{
        ms: new Date('2026-11-22T13:14:15.123Z'),
        us: 1n,
        list: ['a', null],
        deep: { exact: 1n, b: null },
      },
    };
    expect(rowsOf(EVERY_TYPE, [record])).toBe(
      'true,-5,9223372036854775807,0.1,-0,1.500,-2.0000000000,7,x,AQID,"{""a"":1}",2026-11-22,' +
        '2026-11-22T13:14:15.123Z,1970-01-01T00:00:00.000001Z,"[""a"",null]","{""exact"":1,""b"":null}"\n',
    );
    expect(rowsOf({ x: 'float64', y: 'float64' }, [{ x: Number.NaN, y: Number.NEGATIVE_INFINITY }])).toBe(
      'NaN,-Infinity\n',
    );
  });

  test('a value that reads like null is quoted, whatever its type', () => {
    const records = [
      { s: 'NULL', n: 1 },
      { s: null, n: null },
      { s: '', n: 2 },
    ];
    expect(rowsOf({ s: 'string', n: 'int32' }, records, { nullText: 'NULL' })).toBe(
      '"NULL",1\nNULL,NULL\n"",2\n',
    );
    expect(rowsOf({ n: 'int32' }, [{ n: -1 }, { n: null }], { nullText: '-1' })).toBe('"-1"\n-1\n');
  });

  test('header once a part, quoted like values', () => {
    const schema = schemaOf({ a: 'int32', 'b,c': 'int32', 'd"': 'int32' });
    const header = csvFormat().createEncoder(schema).header;
    expect(new TextDecoder().decode(header!)).toBe('a,"b,c","d"""\n');
    expect(csvFormat({ header: false }).createEncoder(schema).header).toBeNull();
    expect(csvFormat({ dialect: 'hive' }).createEncoder(schema).header).toBeNull();
    expect(csvFormat({ dialect: 'hive', header: true }).createEncoder(schema).header).not.toBeNull();
  });

  test('a delimiter that numbers or dates hold makes them quoted', () => {
    const types = { n: 'int32', t: 'timestamp(ms)' };
    const record = { n: -5, t: new Date(0) };
    expect(rowsOf(types, [record], { delimiter: '-' })).toBe('"-5"-"1970-01-01T00:00:00.000Z"\n');
    expect(rowsOf(types, [record], { delimiter: ' ', dialect: 'hive' })).toBe(
      '-5 "1970-01-01 00:00:00.000"\n',
    );
    expect(rowsOf({ b: 'boolean', n: 'int32' }, [{ b: true, n: 1 }], { delimiter: 't' })).toBe('"true"t1\n');
  });

  test.each(['', ',,', '"', '\\', '\n', 'é'])('refuses the delimiter %j', (delimiter) => {
    expect(() => csvFormat({ delimiter })).toThrow(/delimiter/);
  });

  test.each(['a,b', '"', 'a\nb'])('refuses the null text %j', (nullText) => {
    expect(() => csvFormat({ nullText })).toThrow(/null/);
  });

  test('hive: a null text with a backslash is refused, as it would lose it', () => {
    expect(() => csvFormat({ dialect: 'hive', nullText: '\\N' })).toThrow(
      expect.objectContaining({ code: 'JOB_INVALID' }),
    );
  });

  test('a null that would be an empty line is refused, as readers skip those', () => {
    expect(() => rowsOf({ s: 'string' }, [{ s: null }])).toThrow(
      expect.objectContaining({ code: 'BAD_RECORD' }),
    );
    expect(rowsOf({ s: 'string' }, [{ s: null }, { s: '' }], { nullText: '\\N' })).toBe('\\N\n""\n');
  });

  test('no columns is refused', () => {
    expect(() => csvFormat().createEncoder({ fields: [] })).toThrow(/at least one column/);
  });

  test('hive: backslashes doubled, line ends blanks, timestamps with a blank', () => {
    const values = ['a\\b', 'two\nlines', 'crlf\r\n', 'q"', 'x,y', 'plain'];
    const records = values.map((s) => ({ s, t: new Date('2026-11-22T13:14:15.123Z') }));
    expect(rowsOf({ s: 'string', t: 'timestamp(ms)' }, records, { dialect: 'hive' })).toBe(
      ['"a\\\\b"', '"two lines"', '"crlf  "', '"q"""', '"x,y"', 'plain']
        .map((s) => `${s},2026-11-22 13:14:15.123\n`)
        .join(''),
    );
    const nested = rowsOf({ l: 'list<string>' }, [{ l: ['"\n'] }], { dialect: 'hive' });
    expect(nested).toBe('"[""\\\\""\\\\n""]"\n');
  });

  test('a strict reader gets every value back (property)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ a: fc.option(anyText, { nil: null }), b: fc.option(anyText, { nil: null }) }), {
          minLength: 1,
        }),
        fc.constantFrom(',', ';', '\t', '|', 'a', ' '),
        fc.constantFrom('', 'NULL', '\\N', 'é'),
        fc.boolean(),
        (records, delimiter, nullText, dictionaries) => {
          const plain = batchOf({ a: 'string', b: 'string' }, records);
          const batch = dictionaries ? withDictionaries(plain) : plain;
          const text = encodeText(csvFormat({ delimiter, nullText }).createEncoder(batch.schema), batch);
          expect(parseCsv(text, delimiter, nullText)).toEqual(records.map(({ a, b }) => [a, b]));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('DuckDB reads every type back as the text it was written as (property)', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'sluice-csv-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    const schema = schemaOf(EVERY_TYPE);
    const names = schema.fields.map((field) => field.name);
    let round = 0;
    await fc.assert(
      fc.asyncProperty(anyRecords(schema), async (records) => {
        // DuckDB refuses NUL bytes in quoted CSV only in some places; text with them is checked by the strict reader.
        const clean = records.map((record) => ({
          ...record,
          text: (record.text as string | null)?.replaceAll('\0', '') ?? null,
        }));
        const batch = batchOf(EVERY_TYPE, clean);
        const encoder = csvFormat({ nullText: '\\N' }).createEncoder(schema);
        const text = encodeText(encoder, batch);
        const file = path.join(folder, `${round++}.csv`);
        await writeFile(file, Buffer.concat([encoder.header!, Buffer.from(text)]));
        const columns = names.map((name) => `'${name}': 'VARCHAR'`).join(', ');
        const reader = await connection.runAndReadAll(
          `SELECT * FROM read_csv('${file}', all_varchar = true, header = true, delim = ',', quote = '"', escape = '"',
             nullstr = '\\N', allow_quoted_nulls = false, strict_mode = true, auto_detect = false, columns = {${columns}},
             new_line = '\\n', max_line_size = 10000000)`,
        );
        expect(reader.getRowsJS()).toEqual(parseCsv(text, ',', '\\N'));
      }),
      { numRuns: 40 },
    );
    connection.closeSync();
  });
});
