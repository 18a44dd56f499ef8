import { describe, expect, test } from 'vitest';
import type { Schema } from '../../../lib/core/data-type.ts';
import { formatDataType } from '../../../lib/core/data-type.ts';
import type { Decoder, DriftPolicy } from '../../../lib/core/decoder.ts';
import { mergeSchemas } from '../../../lib/core/schema-change.ts';
import { csvInputSpec, schemaOf } from '../../support/job.ts';
import { type LineFormatSpec, streamInput } from '../../support/stream-input.ts';

/** Reads a file as a subtask does: a wider schema means another decoder, at the place where the last one stopped. */
function read(spec: LineFormatSpec, text: string | Buffer, first: Schema, drift: DriftPolicy) {
  const format = streamInput(spec);
  const bytes = typeof text === 'string' ? Buffer.from(`${text}\n`.replace(/\n\n$/, '\n')) : text;
  const rows: Record<string, unknown>[] = [];
  const refused: [string | undefined, string | null][] = [];
  let schema = first;
  let stops = 0;
  const open = (): Decoder =>
    format.createDecoder({
      schema,
      batchRows: 3,
      keepLines: false,
      drift,
      onBadRecord: ({ code, column }) => refused.push([code, column]),
    });
  let decoder = open();
  decoder.begin({ offset: 0, state: null });
  for (let at = 0; ; ) {
    const next = decoder.decode(bytes, at, bytes.length, true);
    if (next === at && decoder.rows === 0 && !decoder.drift) break;
    at = next;
    const batch = decoder.take();
    for (let i = 0; i < batch.length; i++) rows.push(batch.record(i) as Record<string, unknown>);
    if (!decoder.drift) continue;
    stops++;
    const wider = mergeSchemas(schema, decoder.drift, {
      add: drift.newField === 'evolve',
      widen: drift.mismatch === 'widen',
      maxColumns: 10,
    });
    if (wider === schema) decoder.passDrift?.();
    else {
      schema = wider;
      const start = { offset: decoder.offset, state: decoder.state() };
      decoder = open();
      decoder.begin(start);
    }
  }
  const types = schema.fields.map(({ name, type }) => `${name} ${formatDataType(type)}`);
  return { rows, refused, types, stops };
}

const ndjson = { type: 'ndjson', compression: 'auto' } as const;

describe('NDJSON that the schema does not hold', () => {
  const schema = schemaOf({ id: 'int32', o: 'struct<a:int64>' });
  const lines = [
    '{"id":1,"o":{"a":1}}',
    '{"id":2,"x":5}',
    '{"id":3,"x":7.5,"o":{"a":2,"b":"n"},"esc\\u0061pe":true}',
    '{"id":"four"}',
    '{"id":5.5}',
    '{"id":6',
    '{"id":7,"x":8}',
  ].join('\n');

  test('rescue keeps it beside the row', () => {
    const withRescued = { fields: [...schema.fields, ...schemaOf({ _rescued: 'json' }).fields] };
    const { rows, refused } = read(ndjson, lines, withRescued, { newField: 'rescue', mismatch: 'rescue' });
    expect(rows.map(({ id, o, _rescued }) => [id, o, _rescued])).toEqual([
      [1, { a: 1n }, null],
      [2, null, '{"x":5}'],
      [3, { a: 2n }, '{"x":7.5,"escape":true,"o":{"a":2,"b":"n"}}'],
      [null, null, '{"id":"four"}'],
      [null, null, '{"id":5.5}'],
      [7, null, '{"x":8}'],
    ]);
    expect(refused).toEqual([['malformed', null]]);
  });

  test('evolve and widen: each record is read once, by a schema that holds it', () => {
    const { rows, refused, types } = read(ndjson, lines, schema, { newField: 'evolve', mismatch: 'widen' });
    expect(types).toEqual(['id string', 'o struct<a:int64,b:string>', 'x float64', 'escape boolean']);
    expect(rows.map(({ id }) => String(id))).toEqual(['1', '2', '3', 'four', '5.5', '7']);
    expect(rows.map(({ x }) => (x === undefined ? null : x))).toEqual([null, 5, 7.5, null, null, 8]);
    expect(refused).toEqual([['malformed', null]]);
  });

  test('widen: what was widened to text within lists and structs takes numbers, too', () => {
    const nested = schemaOf({ tags: 'list<int64>', o: 'struct<a:int64,l:list<boolean>>' });
    const { rows, refused, types } = read(
      ndjson,
      [
        '{"tags":[1]}',
        '{"tags":["x"],"o":{"a":1,"l":[true]}}',
        '{"tags":[2,null,-1.50e3],"o":{"a":"y"}}',
        '{"tags":[3,"z"],"o":{"a":4,"l":["n",false]}}',
        '{"tags":[{"b":5}]}',
        '{"tags":[[6]],"o":{"a":null}}',
        '{"tags":[tru]}',
        '{"tags":[7],"o":{"a":8}}',
      ].join('\n'),
      nested,
      { newField: 'ignore', mismatch: 'widen' },
    );
    expect(types).toEqual(['tags list<string>', 'o struct<a:string,l:list<string>>']);
    // Rows before the change keep their type.
    expect(rows.map(({ tags }) => (tags as unknown[]).map((tag) => tag && String(tag)))).toEqual([
      ...[['1'], ['x'], ['2', null, '-1.50e3'], ['3', 'z'], ['7']],
    ]);
    expect(rows.slice(2).map(({ o }) => o)).toEqual([
      { a: 'y', l: null },
      { a: '4', l: ['n', 'false'] },
      { a: '8', l: null },
    ]);
    expect(refused).toEqual([
      ['type_mismatch', 'tags'],
      ['type_mismatch', 'tags'],
      ['malformed', null],
    ]);
  });

  test('evolve alone: what does not fit is a bad record', () => {
    const { rows, refused } = read(ndjson, lines, schema, { newField: 'evolve', mismatch: 'refuse' });
    expect(rows.map(({ id }) => id)).toEqual([1, 2, 3, 7]);
    expect(refused).toEqual([
      ['type_mismatch', 'id'],
      ['type_mismatch', 'id'],
      ['malformed', null],
    ]);
  });

  test('fail: a record with a new field is refused as such, whole and within', () => {
    const { rows, refused } = read(ndjson, lines, schema, { newField: 'fail', mismatch: 'refuse' });
    expect(rows.map(({ id }) => id)).toEqual([1]);
    expect(refused.map(([code]) => code)).toEqual([
      'new_field',
      'new_field',
      'type_mismatch',
      'type_mismatch',
      'malformed',
      'new_field',
    ]);
  });

  test('no room for more columns: asked once, and then passed over', () => {
    const many = Array.from({ length: 100 }, (_, i) => `{"id":${i},"k${i % 20}":1}`).join('\n');
    const { rows, types, stops } = read(ndjson, many, schema, { newField: 'evolve', mismatch: 'refuse' });
    expect(rows).toHaveLength(100);
    expect(types).toHaveLength(10);
    expect(stops).toBeLessThan(25);
  });

  test('thousands of records of the usual shape around a new one', () => {
    const usual = (from: number) => Array.from({ length: 500 }, (_, i) => `{"id":${from + i},"o":{"a":1}}`);
    const text = [...usual(0), '{"id":500,"o":{"a":1},"late":"x"}', ...usual(501)].join('\n');
    const { rows, stops } = read(ndjson, text, schema, { newField: 'evolve', mismatch: 'refuse' });
    expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: 1001 }, (_, i) => i));
    expect(rows.filter(({ late }) => late === 'x').map(({ id }) => id)).toEqual([500]);
    expect(stops).toBe(1);
  });
});

describe('CSV that the schema does not hold', () => {
  const text = 'id,new,name\n1,5,a\n"2","x ""y""",b\nthree,,c\n4';
  const schema = schemaOf({ id: 'int32', name: 'string' });

  test('rescue: a value that is not UTF-8 would come back as another one, so its record is a bad one', () => {
    const withRescued = { fields: [...schema.fields, ...schemaOf({ _rescued: 'json' }).fields] };
    const bytes = Buffer.from('id,new,name\n1,\xe9,a\n2,5,\xe9\n\xe9,5,c\n4,\xc3\xa9,d\n', 'latin1');
    const { rows, refused } = read(csvInputSpec, bytes, withRescued, {
      newField: 'rescue',
      mismatch: 'rescue',
    });
    expect(rows).toEqual([{ id: 4, name: 'd', _rescued: '{"new":"é"}' }]);
    expect(refused).toEqual([
      ['not_utf8', 'new'],
      ['not_utf8', 'name'],
      ['type_mismatch', 'id'],
    ]);
  });

  test('rescue', () => {
    const withRescued = { fields: [...schema.fields, ...schemaOf({ _rescued: 'json' }).fields] };
    const { rows, refused } = read(csvInputSpec, text, withRescued, {
      newField: 'rescue',
      mismatch: 'rescue',
    });
    expect(rows).toEqual([
      { id: 1, name: 'a', _rescued: '{"new":"5"}' },
      { id: 2, name: 'b', _rescued: '{"new":"x \\"y\\""}' },
      { id: null, name: 'c', _rescued: '{"id":"three"}' },
    ]);
    expect(refused).toEqual([['field_count', null]]);
  });

  test('evolve and widen', () => {
    const { rows, types, refused } = read(csvInputSpec, text, schema, {
      newField: 'evolve',
      mismatch: 'widen',
    });
    expect(types).toEqual(['id string', 'name string', 'new string']);
    expect(rows.map((row) => [String(row.id), row.name, row.new ?? null])).toEqual([
      ['1', 'a', '5'],
      ['2', 'b', 'x "y"'],
      ['three', 'c', null],
    ]);
    expect(refused).toEqual([['field_count', null]]);
  });

  test('fail', () => {
    expect(() => read(csvInputSpec, text, schema, { newField: 'fail', mismatch: 'refuse' })).toThrow(
      /column 'new'/,
    );
  });
});
