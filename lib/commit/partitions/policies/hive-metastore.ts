/**
 * Partitions in a Hive metastore, over Thrift: what `ALTER TABLE ... ADD IF NOT EXISTS PARTITION` does. A partition's
 * storage descriptor is the table's own, with another location, so whatever format the table has is the partition's.
 */
import { connect } from 'node:net';
import type { CommittedPartition, PartitionCommitPolicy } from '../../../core/partition-commit.ts';
import type { MetastorePolicySpec } from '../../../core/specs.ts';
import { keysOf, locationOf } from './partition-keys.ts';
import {
  decodeMessage,
  EXCEPTION,
  encodeCall,
  type ThriftStruct,
  type ThriftValue,
  thriftBool,
  thriftList,
  thriftStruct,
  thriftText,
} from './thrift.ts';

/** Field numbers of hive_metastore.thrift. */
const TABLE = { sd: 7, partitionKeys: 8 } as const;
const STORAGE_DESCRIPTOR = { location: 2 } as const;
const FIELD_SCHEMA = { name: 1 } as const;
const PARTITION = { values: 1, dbName: 2, tableName: 3, sd: 6 } as const;
const ADD_REQUEST = { dbName: 1, tblName: 2, parts: 3, ifNotExists: 4, needResult: 5 } as const;
const RESULT = 0;
/** An answer holds a table: its columns and properties. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const DEFAULT_PORT = 9083;

export function hiveMetastorePolicy(spec: MetastorePolicySpec, sinkPath: string): PartitionCommitPolicy {
  return {
    async commit(partitions, signal) {
      const { database, table } = spec;
      const found = await call(spec, signal, 'get_table_req', [
        [1, thriftText(database)],
        [2, thriftText(table)],
      ]);
      const described = structAt(structAt(found, RESULT), 1);
      const columns = partitionColumns(described);
      const sd = structAt(described, TABLE.sd);
      await call(spec, signal, 'add_partitions_req', [
        [ADD_REQUEST.dbName, thriftText(database)],
        [ADD_REQUEST.tblName, thriftText(table)],
        [
          ADD_REQUEST.parts,
          thriftList(
            'struct',
            partitions.map((partition) => asThrift(spec, sinkPath, partition, columns, sd)),
          ),
        ],
        [ADD_REQUEST.ifNotExists, thriftBool(true)],
        [ADD_REQUEST.needResult, thriftBool(false)],
      ]);
    },
  };
}

function asThrift(
  spec: MetastorePolicySpec,
  sinkPath: string,
  partition: CommittedPartition,
  columns: readonly string[],
  sd: ThriftStruct,
): ThriftValue {
  const values = new Map(keysOf(partition).map(({ key, metastoreValue }) => [key, metastoreValue]));
  if (values.size !== columns.length || !columns.every((column) => values.has(column))) {
    throw new Error(
      `the table ${spec.table} is partitioned by ${columns.join(', ') || 'nothing'}, and the folder is ${partition.partition}`,
    );
  }
  const location = thriftText(locationOf(partition, spec.location, sinkPath));
  return thriftStruct([
    [
      PARTITION.values,
      thriftList(
        'string',
        columns.map((column) => thriftText(values.get(column) ?? '')),
      ),
    ],
    [PARTITION.dbName, thriftText(spec.database)],
    [PARTITION.tableName, thriftText(spec.table)],
    [PARTITION.sd, thriftStruct([...sd, [STORAGE_DESCRIPTOR.location, location]])],
  ]);
}

function partitionColumns(table: ThriftStruct): string[] {
  const keys = table.get(TABLE.partitionKeys);
  if (keys?.type !== 'list') return [];
  return keys.value.map((key) => {
    const name = key.type === 'struct' ? key.value.get(FIELD_SCHEMA.name) : undefined;
    return name?.type === 'string' ? name.value.toString() : '';
  });
}

function structAt(struct: ThriftStruct, id: number): ThriftStruct {
  const found = struct.get(id);
  if (found?.type !== 'struct') throw new Error(`the metastore's answer lacks field ${id}`);
  return found.value;
}

/** One call over a connection of its own: announcements are minutes apart. @throws Error what the metastore says */
async function call(
  spec: MetastorePolicySpec,
  signal: AbortSignal,
  method: string,
  request: Iterable<readonly [number, ThriftValue]>,
): Promise<ThriftStruct> {
  const bytes = encodeCall(method, 1, new Map([[1, thriftStruct(request)]]));
  const answer = await exchange(spec, AbortSignal.any([signal, AbortSignal.timeout(spec.timeoutMs)]), bytes);
  if (answer.kind === EXCEPTION)
    throw new Error(`${method}: ${firstText(answer.body) ?? 'the metastore refused it'}`);
  for (const [id, field] of answer.body) {
    if (id !== RESULT && field.type === 'struct')
      throw new Error(`${method}: ${firstText(field.value) ?? `exception ${id}`}`);
  }
  return answer.body;
}

function firstText(struct: ThriftStruct): string | null {
  for (const field of struct.values())
    if (field.type === 'string') return field.value.toString().slice(0, 500);
  return null;
}

function exchange(spec: MetastorePolicySpec, signal: AbortSignal, request: Buffer) {
  const { hostname, port } = new URL(spec.url.replace(/^thrift:/, 'http:'));
  return new Promise<NonNullable<ReturnType<typeof decodeMessage>>>((resolve, reject) => {
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? DEFAULT_PORT : Number(port),
    });
    const pieces: Buffer[] = [];
    let length = 0;
    const end = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    const onAbort = () => end(new Error(`${spec.url} did not answer in time`));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('connect', () => socket.write(request));
    socket.on('error', (error) => end(new Error(`${spec.url}: ${error.message}`)));
    socket.on('close', () => end(new Error(`${spec.url} closed the connection before it answered`)));
    socket.on('data', (piece) => {
      pieces.push(piece);
      length += piece.length;
      if (length > MAX_ANSWER_BYTES)
        return end(new Error(`${spec.url} answered with more than ${MAX_ANSWER_BYTES} bytes`));
      try {
        const answer = decodeMessage(Buffer.concat(pieces, length));
        if (answer === null) return;
        signal.removeEventListener('abort', onAbort);
        resolve(answer);
        socket.destroy();
      } catch (error) {
        end(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}
