/**
 * Checkpoints of a Delta log: all of a table's state in a Parquet file, so that readers need not read the log from its
 * beginning. https://github.com/delta-io/delta/blob/master/PROTOCOL.md#checkpoint-schema
 */
import { parquetReadObjects, type SchemaElement } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { SluiceError } from '../../core/errors.ts';
import type { Action } from './actions.ts';
import type { DeltaState } from './state.ts';

const MAX_ROWS_A_GROUP = 50_000;

/** The whole file. */
export function encodeCheckpointFile(state: DeltaState): Uint8Array {
  const actions: Action[] = [];
  if (state.protocol !== null) actions.push({ protocol: state.protocol });
  if (state.metaData !== null) actions.push({ metaData: state.metaData });
  for (const txn of state.transactions.values()) actions.push({ txn });
  for (const remove of state.tombstones.values()) actions.push({ remove });
  for (const add of state.files.values()) actions.push({ add: { ...add, dataChange: false } });
  const column = <Key extends keyof Action>(key: Key, row: (action: NonNullable<Action[Key]>) => object) => ({
    name: key,
    data: actions.map((action) => {
      const found = action[key];
      return found === undefined || found === null ? null : row(found);
    }),
  });
  const bytes = parquetWriteBuffer({
    schema: SCHEMA,
    rowGroupSize: MAX_ROWS_A_GROUP,
    columnData: [
      column('txn', ({ appId, version, lastUpdated }) => ({
        appId,
        version: BigInt(version),
        lastUpdated: longOf(lastUpdated),
      })),
      column('add', ({ path, partitionValues, size, modificationTime, dataChange, stats, tags }) => ({
        path,
        partitionValues: entriesOf(partitionValues),
        size: BigInt(size),
        modificationTime: BigInt(modificationTime),
        dataChange,
        tags: entriesOf(tags),
        stats: stats ?? null,
      })),
      column(
        'remove',
        ({ path, deletionTimestamp, dataChange, extendedFileMetadata, partitionValues, size }) => ({
          path,
          deletionTimestamp: longOf(deletionTimestamp),
          dataChange,
          extendedFileMetadata: extendedFileMetadata ?? null,
          partitionValues: entriesOf(partitionValues),
          size: longOf(size),
        }),
      ),
      column('metaData', ({ format, configuration, createdTime, ...metaData }) => ({
        name: null,
        description: null,
        ...metaData,
        format: { provider: format.provider, options: entriesOf(format.options ?? {}) },
        partitionColumns: metaData.partitionColumns,
        configuration: entriesOf(configuration ?? {}),
        createdTime: longOf(createdTime),
      })),
      column('protocol', ({ minReaderVersion, minWriterVersion }) => ({
        minReaderVersion,
        minWriterVersion,
      })),
    ],
  });
  return new Uint8Array(bytes);
}

/** @throws SluiceError TABLE_UNSUITABLE where it is damaged */
export async function decodeCheckpointFile(bytes: Uint8Array, path: string): Promise<Action[]> {
  try {
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    const rows = await parquetReadObjects({
      file: file as ArrayBuffer,
      columns: ['txn', 'add', 'remove', 'metaData', 'protocol'],
      compressors,
      geoparquet: false,
    });
    // The format fixes the shape; whole numbers come as bigint.
    return rows.map((row) => plain(row) as Action);
  } catch (cause) {
    throw new SluiceError('TABLE_UNSUITABLE', `the checkpoint ${path} of the Delta log cannot be read`, {
      cause,
      hint: 'restore it, or remove it if the log entries from the beginning are there',
    });
  }
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

function longOf(value: number | null | undefined): bigint | null {
  return value === undefined || value === null ? null : BigInt(value);
}

function entriesOf(map: Readonly<Record<string, string | null>> | null | undefined) {
  return map === undefined || map === null
    ? null
    : Object.entries(map).map(([key, value]) => ({ key, value }));
}

const text = (name: string, repetition_type: 'OPTIONAL' | 'REQUIRED' = 'OPTIONAL'): SchemaElement => ({
  name,
  type: 'BYTE_ARRAY',
  converted_type: 'UTF8',
  repetition_type,
});
const long = (name: string): SchemaElement => ({ name, type: 'INT64', repetition_type: 'OPTIONAL' });
const integer = (name: string): SchemaElement => ({ name, type: 'INT32', repetition_type: 'OPTIONAL' });
const flag = (name: string): SchemaElement => ({ name, type: 'BOOLEAN', repetition_type: 'OPTIONAL' });
const group = (name: string, ...children: readonly SchemaElement[][]): SchemaElement[] => [
  { name, repetition_type: 'OPTIONAL', num_children: children.length },
  ...children.flat(),
];
const map = (name: string): SchemaElement[] => [
  { name, repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'MAP' },
  { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 },
  text('key', 'REQUIRED'),
  text('value'),
];
const texts = (name: string): SchemaElement[] => [
  { name, repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  text('element'),
];

const SCHEMA: SchemaElement[] = [
  { name: 'spark_schema', num_children: 5 },
  ...group('txn', [text('appId')], [long('version')], [long('lastUpdated')]),
  ...group(
    'add',
    [text('path')],
    map('partitionValues'),
    [long('size')],
    [long('modificationTime')],
    [flag('dataChange')],
    map('tags'),
    [text('stats')],
  ),
  ...group(
    'remove',
    [text('path')],
    [long('deletionTimestamp')],
    [flag('dataChange')],
    [flag('extendedFileMetadata')],
    map('partitionValues'),
    [long('size')],
  ),
  ...group(
    'metaData',
    [text('id')],
    [text('name')],
    [text('description')],
    group('format', [text('provider')], map('options')),
    [text('schemaString')],
    texts('partitionColumns'),
    map('configuration'),
    [long('createdTime')],
  ),
  ...group('protocol', [integer('minReaderVersion')], [integer('minWriterVersion')]),
];
