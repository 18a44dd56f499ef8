/** Files that other writers made (test/golden/inputs.py) are read by us, value for value, whole and in pieces. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatDataType } from '../../lib/core/data-type.ts';
import type { InputFormatSpec } from '../../lib/core/specs.ts';
import { localFileSystem } from '../../lib/storage/local/local-file-system.ts';
import { readInput } from '../support/read-input.ts';

const GOLDEN = path.resolve(import.meta.dirname, '../golden');
const ROWS = JSON.parse(readFileSync(path.join(GOLDEN, 'rows.json'), 'utf8')) as Record<string, unknown>[];
const fileSystem = localFileSystem('test');

const FORMATS: Readonly<Record<string, InputFormatSpec>> = {
  parquet: { type: 'parquet', compression: 'none' },
  avro: { type: 'avro', compression: 'auto' },
  arrow: { type: 'arrow', compression: 'none' },
};

for (const [format, spec] of Object.entries(FORMATS)) {
  describe(format, () => {
    for (const file of readdirSync(path.join(GOLDEN, format))) {
      it(file, async () => {
        const whole = await readInput(fileSystem, path.join(GOLDEN, format, file), spec);
        expect(whole.rows).toEqual(ROWS);
        const pieces = await readInput(fileSystem, path.join(GOLDEN, format, file), spec, {
          resume: true,
          batchRows: 37,
        });
        expect(pieces.rows).toEqual(whole.rows);
      });
    }
  });
}

describe('types that have no column of their own', () => {
  it('Avro: enums, maps, unions of kinds, a record within itself', async () => {
    const { schema, rows } = await readInput(fileSystem, path.join(GOLDEN, 'odd/fastavro.avro'), {
      type: 'avro',
      compression: 'none',
    });
    expect(schema.fields.map(({ name, type }) => `${name} ${formatDataType(type)}`)).toEqual([
      'colour string',
      'again string',
      'map list<struct<key:string,value:int32>>',
      'number int64',
      'any json',
      'tree json',
      'ns timestamp(us)',
      'nothing json',
    ]);
    expect(rows).toEqual([
      {
        colour: 'RED',
        again: 'GREEN',
        map: [
          { key: 'a', value: '1' },
          { key: 'b', value: '2' },
        ],
        number: '5',
        any: '"text"',
        tree: '{"v":1,"next":{"v":2,"next":null}}',
        ns: 1,
        nothing: null,
      },
      {
        colour: 'GREEN',
        again: null,
        map: [],
        number: '1099511627776',
        any: '[1.5,-0]',
        tree: '{"v":3,"next":null}',
        ns: -5,
        nothing: null,
      },
    ]);
  });

  it('Arrow: a dictionary that grows, and one that is replaced', async () => {
    const file = path.join(GOLDEN, 'odd/delta.arrows');
    const { rows } = await readInput(fileSystem, file, { type: 'arrow', compression: 'none' });
    expect(rows.map(({ s }) => s)).toEqual(['a', 'b', null, 'c', 'a', 'x', 'x']);
  });
});
