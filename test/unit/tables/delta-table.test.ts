import { beforeEach, describe, expect, test } from 'vitest';
import { parquetFormat } from '../../../formats/parquet/format.ts';
import type { TableChange, TablePart } from '../../../lib/commit/lake-table.ts';
import type { Swap } from '../../../lib/commit/swap.ts';
import { Batch } from '../../../lib/core/batch.ts';
import { identityRows } from '../../../lib/core/column.ts';
import type { Schema } from '../../../lib/core/data-type.ts';
import type { BucketSpec } from '../../../lib/core/specs.ts';
import { columnsOf } from '../../../lib/core/values.ts';
import { DeltaTable } from '../../../lib/tables/delta/delta-table.ts';
import { countingIds } from '../../support/counting-ids.ts';
import { schemaOf } from '../../support/job.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryFileSystem } from '../../support/memory-file-system.ts';

const JOB_ID = '0a1b2c3d';
const SCHEMA = schemaOf({ id: 'int64', country: 'string' });
const BY_COUNTRY: BucketSpec = {
  type: 'fields',
  fields: [{ name: 'country', column: 'country', transform: 'value' }],
  keepFields: false,
};

interface Line {
  readonly add?: { path: string; partitionValues: object; dataChange: boolean; stats: string };
  readonly remove?: { path: string; dataChange: boolean };
  readonly txn?: { appId: string; version: number };
  readonly metaData?: { schemaString: string; partitionColumns: string[]; id: string; configuration: object };
  readonly protocol?: object;
  readonly commitInfo?: { operation: string };
}

let clock: ManualClock;
let fileSystem: MemoryFileSystem;
beforeEach(() => {
  clock = new ManualClock(Date.UTC(2026, 10, 25));
  fileSystem = new MemoryFileSystem(clock);
  fileSystem.addFolder('/lake');
});

const open = (bucket: BucketSpec = BY_COUNTRY, checkpointEvery = 1000) =>
  DeltaTable.open({
    ...{ fileSystem, clock, ids: countingIds(), path: '/lake', jobId: JOB_ID },
    ...{ bucket, checkpointEvery },
  });

async function encode(schema: Schema, rows: readonly Record<string, unknown>[]): Promise<Uint8Array> {
  const format = await parquetFormat({
    ...{ type: 'parquet', engine: 'sluice', compression: 'snappy' },
    ...{ rowGroupBytes: 1 << 25, pageBytes: 1 << 20 },
  });
  const writer = format.createWriter(schema, null);
  writer.append(
    new Batch(schema, columnsOf(schema, rows), rows.length),
    identityRows(rows.length),
    0,
    rows.length,
  );
  return Buffer.concat([writer.flush().slice(), writer.finish()]);
}

async function put(
  bucketId: string,
  counter: number | string,
  ids: readonly number[],
  schema: Schema = schemaOf({ id: 'int64' }),
): Promise<TablePart> {
  const bytes = await encode(
    schema,
    ids.map((id) => ({ id: BigInt(id) })),
  );
  const path = `/lake/${bucketId === '' ? '' : `${bucketId}/`}part-${JOB_ID}-${counter}.parquet`;
  fileSystem.put(path, bytes);
  return { bucketId, path, sizeBytes: bytes.length };
}

const change = (promise: number, parts: readonly TablePart[], swaps: readonly Swap[] = []): TableChange => ({
  ...{ promise, schema: SCHEMA, parts, swaps },
});

const swapOf = (merged: TablePart, sources: readonly TablePart[]): Swap => ({
  bucketId: merged.bucketId,
  file: { hiddenPath: '/lake/.x', finalPath: merged.path, lengthBytes: merged.sizeBytes },
  sources: sources.map(({ path }) => path),
});

const entryPath = (version: number) => `/lake/_delta_log/${String(version).padStart(20, '0')}.json`;
const read = (path: string) => fileSystem.text(path) ?? '';
const entry = (version: number): Line[] =>
  read(entryPath(version))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
const versions = () =>
  [...fileSystem.files.keys()].filter((path) => /_delta_log\/\d{20}\.json$/.test(path)).length;
/** What another writer puts on top. */
const foreign = (...lines: readonly Line[]) =>
  fileSystem.put(entryPath(versions()), lines.map((line) => JSON.stringify(line)).join('\n'));

describe('a Delta log of what checkpoints commit', () => {
  test('begins with protocol and schema, and then has an entry a change', async () => {
    const table = await open();
    await table.prepare(SCHEMA);
    await table.prepare(SCHEMA);
    expect(versions(), 'made once').toBe(1);
    const [, protocol, metaData] = entry(0);
    expect(protocol).toEqual({ protocol: { minReaderVersion: 1, minWriterVersion: 2 } });
    expect(metaData?.metaData?.partitionColumns).toEqual(['country']);
    expect(metaData?.metaData?.id).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(JSON.parse(metaData?.metaData?.schemaString ?? '')).toEqual({
      type: 'struct',
      fields: [
        { name: 'id', type: 'long', nullable: true, metadata: {} },
        { name: 'country', type: 'string', nullable: true, metadata: {} },
      ],
    });
    const part = await put('country=DE', '0-0', [3, 5]);
    await table.commit(change(7, [part]));
    const [, txn, add] = entry(1);
    expect(txn?.txn).toMatchObject({ appId: `sluice-${JOB_ID}`, version: 7 });
    expect(add?.add).toMatchObject({
      path: `country=DE/part-${JOB_ID}-0-0.parquet`,
      partitionValues: { country: 'DE' },
      size: part.sizeBytes,
      dataChange: true,
    });
    expect(JSON.parse(add?.add?.stats ?? '')).toEqual({
      ...{ numRecords: 2, minValues: { id: 3 }, maxValues: { id: 5 }, nullCount: { id: 0 } },
    });
  });

  test('a change that is repeated, by this process or another, is recognised', async () => {
    const table = await open();
    const parts = [await put('country=DE', '0-0', [1])];
    await table.commit(change(7, parts));
    await table.commit(change(7, parts));
    await (await open()).commit(change(7, parts));
    expect(versions()).toBe(1);
    await (await open()).commit(change(8, [await put('country=DE', '0-1', [2])]));
    expect(versions()).toBe(2);
  });

  test('a request whose answer was lost is our own entry', async () => {
    const table = await open();
    await table.prepare(SCHEMA);
    const part = await put('country=DE', '0-0', [1]);
    fileSystem.fail({
      operation: 'createExclusive',
      path: entryPath(1),
      action: () => {
        // Arrived, and the storage repeats the request.
        foreign(
          { txn: { appId: `sluice-${JOB_ID}`, version: 7 } },
          {
            add: {
              path: `country=DE/part-${JOB_ID}-0-0.parquet`,
              partitionValues: {},
              dataChange: true,
              stats: '{}',
            },
          },
        );
      },
    });
    await table.commit(change(7, [part]));
    expect(versions()).toBe(2);
    expect(table.has(part.path)).toBe(true);
  });

  test('names of folders are URI encoded, values are what they stand for', async () => {
    const table = await open();
    await table.commit(
      change(1, [
        await put('country=a%2Fb%3A ü+#', '0-0', [1]),
        await put('country=__HIVE_DEFAULT_PARTITION__', '0-1', [2]),
      ]),
    );
    const adds = entry(0).flatMap(({ add }) => (add === undefined ? [] : [add]));
    expect(adds.map(({ path, partitionValues }) => [path, partitionValues])).toEqual([
      [`country=a%252Fb%253A%20%C3%BC%2B%23/part-${JOB_ID}-0-0.parquet`, { country: 'a/b: ü+#' }],
      [`country=__HIVE_DEFAULT_PARTITION__/part-${JOB_ID}-0-1.parquet`, { country: null }],
    ]);
    expect(decodeURIComponent(adds[0]!.path)).toBe(`country=a%2Fb%3A ü+#/part-${JOB_ID}-0-0.parquet`);
  });

  test('partition columns have the types of their columns; timestamps are told in UTC', async () => {
    const schema = schemaOf({ id: 'int64', at: 'timestamp(us)', day: 'date', n: 'int32' });
    const table = await open({
      type: 'fields',
      fields: [
        { name: 'at', column: 'at', transform: 'value' },
        { name: 'day', column: 'day', transform: 'value' },
        { name: 'hour', column: 'at', transform: 'hour' },
      ],
      keepFields: false,
    });
    const part = await put('at=2026-11-22 13%3A14%3A15.5/day=2026-11-22/hour=13', '0-0', [1]);
    await table.commit({ promise: 1, schema, parts: [part], swaps: [] });
    const lines = entry(0);
    const fields: { name: string; type: string }[] = JSON.parse(
      lines.find(({ metaData }) => metaData)?.metaData?.schemaString ?? '',
    ).fields;
    expect(fields.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'id long',
      'n integer',
      'at timestamp',
      'day date',
      'hour string',
    ]);
    expect(lines.at(-1)?.add?.partitionValues).toEqual({
      at: '2026-11-22T13:14:15.500000Z',
      day: '2026-11-22',
      hour: '13',
    });
  });

  test('as many files as there are may lie in the log', async () => {
    await (await open()).commit(change(1, [await put('country=DE', '0-0', [1])]));
    for (let i = 0; i < 130_000; i++) fileSystem.put(`/lake/_delta_log/.${i}.crc`, '');
    const again = await open();
    await again.commit(change(2, [await put('country=DE', '0-1', [2])]));
    expect(versions()).toBe(2);
  });

  test('a schema that grows is told before the first part that has it', async () => {
    const table = await open();
    await table.prepare(SCHEMA);
    const grown = schemaOf({ id: 'int64', country: 'string', extra: 'list<struct<a:int32>>' });
    await table.commit({ ...change(2, [await put('country=DE', '0-0', [1])]), schema: grown });
    const given = entry(1).find(({ metaData }) => metaData)?.metaData;
    expect(given?.id).toBe(entry(0)[2]?.metaData?.id);
    expect(JSON.parse(given?.schemaString ?? '').fields.at(-1)).toMatchObject({
      name: 'extra',
      type: { type: 'array', containsNull: true, elementType: { type: 'struct' } },
    });
  });
});

describe('compaction in a Delta log', () => {
  test('a swap is one entry that changes no data', async () => {
    const table = await open();
    const sources = [await put('country=DE', '0-0', [1]), await put('country=DE', '0-1', [2])];
    await table.commit(change(1, sources));
    const merged = await put('country=DE', 'c-0', [1, 2]);
    expect(await table.commit(change(2, [], [swapOf(merged, sources)]))).toEqual([]);
    const lines = entry(1);
    expect(lines[0]?.commitInfo?.operation).toBe('OPTIMIZE');
    expect(lines.flatMap(({ remove }) => remove ?? [])).toMatchObject([
      { dataChange: false },
      { dataChange: false },
    ]);
    expect(lines.at(-1)?.add).toMatchObject({ dataChange: false });
    expect([...sources, merged].map(({ path }) => table.has(path))).toEqual([false, false, true]);
    expect(await (await open()).commit(change(2, [], [swapOf(merged, sources)])), 'again').toEqual([]);
    expect(versions()).toBe(2);
  });

  test('parts that another writer has rewritten meanwhile are not merged once more', async () => {
    const table = await open();
    const sources = [await put('country=DE', '0-0', [1]), await put('country=DE', '0-1', [2])];
    await table.commit(change(1, sources));
    const merged = await put('country=DE', 'c-0', [1, 2]);
    const swap = swapOf(merged, sources);
    // Between our reading of the log and our writing.
    fileSystem.fail({
      operation: 'createExclusive',
      path: entryPath(1),
      action: () => {
        foreign(
          { remove: { path: `country=DE/part-${JOB_ID}-0-0.parquet`, dataChange: false } },
          {
            add: {
              path: 'country=DE/optimized.parquet',
              partitionValues: {},
              dataChange: false,
              stats: '{}',
            },
          },
        );
      },
    });
    const fresh = await put('country=FR', '0-2', [3]);
    expect(await table.commit(change(2, [fresh], [swap]))).toEqual([swap]);
    expect([...sources, merged, fresh].map(({ path }) => table.has(path))).toEqual([
      false,
      true,
      false,
      true,
    ]);
    expect(table.has('/lake/country=DE/optimized.parquet')).toBe(true);
    expect(await (await open()).commit(change(2, [fresh], [swap])), 'after a crash').toEqual([swap]);
    expect(versions()).toBe(3);
  });
});

describe('other writers of the table', () => {
  test('their columns and properties stay', async () => {
    const table = await open();
    await table.prepare(SCHEMA);
    const mine = entry(0)[2]!.metaData!;
    const schema = JSON.parse(mine.schemaString);
    schema.fields.push({ name: 'theirs', type: 'string', nullable: true, metadata: { comment: 'x' } });
    foreign({ metaData: { ...mine, schemaString: JSON.stringify(schema), configuration: { a: 'b' } } });
    await table.commit({
      ...change(1, [await put('country=DE', '0-0', [1])]),
      schema: schemaOf({ id: 'int64', country: 'string', more: 'date' }),
    });
    const given = entry(2).find(({ metaData }) => metaData)?.metaData;
    expect(given?.configuration).toEqual({ a: 'b' });
    expect(JSON.parse(given?.schemaString ?? '').fields.map(({ name }: { name: string }) => name)).toEqual([
      'id',
      'country',
      'theirs',
      'more',
    ]);
  });

  test.each([
    [
      'a protocol with deletion vectors',
      { protocol: { minReaderVersion: 3, minWriterVersion: 7 } },
      'reader version 3',
    ],
    [
      'another type',
      { schema: { id: 'string', country: 'string' } },
      "'id' is string in the Delta table and long",
    ],
    ['other partition columns', { partitions: [] }, 'partitioned by ()'],
    ['other spelling', { schema: { ID: 'long', country: 'string' } }, "spells the column 'id' as 'ID'"],
  ] as const)('%s: nothing is written', async (_, given, message) => {
    const fields = Object.entries('schema' in given ? given.schema : { id: 'long', country: 'string' }).map(
      ([name, type]) => ({
        ...{ name, type, nullable: true, metadata: {} },
      }),
    );
    fileSystem.put(
      entryPath(0),
      [
        { protocol: 'protocol' in given ? given.protocol : { minReaderVersion: 1, minWriterVersion: 2 } },
        {
          metaData: {
            id: 'x',
            format: { provider: 'parquet' },
            schemaString: JSON.stringify({ type: 'struct', fields }),
            partitionColumns: 'partitions' in given ? given.partitions : ['country'],
          },
        },
      ]
        .map((line) => JSON.stringify(line))
        .join('\n'),
    );
    await expect(open().then((table) => table.prepare(SCHEMA))).rejects.toMatchObject({
      code: 'TABLE_UNSUITABLE',
      message: expect.stringContaining(message),
    });
    expect(versions()).toBe(1);
  });

  test('one that is always quicker ends the commit, not the data', async () => {
    const table = await open();
    await table.prepare(SCHEMA);
    fileSystem.fail({
      operation: 'createExclusive',
      path: /\.json$/,
      times: 1000,
      action: () => foreign({ commitInfo: { operation: 'x' } }),
    });
    await expect(table.commit(change(1, [await put('country=DE', '0-0', [1])]))).rejects.toMatchObject({
      code: 'TABLE_BUSY',
      retryable: true,
    });
  });
});

describe('the log itself', () => {
  test('its state is written into checkpoints, from which another process goes on', async () => {
    const table = await open(BY_COUNTRY, 3);
    const parts: TablePart[] = [];
    for (let promise = 1; promise <= 8; promise++) {
      parts.push(await put(`country=${promise % 2 === 0 ? 'ü x' : 'DE'}`, `0-${promise}`, [promise]));
      await table.commit(change(promise, parts.slice(-1)));
    }
    await table.commit(
      change(9, [], [swapOf(await put('country=DE', 'c-0', [1, 3]), [parts[0]!, parts[2]!])]),
    );
    const checkpoints = [...fileSystem.files.keys()].filter((path) => path.endsWith('.checkpoint.parquet'));
    expect(checkpoints.map((path) => Number(/(\d{20})/.exec(path)?.[1]))).toEqual([2, 5, 8]);
    expect(JSON.parse(read('/lake/_delta_log/_last_checkpoint'))).toMatchObject({
      version: 8,
      numOfAddFiles: 7,
    });
    // The entries before it are not needed any more.
    for (let version = 0; version <= 8; version++) fileSystem.files.delete(entryPath(version));
    const again = await open(BY_COUNTRY, 3);
    expect(parts.map(({ path }) => again.has(path))).toEqual([
      false,
      true,
      false,
      true,
      true,
      true,
      true,
      true,
    ]);
    await again.commit(change(9, []));
    expect(versions(), 'the transaction is remembered').toBe(0);
  });

  test('entries of over 30 days go once a checkpoint stands for them, half written files after a day', async () => {
    const table = await open(BY_COUNTRY, 2);
    let promise = 0;
    const commit = async () => {
      promise++;
      await table.commit(change(promise, [await put('country=DE', `0-${promise}`, [promise])]));
    };
    for (let i = 0; i < 5; i++) await commit();
    fileSystem.put('/lake/_delta_log/.00000000000000000009.json.tmp.00aa', 'x');
    clock.advance(31 * 86_400_000);
    for (let i = 0; i < 3; i++) await commit();
    const names = [...fileSystem.files.keys()]
      .filter((path) => path.includes('_delta_log/'))
      .map((path) => path.split('/').pop());
    expect(names.filter((name) => /^0+[0-2]\./.test(name ?? ''))).toEqual([]);
    expect(names).toContain('00000000000000000003.checkpoint.parquet');
    expect(names.some((name) => name?.startsWith('.'))).toBe(false);
    expect((await open()).has(`/lake/country=DE/part-${JOB_ID}-0-1.parquet`)).toBe(true);
  });

  test.each([
    ['a gap', () => fileSystem.files.delete(entryPath(1))],
    ['an entry that is no JSON', () => fileSystem.put(entryPath(1), '{"add":')],
  ])('%s ends the start', async (_, damage) => {
    const table = await open();
    for (let promise = 1; promise <= 3; promise++)
      await table.commit(change(promise, [await put('country=DE', `0-${promise}`, [promise])]));
    damage();
    await expect(open()).rejects.toMatchObject({ code: 'TABLE_UNSUITABLE' });
  });

  test('parts that were written without it are taken in; those that others took out are not', async () => {
    const kept = await put('country=DE', '0-0', [1]);
    const gone = await put('country=DE', '0-1', [2]);
    const table = await open();
    await table.commit(change(1, [kept, gone]));
    foreign({ remove: { path: `country=DE/part-${JOB_ID}-0-0.parquet`, dataChange: true } });
    const late = await put('country=FR', '0-2', [3]);
    const again = await open();
    await again.reconcile({ promise: 5, schema: SCHEMA, parts: [kept, late] });
    await (await open()).reconcile({ promise: 5, schema: SCHEMA, parts: [kept, late] });
    expect([kept, gone, late].map(({ path }) => again.has(path))).toEqual([false, false, true]);
    expect(versions()).toBe(3);
  });

  test('knows its job by its transaction or its parts, and by no other job’s', async () => {
    const table = await open();
    expect(await table.recognize(1), 'no table').toBe(false);
    await table.prepare(SCHEMA);
    expect(await table.recognize(1), 'nothing of the job').toBe(false);
    foreign({ txn: { appId: 'sluice-99999999', version: 7 } });
    expect(await (await open()).recognize(1), 'of another job').toBe(false);
    const part = await put('country=DE', '0-0', [1]);
    await (await open()).commit(change(5, [part]));
    expect(await (await open()).recognize(5), 'a crash before the next checkpoint').toBe(true);
    await expect((await open()).recognize(4)).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
    // As another writer cleans it up.
    const lines = entry(versions() - 1).filter(({ txn }) => txn === undefined);
    fileSystem.put(entryPath(versions() - 1), lines.map((line) => JSON.stringify(line)).join('\n'));
    expect(await (await open()).recognize(4)).toBe(true);
  });
});
