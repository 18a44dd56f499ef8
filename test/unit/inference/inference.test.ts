import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CsvSpec } from '../../../formats/csv/spec.ts';
import { inferSchemaFromCsv } from '../../../formats/inference/infer-csv.ts';
import { inferFromJson, inferSchemaFromJson } from '../../../formats/inference/infer-json.ts';
import { formatDataType, type Schema } from '../../../lib/core/data-type.ts';
import { csvInputSpec } from '../../support/job.ts';

const types = (schema: Schema) =>
  Object.fromEntries(schema.fields.map((field) => [field.name, formatDataType(field.type)]));
const json = (...records: string[]) => types(inferSchemaFromJson([Buffer.from(records.join('\n'))]));
const csvSpec: CsvSpec = { ...csvInputSpec, nullText: 'NA' };
const csv = (text: string, spec = csvSpec, isWhole = true) =>
  types(inferSchemaFromCsv([{ bytes: Buffer.from(text), isWhole }], spec));

describe('JSON', () => {
  const cases: [string, string[], string][] = [
    ['booleans', ['true', 'false', 'null'], 'boolean'],
    ['integers', ['1', '-2', '9223372036854775807'], 'int64'],
    ['fractions', ['1', '1.5', '1e3'], 'float64'],
    ['1.0 is a fraction', ['1.0'], 'float64'],
    ['integers over int64', ['9223372036854775808'], 'json'],
    ['integers over 2^53 beside fractions', ['9007199254740993', '0.5'], 'json'],
    ['texts', ['"a"', 'null'], 'string'],
    ['days', ['"2024-02-29"'], 'date'],
    ['a day that is none', ['"2023-02-29"'], 'string'],
    [
      'instants',
      ['"2026-01-02T03:04:05Z"', '"2026-01-02 03:04:05.123+01:00"', '"2026-01-02"'],
      'timestamp(ms)',
    ],
    [
      'instants with microseconds',
      ['"2026-01-02T03:04:05Z"', '"2026-01-02T03:04:05.123456Z"'],
      'timestamp(us)',
    ],
    ['instants and texts', ['"2026-01-02T03:04:05Z"', '"x"'], 'string'],
    ['lists', ['[1,2]', '[]', 'null', '[null]'], 'list<int64>'],
    ['empty lists', ['[]'], 'list<string>'],
    ['structs', ['{"a":1}', '{"b":"x"}'], 'struct<a:int64,b:string>'],
    ['empty structs', ['{}'], 'json'],
    ['mixed', ['1', '"x"'], 'json'],
    ['nothing but null', ['null'], 'string'],
  ];
  for (const [name, values, type] of cases) {
    it(`${name}: ${type}`, () => {
      expect(json(...values.map((value) => `{"v":${value}}`))).toEqual({ v: type });
      expect(json(...values.reverse().map((value) => ` { "v" : ${value} } `))).toEqual(
        type.startsWith('struct') ? { v: 'struct<b:string,a:int64>' } : { v: type },
      );
    });
  }

  it('keeps the order of first sight, over files, and leaves out cut and broken lines', () => {
    const samples = ['{"b":1,"a":2}\n{"c":tru', 'rubbish\n[1]\n{"d":1}'].map((text) => Buffer.from(text));
    expect(Object.keys(types(inferSchemaFromJson(samples)))).toEqual(['b', 'a', 'd']);
  });

  it('sees the same in a record however it is spelled: spaces, escapes', () => {
    const escaped = (text: string) =>
      text.replace(/[a-z]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);
    const record = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' }), {
      minKeys: 1,
    });
    fc.assert(
      fc.property(record, (value) => {
        const seen = (text: string) => inferFromJson([Buffer.from(text)]);
        const plain = JSON.stringify(value);
        const wanted = seen(plain);
        expect(wanted.schema.fields.map(({ name }) => name)).toEqual(Object.keys(value));
        expect(seen(JSON.stringify(value, null, '\t').replaceAll('\n', ' \r'))).toEqual(wanted);
        // Letters inside of texts only: true, false and null have none escaped.
        const spelled = plain.replace(/"(?:[^"\\]|\\.)*"/g, (text) =>
          text.includes('\\') ? text : escaped(text),
        );
        expect(seen(spelled)).toEqual(wanted);
      }),
    );
  });

  it('is not fooled by keys of Object.prototype, escapes in keys, or depth', () => {
    expect(json('{"__proto__":1,"constructor":"x","\\u0061":2}')).toEqual(
      Object.fromEntries([
        ['__proto__', 'int64'],
        ['constructor', 'string'],
        ['a', 'int64'],
      ]),
    );
    const deep = '['.repeat(5000) + ']'.repeat(5000);
    expect(json(`{"v":1}`, `{"v":${deep}}`)).toHaveProperty('v');
  });

  it('makes json of maps with very many keys, and of what nests too deep', () => {
    const map = JSON.stringify(Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, i])));
    expect(json(`{"v":${map}}`)).toEqual({ v: 'json' });
    expect(json(`{"v":${'['.repeat(20)}1${']'.repeat(20)}}`).v).toMatch(/json/);
  });

  it('says so where there is nothing to learn', () => {
    for (const text of ['', '\n\n', '[1,2]', 'x'])
      expect(() => json(text)).toThrow(/no schema can be inferred/);
  });
});

describe('CSV', () => {
  it('infers from text, and keeps what a number would lose', () => {
    expect(
      csv(
        'i,f,zip,phone,ok,day,t,s,n,q\n1,0.5,00501,+49,TRUE,2024-01-01,2024-01-01 00:00:00,x,NA,"1"\n2,3,12345,+1,false,2024-01-02,2024-01-01T00:00:00Z,y,,2\n',
      ),
    ).toEqual({
      i: 'int64',
      f: 'float64',
      zip: 'string',
      phone: 'string',
      ok: 'boolean',
      day: 'date',
      t: 'timestamp(ms)',
      s: 'string',
      n: 'string',
      q: 'int64',
    });
  });

  it('names columns by the header, by the job, or by number', () => {
    expect(Object.keys(csv('1,2\n', { ...csvSpec, header: false, columns: ['x', 'y'] }))).toEqual(['x', 'y']);
    expect(Object.keys(csv('1,2\n', { ...csvSpec, header: false }))).toEqual(['column1', 'column2']);
  });

  it('learns nothing of a file whose lines end with CR alone, and says so', () => {
    const [good, bad] = ['a\n1\n', 'a,b\r1,x\r'].map((text) => ({ bytes: Buffer.from(text), isWhole: true }));
    expect(types(inferSchemaFromCsv([bad!, good!], csvSpec))).toEqual({ a: 'int64' });
    expect(() => csv('a,b\r1,x\r')).toThrow(/end with CR alone/);
  });

  it('leaves out the record that the sample cut', () => {
    expect(csv('a\n1\n2\nx', csvSpec, false)).toEqual({ a: 'int64' });
    expect(csv('a\n1\n"open', csvSpec, false)).toEqual({ a: 'int64' });
  });

  it('takes the last record of a whole file for one, though no line end stands behind it', () => {
    expect(csv('a\n1\n1.5')).toEqual({ a: 'float64' });
    expect(csv('a,b\n1,2026-01-01')).toEqual({ a: 'int64', b: 'date' });
    expect(csv('t\n2026-11-24T00:00:00Z\n2026-11-24T00:00:00.123456Z')).toEqual({ t: 'timestamp(us)' });
    expect(csv('a\n1\n"open')).toEqual({ a: 'int64' });
  });
});
