/** What the values of a stored column mean, and which of our types they are. */
import type { SchemaElement } from 'hyparquet';
import type { DataType } from '../../../lib/core/data-type.ts';

export type StoredType =
  | {
      readonly kind:
        | 'boolean'
        | 'int32'
        | 'uint32'
        | 'int64'
        | 'uint64'
        | 'float16'
        | 'float'
        | 'double'
        | 'date'
        | 'text'
        | 'json'
        | 'bytes'
        | 'uuid'
        /** Julian day and nanoseconds of the day, as Hive and Impala write timestamps. */
        | 'int96';
    }
  | { readonly kind: 'timestamp'; readonly unit: 's' | 'ms' | 'us' | 'ns' }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number };

const UNITS = { MILLIS: 'ms', MICROS: 'us', NANOS: 'ns' } as const;

export function storedTypeOf(element: SchemaElement): StoredType {
  const { type, converted_type: converted, logical_type: logical } = element;
  if (logical?.type === 'DECIMAL' || converted === 'DECIMAL') {
    const { precision = 0, scale = 0 } = logical?.type === 'DECIMAL' ? logical : element;
    // Beyond 38 digits there is no column for it: the bytes are passed on as they are.
    if (precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision)
      return { kind: 'decimal', precision, scale };
  }
  switch (type) {
    case 'BOOLEAN':
      return { kind: 'boolean' };
    case 'INT32':
      if (logical?.type === 'DATE' || converted === 'DATE') return { kind: 'date' };
      return { kind: isUnsigned(element, 32) ? 'uint32' : 'int32' };
    case 'INT64':
      if (logical?.type === 'TIMESTAMP') return { kind: 'timestamp', unit: UNITS[logical.unit] };
      if (converted === 'TIMESTAMP_MILLIS') return { kind: 'timestamp', unit: 'ms' };
      if (converted === 'TIMESTAMP_MICROS') return { kind: 'timestamp', unit: 'us' };
      return { kind: isUnsigned(element, 64) ? 'uint64' : 'int64' };
    case 'INT96':
      return { kind: 'int96' };
    case 'FLOAT':
      return { kind: 'float' };
    case 'DOUBLE':
      return { kind: 'double' };
    case 'BYTE_ARRAY':
      if (logical?.type === 'JSON' || converted === 'JSON') return { kind: 'json' };
      if (logical?.type === 'STRING' || logical?.type === 'ENUM') return { kind: 'text' };
      return { kind: converted === 'UTF8' || converted === 'ENUM' ? 'text' : 'bytes' };
    default:
      if (logical?.type === 'UUID') return { kind: 'uuid' };
      return { kind: logical?.type === 'FLOAT16' ? 'float16' : 'bytes' };
  }
}

/** 8 and 16 bits fit into an int32 whatever their sign. */
function isUnsigned(
  { converted_type: converted, logical_type: logical }: SchemaElement,
  bits: 32 | 64,
): boolean {
  if (logical?.type === 'INTEGER') return !logical.isSigned && logical.bitWidth === bits;
  return converted === `UINT_${bits}`;
}

/** The type that holds every value. Times of the day are numbers: there is no type for them. */
export function typeOfStored(stored: StoredType): DataType {
  switch (stored.kind) {
    case 'boolean':
    case 'int32':
    case 'int64':
    case 'date':
    case 'json':
      return { kind: stored.kind };
    case 'uint32':
      return { kind: 'int64' };
    case 'uint64':
      return { kind: 'decimal', precision: 20, scale: 0 };
    case 'float16':
    case 'float':
      return { kind: 'float32' };
    case 'double':
      return { kind: 'float64' };
    case 'text':
    case 'uuid':
      return { kind: 'string' };
    case 'bytes':
      return { kind: 'binary' };
    case 'int96':
      return { kind: 'timestamp', unit: 'us' };
    case 'timestamp':
      return { kind: 'timestamp', unit: stored.unit === 's' || stored.unit === 'ms' ? 'ms' : 'us' };
    case 'decimal':
      return stored;
  }
}
