/** The types of an Arrow schema as ours. */
import * as arrow from 'apache-arrow';
import type { DataType, Field, Schema } from '../../lib/core/data-type.ts';
import type { StoredType } from '../parquet/reader/stored-type.ts';
import { typeOfStored } from '../parquet/reader/stored-type.ts';

/** @returns null where a column has no type of ours; its name is told */
export function schemaOfArrow(schema: arrow.Schema): Schema | { readonly unknown: string } {
  const fields: Field[] = [];
  for (const { name, type, nullable } of schema.fields) {
    const ours = typeOfArrow(type);
    if (ours === null) return { unknown: `the column '${name}' is ${String(type)}` };
    fields.push({ name, type: ours, nullable });
  }
  return { fields };
}

export function typeOfArrow(type: arrow.DataType): DataType | null {
  if (arrow.DataType.isDictionary(type)) return typeOfArrow(type.dictionary);
  if (arrow.DataType.isNull(type)) return { kind: 'json' };
  if (arrow.DataType.isBool(type)) return { kind: 'boolean' };
  if (arrow.DataType.isDecimal(type)) return decimalOf(type);
  if (arrow.DataType.isUtf8(type) || arrow.DataType.isLargeUtf8(type)) return { kind: 'string' };
  if (isBinary(type)) return { kind: 'binary' };
  if (isList(type)) {
    const element = typeOfArrow(childOf(type).type);
    return element === null ? null : { kind: 'list', element };
  }
  if (arrow.DataType.isStruct(type)) {
    const inner = schemaOfArrow(new arrow.Schema(type.children));
    return 'unknown' in inner ? null : { kind: 'struct', fields: inner.fields };
  }
  const stored = storedOfArrow(type);
  return stored === null ? null : typeOfStored(stored);
}

export function isBinary(type: arrow.DataType): boolean {
  return (
    arrow.DataType.isBinary(type) ||
    arrow.DataType.isLargeBinary(type) ||
    arrow.DataType.isFixedSizeBinary(type)
  );
}

/** Lists of any kind; a map is a list of entries. */
export function isList(type: arrow.DataType): boolean {
  return (
    arrow.DataType.isList(type) ||
    arrow.DataType.isLargeList(type) ||
    arrow.DataType.isFixedSizeList(type) ||
    arrow.DataType.isMap(type)
  );
}

function childOf(type: arrow.DataType): arrow.Field {
  return type.children![0]!;
}

function decimalOf({ precision, scale, bitWidth }: arrow.Decimal): DataType | null {
  if (bitWidth !== 128 || precision < 1 || precision > 38 || scale < 0 || scale > precision) return null;
  return { kind: 'decimal', precision, scale };
}

const TIME_UNITS = ['s', 'ms', 'us', 'ns'] as const;

/** Numbers, dates and times, as the values of a Parquet page are described. */
export function storedOfArrow(type: arrow.DataType): StoredType | null {
  if (arrow.DataType.isInt(type)) {
    if (type.bitWidth < 32) return { kind: 'int32' };
    return { kind: `${type.isSigned ? '' : 'u'}int${type.bitWidth as 32 | 64}` };
  }
  if (arrow.DataType.isFloat(type))
    return { kind: (['float16', 'float', 'double'] as const)[type.precision] };
  if (arrow.DataType.isDate(type)) return { kind: 'date' };
  if (arrow.DataType.isTimestamp(type)) return { kind: 'timestamp', unit: TIME_UNITS[type.unit] };
  if (arrow.DataType.isTime(type)) return { kind: type.bitWidth === 32 ? 'int32' : 'int64' };
  if (arrow.DataType.isDuration(type)) return { kind: 'int64' };
  return null;
}
