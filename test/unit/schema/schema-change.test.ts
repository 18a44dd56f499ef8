import { describe, expect, test } from 'vitest';
import { formatDataType, parseDataType } from '../../../lib/core/data-type.ts';
import {
  commonType,
  compareSchemas,
  describeChange,
  isWider,
  mergeSchemas,
} from '../../../lib/core/schema-change.ts';
import type { LineageName, SchemaDriftSpec } from '../../../lib/core/specs.ts';
import { SchemaRegistry } from '../../../lib/pipeline/schema-registry.ts';
import { parseExpression } from '../../../lib/transform/expression/parse.ts';
import type { JobRows } from '../../../lib/transform/row-transform.ts';
import { schemaOf } from '../../support/job.ts';

const type = parseDataType;

describe('how types get wider', () => {
  test.each([
    ['int32', 'int64'],
    ['int64', 'float64'],
    ['float64', 'string'],
    ['timestamp(ms)', 'string'],
    ['float32', 'float64'],
    ['struct<a:int32>', 'struct<a:int64,b:string>'],
    ['list<int32>', 'list<float64>'],
  ])('%s to %s, and not back', (narrow, wide) => {
    expect(isWider(type(wide), type(narrow))).toBe(true);
    expect(isWider(type(narrow), type(wide))).toBe(false);
  });

  test.each([
    ['int32', 'float64', 'float64'],
    ['boolean', 'int64', 'string'],
    ['int32', 'json', 'string'],
    ['struct<a:int64>', 'struct<b:string>', 'struct<a:int64,b:string>'],
    ['struct<a:int64>', 'int64', null],
  ])('%s and %s: %s', (a, b, common) => {
    const found = commonType(type(a), type(b));
    expect(found === null ? null : formatDataType(found)).toBe(common);
  });
});

describe('what a schema may become', () => {
  const before = schemaOf({ id: 'int32', name: 'string' });

  test('new columns at the end, wider types', () => {
    const after = schemaOf({ id: 'int64', name: 'string', extra: 'date' });
    expect(compareSchemas(before, after)).toEqual({
      changes: [
        { kind: 'widened', column: 'id', from: 'int32', to: 'int64' },
        { kind: 'added', column: 'extra', type: 'date' },
      ],
      conflicts: [],
    });
  });

  test.each([
    [schemaOf({ id: 'int32' }), /'name' is gone/],
    [schemaOf({ name: 'string', id: 'int32' }), /another place/],
    [schemaOf({ id: 'boolean', name: 'string' }), /was int32 and is boolean/],
    [{ fields: [...before.fields, { name: 'x', type: type('int32'), nullable: false }] }, /may not be null/],
  ])('refused: %#', (after, why) => {
    expect(compareSchemas(before, after).conflicts.join()).toMatch(why);
  });

  test('merging keeps the order, and stops at the most columns there may be', () => {
    const seen = schemaOf({ z: 'int64', id: 'string', a: 'int64' });
    const options = { add: true, widen: false, maxColumns: 3 };
    expect(mergeSchemas(before, seen, options).fields.map(({ name }) => name)).toEqual(['id', 'name', 'z']);
    expect(mergeSchemas(before, before, options)).toBe(before);
  });
});

describe('schema registry', () => {
  const drift = { newField: 'evolve', mismatch: 'widen' } as const;
  const jobOf = (given: SchemaDriftSpec, lineage: readonly LineageName[] = []): JobRows => ({
    source: { drift: given, lineage },
    transform: [],
  });

  test('a field with the name of a column that the job adds becomes no column', () => {
    const registry = SchemaRegistry.start(null, schemaOf({ id: 'int32' }), jobOf(drift, ['file']), 2, 1000);
    expect(registry.propose(schemaOf({ id: 'int32', _source_file: 'string' }), '/a', 3, 0)).toBe(false);
    expect(registry.propose(schemaOf({ _source_file: 'string', extra: 'date' }), '/a', 3, 0)).toBe(true);
    expect(registry.schema).toEqual(schemaOf({ id: 'int32', extra: 'date' }));
    expect(registry.baseColumns).toBe(1);
  });

  test('proposals of several subtasks end in one order, and a known one changes nothing', () => {
    const registry = SchemaRegistry.start(null, schemaOf({ id: 'int32' }), jobOf(drift), 2, 1000);
    expect(registry.propose(schemaOf({ b: 'string' }), '/in/1', 3, 2000)).toBe(true);
    expect(registry.propose(schemaOf({ a: 'int64', b: 'string' }), '/in/2', 3, 3000)).toBe(true);
    expect(registry.propose(schemaOf({ a: 'int64' }), '/in/3', 4, 4000)).toBe(false);
    expect(registry.schema.fields.map(({ name }) => name)).toEqual(['id', 'b', 'a']);
    expect(registry.state.history.map(({ version, cause }) => [version, cause])).toEqual([
      [1, null],
      [2, '/in/1'],
      [3, '/in/2'],
    ]);
  });

  test('what came at run time stays when the job file still lists the old columns', () => {
    const first = SchemaRegistry.start(null, schemaOf({ id: 'int32' }), jobOf(drift), 2, 1000);
    first.propose(schemaOf({ extra: 'int64', id: 'float64' }), '/in/1', 3, 2000);
    const again = SchemaRegistry.start(first.state, schemaOf({ id: 'int32' }), jobOf(drift), 9, 3000);
    expect(again.schema).toEqual(first.schema);
    expect(again.version).toBe(2);
  });

  test('_rescued keeps its place when columns come behind it', () => {
    const rescue = { newField: 'evolve', mismatch: 'rescue' } as const;
    const registry = SchemaRegistry.start(null, schemaOf({ id: 'int32' }), jobOf(rescue), 2, 1000);
    registry.propose(schemaOf({ extra: 'int64' }), '/in/1', 3, 2000);
    expect(registry.schema.fields.map(({ name }) => name)).toEqual(['id', '_rescued', 'extra']);
  });

  test('rows that are written as they are read have no history of their own', () => {
    const registry = SchemaRegistry.start(null, schemaOf({ id: 'int32' }), jobOf(drift), 2, 0);
    registry.propose(schemaOf({ extra: 'int64' }), '/in/1', 3, 0);
    expect(registry.columns).toBeNull();
  });

  test('the columns that are written follow the steps, lineage and new fields, over starts of other job files', () => {
    const steps = (...transform: JobRows['transform']): JobRows => ({ ...jobOf(drift, ['line']), transform });
    const toText = { type: { kind: 'string' }, onError: 'fail' } as const;
    const first = SchemaRegistry.start(
      null,
      schemaOf({ id: 'int32', old: 'string' }),
      steps({ kind: 'rename', names: { old: 'name' } }, { kind: 'cast', columns: { id: toText } }),
      2,
      1000,
    );
    expect(first.columns?.schema).toEqual(schemaOf({ id: 'string', name: 'string', _source_line: 'int64' }));
    first.propose(schemaOf({ extra: 'date' }), '/in/1', 3, 2000);

    const next = SchemaRegistry.start(
      first.state,
      null,
      steps({ kind: 'drop', columns: ['old'] }),
      9,
      3000,
      first.columns,
    );
    expect(next.columns?.schema).toEqual(schemaOf({ id: 'int32', _source_line: 'int64', extra: 'date' }));
    // The same job file again: nothing new.
    const same = SchemaRegistry.start(
      next.state,
      null,
      steps({ kind: 'drop', columns: ['old'] }),
      12,
      4000,
      next.columns,
    );
    expect(same.columns).toBe(next.columns);
    // Without steps the history goes on.
    const last = SchemaRegistry.start(same.state, null, jobOf(drift), 15, 5000, same.columns);
    expect(last.columns?.schema).toEqual(last.schema);
    const told = last.columns?.history.map(({ version, checkpoint, cause, changes }) => [
      version,
      checkpoint,
      cause,
      changes.map(describeChange),
    ]);
    expect(told).toEqual([
      [1, 2, null, ['id string is new', 'name string is new', '_source_line int64 is new']],
      [2, 3, '/in/1', ['extra date is new']],
      [3, 9, null, ['id was string and is int32', 'name is not written any more']],
      [4, 15, null, ['_source_line is not written any more', 'old string is new']],
    ]);
    expect(last.state.history).toHaveLength(2);
  });

  test('steps that a job gets later go on from the columns of its source', () => {
    const first = SchemaRegistry.start(null, schemaOf({ id: 'int32', old: 'string' }), jobOf(drift), 2, 1000);
    const job: JobRows = { ...jobOf(drift), transform: [{ kind: 'select', columns: ['old', 'id'] }] };
    const moved = SchemaRegistry.start(first.state, null, job, 5, 2000, first.columns);
    expect(moved.columns).toEqual({
      schema: schemaOf({ old: 'string', id: 'int32' }),
      history: first.state.history,
    });
    const dropped: JobRows = { ...jobOf(drift), transform: [{ kind: 'drop', columns: ['old'] }] };
    const next = SchemaRegistry.start(moved.state, null, dropped, 7, 3000, moved.columns);
    expect(next.columns?.history.at(-1)).toMatchObject({
      version: 2,
      checkpoint: 7,
      changes: [{ kind: 'removed', column: 'old' }],
    });
  });

  test('a wider type that a filter cannot take is for the subtasks to tell; at a start it is an error', async () => {
    const parsed = await parseExpression('id > 5');
    if (!parsed.ok) throw new Error(parsed.message);
    const { expression } = parsed;
    const job: JobRows = {
      ...jobOf(drift, ['file']),
      transform: [{ kind: 'filter', text: 'id > 5', expression }],
    };
    const registry = SchemaRegistry.start(null, schemaOf({ id: 'int32' }), job, 2, 1000);
    const before = registry.columns;
    expect(registry.propose(schemaOf({ id: 'string' }), '/in/1', 3, 0)).toBe(true);
    expect(registry.schema).toEqual(schemaOf({ id: 'string' }));
    expect(registry.columns).toBe(before);
    expect(() => SchemaRegistry.start(registry.state, null, job, 4, 0, before)).toThrow(
      /transform\[0\]\.filter/,
    );
  });

  test('a million columns are not made', () => {
    const registry = SchemaRegistry.start(null, schemaOf({ id: 'int32' }), jobOf(drift), 2, 0);
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`c${i}`, 'int64']));
    registry.propose(schemaOf(many), '/in/1', 3, 0);
    expect(registry.schema.fields).toHaveLength(2000);
    expect(registry.propose(schemaOf({ another: 'int64' }), '/in/1', 3, 0)).toBe(false);
  });
});
