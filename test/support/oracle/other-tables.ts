/** Avro and Arrow tables for the oracle, read by avsc and apache-arrow. Times are microseconds, as of Parquet. */
import * as arrow from 'apache-arrow';
import avro from 'avsc';

type Row = Readonly<Record<string, unknown>>;

/** @throws Error where the file is torn or no object container */
export async function readAvroTable(bytes: Uint8Array): Promise<Row[]> {
  const decoder = new avro.streams.BlockDecoder({
    parseHook: (schema: avro.Schema) => avro.Type.forSchema(schema, { typeHook: exactLongs }),
  });
  const rows: Row[] = [];
  const done = new Promise<void>((resolve, reject) => {
    decoder.on('data', (row: Row) => rows.push({ ...row }));
    decoder.on('end', resolve);
    decoder.on('error', reject);
  });
  decoder.end(Buffer.from(bytes));
  await done;
  return rows;
}

/** avsc rounds what a double cannot hold unless it is told otherwise. */
function exactLongs(schema: avro.Schema): avro.Type | undefined {
  const inner: unknown = typeof schema === 'string' ? schema : Reflect.get(schema, 'type');
  if (inner !== 'long') return undefined;
  const isMillis = typeof schema !== 'string' && Reflect.get(schema, 'logicalType') === 'timestamp-millis';
  return avro.types.LongType.__with({
    fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE() * (isMillis ? 1000n : 1n),
    toBuffer: () => Buffer.alloc(8),
    fromJSON: BigInt,
    toJSON: Number,
    isValid: (value: unknown) => typeof value === 'bigint',
    compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
  });
}

/** @throws Error where the file is torn, or a stream does not end with its end marker */
export function readArrowTable(bytes: Uint8Array): Row[] {
  const isFile = Buffer.from(bytes.subarray(0, 6)).toString('latin1') === 'ARROW1';
  // A stream may do without the marker, but ours never do, and without it nothing tells that it is whole.
  const end = Buffer.from(bytes.subarray(-8)).toString('hex');
  if (!isFile && end !== 'ffffffff00000000') throw new Error('the stream does not end');
  const table = arrow.tableFromIPC(bytes);
  const columns = table.schema.fields.map(({ name, type }, i) => ({
    name,
    type,
    vector: table.getChildAt(i)!,
  }));
  return Array.from({ length: table.numRows }, (_, row) =>
    Object.fromEntries(columns.map(({ name, type, vector }) => [name, plain(type, vector.get(row))])),
  );
}

function plain(type: arrow.DataType, value: unknown): unknown {
  if (value === null) return null;
  if (arrow.DataType.isTimestamp(type)) return BigInt(Math.round(Number(value) * 1000));
  if (arrow.DataType.isList(type)) return Array.from(value as Iterable<unknown>);
  return value;
}
