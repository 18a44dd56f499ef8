/** Rows through a function of the user's: what it answers is held against the columns. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Batch } from '../../../lib/core/batch.ts';
import type { Schema } from '../../../lib/core/data-type.ts';
import type { MapFunction } from '../../../lib/core/map-function.ts';
import { columnsOf } from '../../../lib/core/values.ts';
import { loadMapFunctions, RowMapper } from '../../../lib/transform/map-rows.ts';
import { schemaOf } from '../../support/job.ts';

const SCHEMA = schemaOf({ id: 'int64', name: 'string', tags: 'list<string>', at: 'timestamp(ms)' });

function run(map: MapFunction, records: readonly Record<string, unknown>[], before = SCHEMA, after = before) {
  const batch = new Batch(before, columnsOf(before, records), records.length);
  const out = new RowMapper(map, '/m.mjs', after).run(batch, '/in/a.ndjson');
  for (const column of out.columns) expect(column.length).toBe(out.length);
  return Array.from({ length: out.length }, (_, row) => out.record(row) as Record<string, unknown>);
}

describe('a map function', () => {
  it('that gives its row back changes nothing; null leaves a row out', () => {
    const record = fc.record({
      id: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
      name: fc.option(fc.string({ unit: 'binary' })),
      tags: fc.option(fc.array(fc.option(fc.string()), { maxLength: 3 })),
      at: fc.option(fc.date({ noInvalidDate: true })),
    });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 20 }), fc.array(fc.boolean()), (records, kept) => {
        let row = 0;
        const rows = run((given) => (kept[row++ % (kept.length || 1)] === false ? null : given), records);
        const wanted = records.filter((_, i) => kept[i % (kept.length || 1)] !== false);
        expect(rows).toEqual(wanted);
      }),
    );
  });

  it('makes other columns, whatever they are called; one that it leaves out is null', () => {
    const after = schemaOf({ constructor: 'string', ['__proto__']: 'int32', gone: 'boolean' });
    const rows = run(
      ({ name }) =>
        Object.defineProperty({ constructor: `<${name}>` }, '__proto__', { value: 7, enumerable: true }),
      [{ name: 'a' }, { name: null }],
      SCHEMA,
      after,
    );
    expect(rows.map((each) => Object.entries(each))).toEqual(
      ['<a>', '<null>'].map((text) => [
        ['constructor', text],
        ['__proto__', 7],
        ['gone', null],
      ]),
    );
    expect(run(() => ({}), [{}], SCHEMA, schemaOf({ constructor: 'string' }))).toEqual([
      { constructor: null },
    ]);
  });

  const strict: Schema = { fields: [{ name: 'id', type: { kind: 'int64' }, nullable: false }] };
  const wrong: [what: string, given: unknown, message: RegExp, code: string, after?: Schema][] = [
    ['forgets its return', undefined, /gave undefined for a row of \/in\/a\.ndjson/, 'JOB_INVALID'],
    ['is async', Promise.resolve({}), /gave a promise/, 'JOB_INVALID'],
    ['gives a list', [], /gave a list/, 'JOB_INVALID'],
    ['gives text', 'text', /gave text/, 'JOB_INVALID'],
    ['gives a column that there is not', { idd: 1 }, /gave a column 'idd'/, 'JOB_INVALID'],
    [
      'gives a value of another type',
      { id: 'x' },
      /gave for 'id', of a row of \/in\/a\.ndjson, .* int64/,
      'BAD_RECORD',
    ],
    [
      'gives text that is no JSON for a json column',
      { j: '{bad' },
      /gave for 'j', of a row of \/in\/a\.ndjson, .* json/,
      'BAD_RECORD',
      schemaOf({ j: 'json' }),
    ],
    ['gives no value where there has to be one', {}, /gave no 'id'/, 'BAD_RECORD', strict],
  ];
  it.each(wrong)('that %s is an error', (_what, given, message, code, after = SCHEMA) => {
    const map = (() => given) as unknown as MapFunction;
    expect(() => run(map, [{ id: 1n }], SCHEMA, after)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  it('that throws is a bad record, with the file and the cause', () => {
    const cause = new TypeError('no such thing');
    const map = () => {
      throw cause;
    };
    expect(() => run(map, [{}])).toThrow(
      expect.objectContaining({
        code: 'BAD_RECORD',
        cause,
        message: expect.stringContaining('of /in/a.ndjson: no such thing'),
      }),
    );
  });
});

describe('its module', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sluice-map-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function load(text: string, options: unknown = null) {
    const module = path.join(folder, 'm.mjs');
    await writeFile(module, text);
    return loadMapFunctions([
      { kind: 'drop', columns: ['x'] },
      { kind: 'map', module, schema: null, options },
    ]);
  }

  it('is given its options, may take its time, and is known by the place of its step', async () => {
    const functions = await load(
      'export const createMapFunction = async ({ add }) => ({ n }) => ({ n: n + add });',
      {
        add: 2,
      },
    );
    expect([...functions.keys()]).toEqual([1]);
    expect(functions.get(1)!({ n: 1 })).toEqual({ n: 3 });
  });

  it.each([
    ['does not parse', 'export const (', /cannot load the module/],
    ['exports nothing', 'const a = 1;', /exports neither 'createMapFunction' nor a default/],
    ['gives no function', 'export default () => ({})', /gives no function/],
    [
      'fails',
      "export default () => { throw new Error('no table') }",
      /createMapFunction of .* failed: no table/,
    ],
  ])('that %s is an invalid job', async (_what, text, message) => {
    await expect(load(text)).rejects.toMatchObject({
      code: 'JOB_INVALID',
      message: expect.stringMatching(message),
    });
  });
});
