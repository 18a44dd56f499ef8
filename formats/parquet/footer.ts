/** The end of a file: its metadata, their length, and the magic bytes that also begin it. */
import { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import type { Schema } from '../../lib/core/data-type.ts';
import { VERSION } from '../../lib/core/version.ts';
import { countSchemaElements, type Leaf, writeSchema } from './schema.ts';
import { CompactWriter } from './thrift.ts';

export const MAGIC = new TextEncoder().encode('PAR1');

/** The form that readers take apart to know whose bugs to expect. */
const CREATED_BY = `sluice version ${VERSION}`;

/**
 * Appends FileMetaData of parquet.thrift and what stands behind it.
 * @param rowGroups each as RowGroupEncoder encoded it
 */
export function pushFooter(
  out: ByteBuffer,
  schema: Schema,
  leaves: readonly Leaf[],
  rows: number,
  rowGroups: readonly Uint8Array[],
): void {
  const metadata = new ByteBuffer();
  const thrift = new CompactWriter(metadata);
  thrift.i32(1, 1);
  thrift.beginList(2, 'struct', countSchemaElements(schema));
  writeSchema(thrift, schema);
  thrift.i64(3, rows);
  thrift.beginList(4, 'struct', rowGroups.length);
  for (const rowGroup of rowGroups) thrift.rawElement(rowGroup);
  thrift.text(6, CREATED_BY);
  // TypeDefinedOrder for every leaf: without it readers must not use min_value and max_value.
  thrift.beginList(7, 'struct', leaves.length);
  for (const _ of leaves) {
    thrift.beginElement();
    thrift.beginStruct(1);
    thrift.endStruct();
    thrift.endStruct();
  }
  thrift.endStruct();
  out.push(metadata.view());
  const size = metadata.length;
  out.push(Uint8Array.of(size, size >>> 8, size >>> 16, size >>> 24));
  out.push(MAGIC);
}
