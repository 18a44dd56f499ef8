/**
 * The rows of test/golden/tail/v1.bin. A golden file is written once, when its version is new, and stays:
 *   npx tsx test/unit/tail/golden-tail.ts test/golden/tail/v1.bin
 */
import { writeFileSync } from 'node:fs';
import { identityRows } from '../../../lib/core/column.ts';
import { parseDataType, type Schema } from '../../../lib/core/data-type.ts';
import { RowBuffer } from '../../../lib/core/row-buffer.ts';
import { saveRows } from '../../../lib/core/tail.ts';
import { batchOf, type Row } from '../parquet/arbitrary-rows.ts';

const TYPES = [
  'boolean',
  'int32',
  'int64',
  'float32',
  'float64',
  'decimal(20,3)',
  'string',
  'binary',
  'json',
  'date',
  'timestamp(ms)',
  'timestamp(us)',
  'list<string>',
  'struct<a:int64,b:list<int32>>',
];

const ROWS: readonly (readonly unknown[])[] = [
  [
    true,
    1,
    2n,
    1.5,
    2.5,
    '12.345',
    'one',
    Uint8Array.of(0, 255),
    '{"a":1}',
    new Date('2026-11-23'),
    new Date(1),
    1n,
    ['x', null],
    { a: 1n, b: [1, null] },
  ],
  TYPES.map(() => null),
  [
    false,
    -1,
    -(2n ** 63n),
    -0,
    Number.MAX_VALUE,
    '-99999999999999999.999',
    '',
    new Uint8Array(0),
    'null',
    new Date(0),
    new Date(-1),
    -1n,
    [],
    { a: null, b: null },
  ],
  [
    true,
    2147483647,
    2n ** 63n - 1n,
    0,
    5e-324,
    '0',
    'one',
    Uint8Array.of(1),
    '[]',
    new Date('1969-12-31'),
    new Date(0),
    0n,
    ['one', 'x', 'x'],
    null,
  ],
];

export function goldenBuffer(): RowBuffer {
  const schema: Schema = {
    fields: TYPES.map((type, i) => ({ name: `c${i}`, type: parseDataType(type), nullable: true })),
  };
  const rows: Row[] = ROWS.map((values) => Object.fromEntries(values.map((value, i) => [`c${i}`, value])));
  const buffer = new RowBuffer(schema);
  buffer.append(batchOf(schema, rows, true), identityRows(rows.length), 0, rows.length);
  return buffer;
}

const target = process.argv[2];
if (target !== undefined && import.meta.filename === process.argv[1])
  writeFileSync(target, saveRows(goldenBuffer(), 0), { flag: 'wx' });
