import { describe, expect, test } from 'vitest';
import { formatDataType, parseDataType } from '../../../lib/core/data-type.ts';
import { commonType, compareSchemas, isWider, mergeSchemas } from '../../../lib/core/schema-change.ts';
import type { LineageName, SchemaDriftSpec } from '../../../lib/core/specs.ts';
import { SchemaRegistry } from '../../../lib/pipeline/schema-registry.ts';
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

  test('a million columns are not made', () => {
    const registry = SchemaRegistry.start(null, schemaOf({ id: 'int32' }), jobOf(drift), 2, 0);
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`c${i}`, 'int64']));
    registry.propose(schemaOf(many), '/in/1', 3, 0);
    expect(registry.schema.fields).toHaveLength(2000);
    expect(registry.propose(schemaOf({ another: 'int64' }), '/in/1', 3, 0)).toBe(false);
  });
});
