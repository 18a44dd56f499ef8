/**
 * Batches as Arrow RecordBatches over the same memory. With the copy of the library that is handed in: to another one
 * their types are unknown, and it writes them as if they were empty.
 */
import type * as Arrow from 'apache-arrow';
import type { Batch } from './batch.ts';
import type { Column } from './column.ts';
import type { DataType, Field } from './data-type.ts';

export type ArrowLibrary = typeof Arrow;

function fieldToArrow(field: Field, arrow: ArrowLibrary): Arrow.Field {
  return new arrow.Field(field.name, typeToArrow(field.type, arrow), field.nullable);
}

function typeToArrow(type: DataType, arrow: ArrowLibrary): Arrow.DataType {
  switch (type.kind) {
    case 'boolean':
      return new arrow.Bool();
    case 'int32':
      return new arrow.Int32();
    case 'int64':
      return new arrow.Int64();
    case 'float32':
      return new arrow.Float32();
    case 'float64':
      return new arrow.Float64();
    case 'decimal':
      return new arrow.Decimal(type.scale, type.precision, 128);
    case 'string':
    case 'json':
      return new arrow.Utf8();
    case 'binary':
      return new arrow.Binary();
    case 'date':
      return new arrow.DateDay();
    case 'timestamp':
      return type.unit === 'ms'
        ? new arrow.TimestampMillisecond('UTC')
        : new arrow.TimestampMicrosecond('UTC');
    case 'list':
      return new arrow.List(new arrow.Field('element', typeToArrow(type.element, arrow), true));
    case 'struct':
      return new arrow.Struct(type.fields.map((field) => fieldToArrow(field, arrow)));
  }
}

export function batchToArrow(batch: Batch, arrow: ArrowLibrary): Arrow.RecordBatch {
  const children = batch.columns.map((column) => columnToArrow(column, arrow));
  const fields = batch.schema.fields.map(
    (field, i) => new arrow.Field(field.name, children[i]!.type, field.nullable),
  );
  const data = arrow.makeData({
    type: new arrow.Struct(fields),
    length: batch.length,
    nullCount: 0,
    children,
  });
  return new arrow.RecordBatch(new arrow.Schema(fields), data);
}

function columnToArrow(column: Column, arrow: ArrowLibrary): Arrow.Data {
  const type = typeToArrow(column.type, arrow);
  const { length, nullCount } = column;
  const nullBitmap = column.validity;
  switch (column.layout) {
    case 'bits':
      return arrow.makeData({ type: type as Arrow.Bool, length, nullCount, nullBitmap, data: column.values });
    case 'fixed': {
      const words = column.values.subarray(0, length * column.words);
      return arrow.makeData({
        type: type as Arrow.Int,
        length,
        nullCount,
        nullBitmap,
        data: fixedView(column.type, words) as Int32Array,
      });
    }
    case 'bytes':
      return arrow.makeData({
        type: type as Arrow.Utf8,
        length,
        nullCount,
        nullBitmap,
        valueOffsets: column.offsets,
        data: column.bytes,
      });
    case 'dictionary': {
      const { count, offsets, bytes } = column.dictionary;
      const values = arrow.makeData({
        type: type as Arrow.Utf8,
        length: count,
        nullCount: 0,
        valueOffsets: offsets,
        data: bytes,
      });
      return arrow.makeData({
        type: new arrow.Dictionary(type as Arrow.Utf8, new arrow.Int32()),
        length,
        nullCount,
        nullBitmap,
        data: column.codes,
        dictionary: arrow.makeVector(values),
      });
    }
    case 'list': {
      const child = columnToArrow(column.child, arrow);
      const list = new arrow.List(new arrow.Field('element', child.type, true));
      return arrow.makeData({
        type: list,
        length,
        nullCount,
        nullBitmap,
        valueOffsets: column.offsets,
        child,
      });
    }
    case 'struct': {
      const children = column.children.map((child) => columnToArrow(child, arrow));
      const fields = column.fields.map(
        (field, i) => new arrow.Field(field.name, children[i]!.type, field.nullable),
      );
      return arrow.makeData({ type: new arrow.Struct(fields), length, nullCount, nullBitmap, children });
    }
  }
}

function fixedView(type: DataType, words: Int32Array): ArrayBufferView {
  const { buffer, byteOffset, length } = words;
  switch (type.kind) {
    case 'float32':
      return new Float32Array(buffer, byteOffset, length);
    case 'float64':
      return new Float64Array(buffer, byteOffset, length >> 1);
    case 'int64':
    case 'timestamp':
      return new BigInt64Array(buffer, byteOffset, length >> 1);
    default:
      return words;
  }
}
