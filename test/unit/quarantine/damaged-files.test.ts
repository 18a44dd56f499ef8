/** Damage behind whole rows: they are read, however many there are, and the rest is one record. */
import avro from 'avsc';
import { describe, expect, test } from 'vitest';
import type { InputFormatSpec } from '../../../lib/core/specs.ts';
import { type QuarantiningOptions, readQuarantining } from './read-quarantining.ts';

const JSON_ARRAY: InputFormatSpec = { type: 'json', compression: 'auto' };
const AVRO: InputFormatSpec = { type: 'avro', compression: 'auto' };
/** Below, at and beyond one batch and one window. */
const COUNTS = [1, 99, 100, 101, 200, 5000];
const HOW: readonly QuarantiningOptions[] = [
  { batchRows: 100 },
  { batchRows: 100, resume: true },
  { batchRows: 8192 },
  { batchRows: 8192, resume: true },
];

const BLOCK_RECORDS = 37;
const LONG = avro.Type.forSchema('long');
const METADATA = avro.Type.forSchema({ type: 'map', values: 'bytes' });
const SYNC = Buffer.alloc(16, 7);
const SCHEMA = {
  type: 'record',
  name: 'row',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'name', type: 'string' },
  ],
};

const avroRecord = (id: number) => Buffer.concat([LONG.toBuffer(id), LONG.toBuffer(3), Buffer.from('abc')]);

function avroBlocks(records: number): Buffer[][] {
  const blocks: Buffer[][] = [];
  for (let id = 0; id < records; id++) {
    if (id % BLOCK_RECORDS === 0) blocks.push([]);
    blocks.at(-1)!.push(avroRecord(id));
  }
  return blocks;
}

function avroFile(blocks: readonly (readonly Buffer[])[]): Buffer {
  const metadata = { 'avro.schema': Buffer.from(JSON.stringify(SCHEMA)), 'avro.codec': Buffer.from('null') };
  return Buffer.concat([
    Buffer.from('Obj\x01'),
    METADATA.toBuffer(metadata),
    SYNC,
    ...blocks.flatMap((records) => {
      const body = Buffer.concat(records);
      return [LONG.toBuffer(records.length), LONG.toBuffer(body.length), body, SYNC];
    }),
  ]);
}

async function expectRest(name: string, bytes: Uint8Array, spec: InputFormatSpec, rows: number) {
  for (const how of HOW) {
    const read = await readQuarantining(name, bytes, spec, how);
    expect(read, JSON.stringify(how)).toMatchObject({ rows, outcome: 'read' });
    expect(read.kept, JSON.stringify(how)).toMatchObject([{ code: 'file_corrupt', complete: false }]);
  }
}

describe.each(COUNTS)('%i rows before', (count) => {
  const elements = Array.from({ length: count }, (_, id) => `{"id":${id}}`).join(',\n');

  test.each([
    ['text behind the array', `[${elements}]x`],
    ['a second closing bracket', `[${elements}]\n]`],
    ['a comma before the closing bracket', `[${elements},]`],
    ['two commas', `[${elements},,{"id":-1}]`],
    ['no comma', `[${elements} {"id":-1}]`],
    ['no closing bracket', `[${elements}`],
    ['no closing bracket, and a blank', `[${elements}\n`],
    ['a comma at the end', `[${elements},`],
    ['an element that is cut', `[${elements},{"id":`],
  ])('JSON array: %s', async (_, text) => {
    await expectRest('a.json', Buffer.from(text), JSON_ARRAY, count);
  });

  test('Avro: garbage behind the last block', async () => {
    const file = avroFile(avroBlocks(count));
    await expectRest('a.avro', Buffer.concat([file, Buffer.from('garbage-garbage')]), AVRO, count);
  });

  test('Avro: the last block is cut', async () => {
    const file = avroFile(avroBlocks(count));
    await expectRest('a.avro', file.subarray(0, -3), AVRO, count - (count % BLOCK_RECORDS || BLOCK_RECORDS));
  });

  test('Avro: a record is damaged within a block', async () => {
    const damaged = Buffer.concat([LONG.toBuffer(-1), LONG.toBuffer(-5)]);
    const last = [...Array.from({ length: 5 }, (_, id) => avroRecord(id)), damaged, avroRecord(7)];
    await expectRest('a.avro', avroFile([...avroBlocks(count), last]), AVRO, count + 5);
  });
});

test('a record that is too long and takes the rest of the file with it is one record', async () => {
  const text = Buffer.from(`[{"id":1},{"id":2,"s":"${'x'.repeat(30_000)}`);
  const { rows, kept } = await readQuarantining('a.json', text, JSON_ARRAY);
  expect(rows).toBe(1);
  expect(kept).toMatchObject([{ code: 'too_large', offset: 10 }]);
  const skipped = await readQuarantining('a.json', text, JSON_ARRAY, { onBadRecord: 'skip' });
  expect(skipped).toMatchObject({ rows: 1, counts: { rejected: 1 } });
});

describe.each(['fail', 'skip', 'quarantine'] as const)('on_bad_record: %s', (onBadRecord) => {
  test('a file that is still being written gives no row, and is taken anew', async () => {
    const half = Buffer.from('[{"id":1},{"id":2},{"id"');
    const becomes = Buffer.from('[{"id":1},{"id":2},{"id":3}]');
    const read = await readQuarantining('a.json', half, JSON_ARRAY, { onBadRecord, becomes });
    expect(read).toMatchObject({ rows: 0, kept: [], outcome: 'changed' });
  });
});

test.each(['fail', 'skip'] as const)(
  'on_bad_record: %s: damage ends the job before any of its rows are there',
  async (onBadRecord) => {
    const text = Buffer.from('[{"id":1},{"id":2}');
    let batches = 0;
    const onBatch = () => {
      batches++;
    };
    const read = readQuarantining('a.json', text, JSON_ARRAY, { onBadRecord, onBatch });
    await expect(read).rejects.toMatchObject({ code: 'INPUT_CORRUPT' });
    expect(batches).toBe(0);
  },
);
