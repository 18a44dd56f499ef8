import { type ParquetSpec, parquetFormat } from '../../../formats/parquet/format.ts';
import { identityRows } from '../../../lib/core/column.ts';
import type { Schema } from '../../../lib/core/data-type.ts';
import { batchOf, type Row } from '../../unit/parquet/arbitrary-rows.ts';

export function specOf(options: Partial<ParquetSpec> = {}): ParquetSpec {
  return {
    type: 'parquet',
    engine: 'sluice',
    compression: 'snappy',
    rowGroupBytes: 64 << 20,
    pageBytes: 1 << 20,
    ...options,
  };
}

export interface WriteOptions extends Partial<ParquetSpec> {
  /** Byte strings come as codes, as decoders give them. */
  readonly dictionaries?: boolean;
  /** Rows after which a row group is flushed. */
  readonly rowsPerGroup?: number;
  /** At these rows the part is given up and continued by another writer of another format object. */
  readonly continueAt?: readonly number[];
}

/** A whole part as bytes, written as the sink does: batches appended, row groups flushed, tails saved and restored. */
export async function writeParquet(
  schema: Schema,
  rows: readonly Row[],
  {
    dictionaries = true,
    rowsPerGroup = Number.POSITIVE_INFINITY,
    continueAt = [],
    ...options
  }: WriteOptions = {},
): Promise<Uint8Array> {
  const batch = batchOf(schema, rows, dictionaries);
  const pieces: Uint8Array[] = [];
  let writer = (await parquetFormat(specOf(options))).createWriter(schema, null);
  // What a checkpoint at each stop keeps of the rows buffered: those that came since the stop before.
  let tails: Uint8Array[] = [];
  let saved = 0;
  let at = 0;
  while (at < rows.length) {
    const stop = continueAt.find((row) => row > at) ?? rows.length;
    const to = Math.min(stop, rows.length, at + rowsPerGroup - writer.bufferedRows);
    writer.append(batch, identityRows(rows.length), at, to);
    at = to;
    if (writer.bufferedRows >= rowsPerGroup) {
      pieces.push(writer.flush());
      tails = [];
      saved = 0;
    }
    if (at === stop && at < rows.length) {
      tails.push(writer.saveRows(saved).slice());
      saved = writer.bufferedRows;
      const footer: unknown = JSON.parse(JSON.stringify(writer.footer()));
      writer = (await parquetFormat(specOf(options))).createWriter(schema, footer);
      for (const tail of tails) writer.restoreRows(tail);
    }
  }
  pieces.push(writer.finish());
  return Buffer.concat(pieces);
}
