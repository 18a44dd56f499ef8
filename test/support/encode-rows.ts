/** Generated rows as files of the formats that are no lines. */
import { arrowFormat } from '../../formats/arrow/format.ts';
import { avroFormat } from '../../formats/avro/format.ts';
import { parquetFormat } from '../../formats/parquet/format.ts';
import { Batch } from '../../lib/core/batch.ts';
import { identityRows } from '../../lib/core/column.ts';
import type { BulkFormat } from '../../lib/core/encoder.ts';
import { columnsOf } from '../../lib/core/values.ts';
import type { GeneratedRow } from './generate.ts';
import { schemaOf } from './job.ts';

const SCHEMA = schemaOf({
  id: 'string',
  ts: 'timestamp(ms)',
  n: 'int64',
  price: 'float64',
  ok: 'boolean',
  country: 'string',
  note: 'string',
  tags: 'list<string>',
});
/** Row groups, blocks and batches: several a file, so that a restart finds itself between two. */
const GROUP_ROWS = 100;

export type RowFileType = 'parquet' | 'avro' | 'arrow' | 'json';

export async function encodeRows(type: RowFileType, rows: readonly GeneratedRow[]): Promise<Uint8Array> {
  if (type === 'json') return Buffer.from(`[${rows.map(jsonElement).join(',\n ')}]`);
  const batch = new Batch(SCHEMA, columnsOf(SCHEMA, rows.map(typed)), rows.length);
  const writer = (await formatOf(type)).createWriter(SCHEMA, null);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < rows.length; at += GROUP_ROWS) {
    writer.append(batch, identityRows(rows.length), at, Math.min(rows.length, at + GROUP_ROWS));
    pieces.push(writer.flush().slice());
  }
  pieces.push(writer.finish());
  return Buffer.concat(pieces);
}

async function formatOf(type: Exclude<RowFileType, 'json'>): Promise<BulkFormat> {
  if (type === 'arrow') return arrowFormat();
  return type === 'avro'
    ? avroFormat({ type: 'avro', compression: 'deflate', level: null })
    : parquetFormat({
        type: 'parquet',
        engine: 'sluice',
        compression: 'snappy',
        rowGroupBytes: 1 << 25,
        pageBytes: 1 << 20,
      });
}

function typed({ ts, n, ...row }: GeneratedRow): Record<string, unknown> {
  return { ...row, ts: new Date(ts), n: n === null ? null : BigInt(n) };
}

/** Long integers stand in the row as text and in the file as numbers. */
function jsonElement({ n, ...row }: GeneratedRow): string {
  return JSON.stringify({ ...row, n: null }, null, 1).replace(/"n": null\n\}$/, `"n": ${n}\n}`);
}
