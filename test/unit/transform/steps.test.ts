/** Steps on whole columns, against the same done to rows as objects. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Batch } from '../../../lib/core/batch.ts';
import { Dictionary, DictionaryColumn } from '../../../lib/core/column.ts';
import { parseDataType, type Schema } from '../../../lib/core/data-type.ts';
import { NO_PLACES } from '../../../lib/core/row-places.ts';
import type { TransformStep } from '../../../lib/core/transform-spec.ts';
import { columnsOf } from '../../../lib/core/values.ts';
import { parseExpression } from '../../../lib/transform/expression/parse.ts';
import { createTransform, type JobRows } from '../../../lib/transform/row-transform.ts';
import { stepSchema } from '../../../lib/transform/step-schema.ts';
import { schemaOf } from '../../support/job.ts';

const ORIGIN = { path: '/in/a', nowMs: 1_700_000_000_000, checkpointId: 7 };

function jobOf(transform: readonly TransformStep[], lineage: JobRows['source']['lineage'] = []): JobRows {
  return { source: { drift: { newField: 'ignore', mismatch: 'bad_record' }, lineage }, transform };
}

async function filter(text: string): Promise<TransformStep> {
  const parsed = await parseExpression(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return { kind: 'filter', text, expression: parsed.expression };
}

/** What a transform makes of rows, batch after batch. */
function run(
  job: JobRows,
  schema: Schema,
  batches: readonly (readonly Record<string, unknown>[])[],
  base = schema.fields.length,
) {
  const transform = createTransform(job, schema, base)!;
  const rows = batches.flatMap((records) => {
    const batch = new Batch(schema, columnsOf(schema, records), records.length);
    const out = transform.apply(batch, NO_PLACES, ORIGIN);
    for (const column of out.columns) expect(column.length).toBe(out.length);
    return Array.from({ length: out.length }, (_, row) => out.record(row) as Record<string, unknown>);
  });
  return { rows, schema: transform.schema, filtered: transform.takeLeftOut().filtered };
}

const names = ({ fields }: Schema) => fields.map(({ name }) => name);

describe('steps', () => {
  it('run in their order, and each sees what the one before it made', async () => {
    const job = jobOf([
      { kind: 'rename', names: { a: 'b', b: 'a' } },
      { kind: 'default', columns: { a: 'none' } },
      {
        kind: 'constant',
        columns: { site: { type: { kind: 'string' }, value: 'x' }, n: { type: { kind: 'int64' }, value: 3 } },
      },
      { kind: 'cast', columns: { b: { type: { kind: 'string' }, onError: 'fail' } } },
      await filter('a == "none" || b == "2"'),
      { kind: 'select', columns: ['site', 'a', 'b', 'n'] },
      { kind: 'drop', columns: ['n'] },
    ]);
    const { rows, schema, filtered } = run(job, schemaOf({ a: 'int64', b: 'string' }), [
      [
        { a: 1n, b: null },
        { a: 2n, b: 'y' },
        { a: 3n, b: 'z' },
      ],
      [{ a: 4n, b: 'q' }],
      [],
      [{ a: null, b: null }],
    ]);
    expect(names(schema)).toEqual(['site', 'a', 'b']);
    expect(rows).toEqual([
      { site: 'x', a: 'none', b: '1' },
      { site: 'x', a: 'y', b: '2' },
      { site: 'x', a: 'none', b: null },
    ]);
    expect(filtered).toBe(2);
  });

  it('a filter keeps the lines of the rows that it keeps', async () => {
    const schema = schemaOf({ a: 'int64' });
    const transform = createTransform(jobOf([await filter('a > 1')]), schema, 1)!;
    const lines = { bytes: Buffer.from('123'), starts: Int32Array.of(0, 1, 2), ends: Int32Array.of(1, 2, 3) };
    const columns = columnsOf(schema, [{ a: 1n }, { a: 2n }, { a: 3n }]);
    const out = transform.apply(new Batch(schema, columns, 3, lines), NO_PLACES, ORIGIN);
    expect([...out.lines!.starts.subarray(0, out.length)]).toEqual([1, 2]);
    expect([...out.lines!.ends.subarray(0, out.length)]).toEqual([2, 3]);
  });

  it('keep a batch as it is where nothing of it is left out', async () => {
    const schema = schemaOf({ a: 'int64' });
    const transform = createTransform(jobOf([await filter('a > 1')]), schema, 1)!;
    const batch = new Batch(schema, columnsOf(schema, [{ a: 2n }]), 1);
    expect(transform.apply(batch, NO_PLACES, ORIGIN)).toBe(batch);
  });

  it('defaults stand where nulls were, whatever the layout', () => {
    const text = fc.option(fc.constantFrom('a', 'b', ''), { nil: null });
    const row = fc.record({
      s: text,
      n: fc.option(fc.bigInt(-5n, 5n), { nil: null }),
      b: fc.option(fc.boolean(), { nil: null }),
    });
    const schema = schemaOf({ s: 'string', n: 'int64', b: 'boolean' });
    const job = jobOf([{ kind: 'default', columns: { s: 'none', n: 9, b: true } }]);
    fc.assert(
      fc.property(fc.array(fc.array(row, { maxLength: 12 }), { maxLength: 4 }), (batches) => {
        expect(run(job, schema, batches).rows).toEqual(
          batches.flat().map(({ s, n, b }) => ({ s: s ?? 'none', n: n ?? 9n, b: b ?? true })),
        );
        const transform = createTransform(job, schema, 3)!;
        const dictionary = new Dictionary();
        const codes = new Map<string, number>();
        for (const rows of batches) {
          const [plain, ...others] = columnsOf(schema, rows);
          const coded = new DictionaryColumn(plain!.type, rows.length, dictionary);
          for (const [i, { s }] of rows.entries()) {
            if (s === null) {
              coded.setNull(i);
              continue;
            }
            const code = codes.get(s) ?? dictionary.push(Buffer.from(s), 0, s.length);
            codes.set(s, code);
            coded.codes[i] = code;
          }
          coded.length = rows.length;
          const out = transform.apply(new Batch(schema, [coded, ...others], rows.length), NO_PLACES, ORIGIN);
          expect(rows.map((_, i) => (out.record(i) as { s: unknown }).s)).toEqual(
            rows.map(({ s }) => s ?? 'none'),
          );
        }
      }),
    );
  });

  it.each([
    ['int64', 'string', -5n, '-5'],
    ['string', 'int64', '9007199254740993', 9007199254740993n],
    ['float64', 'int64', 2, 2n],
    ['float64', 'int64', 2.5, null],
    ['int64', 'int32', 2n ** 40n, null],
    ['int32', 'float64', 7, 7],
    ['string', 'float64', '1e3', 1000],
    ['string', 'boolean', 'true', true],
    ['string', 'boolean', 'yes', null],
    ['boolean', 'string', false, 'false'],
    ['string', 'date', '2026-01-02', new Date('2026-01-02')],
    ['timestamp(ms)', 'date', new Date('2026-01-02T13:00:00Z'), new Date('2026-01-02')],
    ['date', 'timestamp(ms)', new Date('2026-01-02'), new Date('2026-01-02')],
    ['timestamp(ms)', 'timestamp(us)', new Date(5), 5000n],
    ['string', 'timestamp(ms)', '2026-01-02T03:04:05Z', new Date('2026-01-02T03:04:05Z')],
    ['decimal(5,2)', 'float64', '1.50', 1.5],
    ['int64', 'decimal(5,2)', 12n, '12.00'],
    ['string', 'decimal(5,2)', '1234567', null],
  ])('cast %s to %s: %s', (from, to, value, wanted) => {
    const type = parseDataType(to);
    const cast = (onError: 'null' | 'fail') => jobOf([{ kind: 'cast', columns: { a: { type, onError } } }]);
    const schema = schemaOf({ a: from });
    const { rows } = run(cast('null'), schema, [[{ a: value }, { a: null }, { a: value }]]);
    expect(rows).toEqual([{ a: wanted }, { a: null }, { a: wanted }]);
    if (wanted !== null) expect(run(cast('fail'), schema, [[{ a: value }]]).rows).toEqual([{ a: wanted }]);
    else expect(() => run(cast('fail'), schema, [[{ a: value }]])).toThrow(/column 'a' cannot be cast/);
  });

  it.each([
    ['timestamp(ms)', '2026-01-02T03:04:05', new Date('2026-01-02T03:04:05Z')],
    ['timestamp(us)', '2026-01-02 03:04:05.123456', 1767323045123456n],
    ['timestamp(us)', 7, 7n],
    ['date', '2026-02-28', new Date('2026-02-28')],
    ['int64', '9007199254740993', 9007199254740993n],
    ['int64', -9007199254740991, -9007199254740991n],
    ['float64', '0.1', 0.1],
    ['decimal(38,0)', '12345678901234567890', '12345678901234567890'],
    ['decimal(10,2)', 1234.5, '1234.50'],
    ['json', '{"a":1}', '{"a":1}'],
  ])('a constant of type %s, %j, is what a column of such text would be', (name, value, wanted) => {
    const type = parseDataType(name);
    const zone = process.env.TZ;
    process.env.TZ = 'America/New_York';
    try {
      const constant = jobOf([{ kind: 'constant', columns: { c: { type, value } } }]);
      expect(run(constant, schemaOf({ a: 'int64' }), [[{ a: 1n }]]).rows).toEqual([{ a: 1n, c: wanted }]);
      const filled = jobOf([{ kind: 'default', columns: { a: value } }]);
      expect(run(filled, schemaOf({ a: name }), [[{ a: null }]]).rows).toEqual([{ a: wanted }]);
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
  });

  it.each([
    ['date', '2026-02-30', 'is no date'],
    ['timestamp(ms)', '2026-02-30T00:00:00Z', 'is no timestamp'],
    ['timestamp(us)', '2026-01-01T24:00:00Z', 'is no timestamp'],
    ['int64', '', 'is no int64'],
    ['int64', '0x10', 'is no int64'],
    ['int64', 2 ** 53, 'in quotes'],
    ['decimal(38,0)', 2 ** 64, 'in quotes'],
    ['decimal(38,10)', 1234567890.1234567, 'in quotes'],
    ['float32', 1e300, 'is no float32'],
    ['json', '{bad', 'is no json'],
    ['json', '', 'is no json'],
  ])('a constant of type %s is not %j', (name, value, why) => {
    const type = parseDataType(name);
    const constant: TransformStep = { kind: 'constant', columns: { c: { type, value } } };
    const filled: TransformStep = { kind: 'default', columns: { a: value } };
    for (const step of [constant, filled])
      expect(stepSchema(step, schemaOf({ a: name })).problems.map(({ message }) => message)).toEqual([
        expect.stringContaining(why),
      ]);
  });

  it('columns that came later stand at the end, unless a step chose them', async () => {
    const schema = schemaOf({ a: 'int64', late: 'int64' });
    const site: TransformStep = {
      kind: 'constant',
      columns: { site: { type: { kind: 'string' }, value: 'x' } },
    };
    const rows = [[{ a: 1n, late: 2n }]];
    const renamed = run(
      jobOf([site, { kind: 'rename', names: { late: 'l' } }], ['checkpoint']),
      schema,
      rows,
      1,
    );
    expect(names(renamed.schema)).toEqual(['a', '_checkpoint', 'site', 'l']);
    expect(renamed.rows).toEqual([{ a: 1n, _checkpoint: 7n, site: 'x', l: 2n }]);
    const chosen = run(jobOf([site, { kind: 'select', columns: ['late', 'site'] }]), schema, rows, 1);
    expect(names(chosen.schema)).toEqual(['late', 'site']);
  });

  const schema = schemaOf({ a: 'int64', s: 'string', u: 'struct<x:int64>' });
  it.each<[TransformStep, string]>([
    [{ kind: 'select', columns: ['a', 'nope'] }, "no column 'nope'"],
    [{ kind: 'select', columns: ['a', 'a'] }, 'stands twice'],
    [{ kind: 'drop', columns: ['a', 's', 'u'] }, 'no column is left'],
    [{ kind: 'rename', names: { a: 's' } }, "a column 's' already"],
    [{ kind: 'rename', names: { constructor: 'x' } }, "no column 'constructor'"],
    [{ kind: 'cast', columns: { u: { type: { kind: 'int64' }, onError: 'null' } } }, 'no cast to int64'],
    [{ kind: 'constant', columns: { a: { type: { kind: 'string' }, value: 'x' } } }, "a column 'a' already"],
    [{ kind: 'constant', columns: { n: { type: { kind: 'int64' }, value: 1.5 } } }, 'is no int64'],
    [{ kind: 'default', columns: { a: 'x' } }, 'is no int64'],
    [{ kind: 'default', columns: { u: 'x' } }, 'is no struct'],
  ])('%j is refused', (step, why) => {
    expect(
      stepSchema(step, schema)
        .problems.map(({ message }) => message)
        .join(),
    ).toContain(why);
    expect(() => createTransform(jobOf([step]), schema, 3)).toThrow(/transform\[0\]/);
  });
});
