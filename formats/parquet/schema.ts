/**
 * A schema as Parquet's tree of schema elements, and its leaves: the columns that are stored.
 * https://github.com/apache/parquet-format/blob/master/LogicalTypes.md
 */
import type { DataType, Field, Schema } from '../../lib/core/data-type.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import type { CompactWriter } from './thrift.ts';

/** Parquet's physical types, by their numbers in the format. */
export const PHYSICAL = {
  BOOLEAN: 0,
  INT32: 1,
  INT64: 2,
  FLOAT: 4,
  DOUBLE: 5,
  BYTE_ARRAY: 6,
  FIXED_LEN_BYTE_ARRAY: 7,
} as const;

export type PhysicalType = (typeof PHYSICAL)[keyof typeof PHYSICAL];

/** A stored column: where it is in the schema and in what form. */
export interface Leaf {
  readonly path: readonly string[];
  readonly type: DataType;
  readonly physical: PhysicalType;
  /** Bytes of a FIXED_LEN_BYTE_ARRAY; 0 for the others. */
  readonly typeLength: number;
  readonly maxDefinition: number;
  readonly maxRepetition: number;
}

const REQUIRED = 0;
const OPTIONAL = 1;
const REPEATED = 2;

const CONVERTED = {
  UTF8: 0,
  LIST: 3,
  DECIMAL: 5,
  DATE: 6,
  TIMESTAMP_MILLIS: 9,
  TIMESTAMP_MICROS: 10,
  JSON: 19,
} as const;
/** Field ids of the union LogicalType. */
const LOGICAL = { STRING: 1, LIST: 3, DECIMAL: 5, DATE: 6, TIMESTAMP: 8, JSON: 12 } as const;

/** Name of the repeated group, and of what stands in it: readers go by them to tell the three-level form. */
const LIST_GROUP = 'list';
const LIST_ELEMENT = 'element';

/** @throws SluiceError JOB_INVALID where Parquet has no form for the schema */
export function leavesOf(schema: Schema): Leaf[] {
  if (schema.fields.length === 0) {
    throw new SluiceError('JOB_INVALID', 'a Parquet file needs at least one column', {
      hint: 'with bucket type fields, keep_fields: true leaves the columns of the folder names in the files',
    });
  }
  const leaves: Leaf[] = [];
  for (const field of schema.fields) collectLeaves(field, [], 0, 0, leaves);
  return leaves;
}

function collectLeaves(
  field: Field,
  above: readonly string[],
  definition: number,
  repetition: number,
  leaves: Leaf[],
): void {
  const { type } = field;
  const path = [...above, field.name];
  const present = field.nullable ? definition + 1 : definition;
  switch (type.kind) {
    case 'list':
      collectLeaves(elementOf(type.element), [...path, LIST_GROUP], present + 1, repetition + 1, leaves);
      return;
    case 'struct':
      if (type.fields.length === 0) {
        throw new SluiceError(
          'JOB_INVALID',
          `column '${path.join('.')}' is a struct without fields, which Parquet cannot hold`,
        );
      }
      for (const child of type.fields) collectLeaves(child, path, present, repetition, leaves);
      return;
    default:
      leaves.push({
        path,
        type,
        physical: physicalType(type),
        typeLength: type.kind === 'decimal' && type.precision > 18 ? decimalBytes(type.precision) : 0,
        maxDefinition: present,
        maxRepetition: repetition,
      });
  }
}

/** Elements are always nullable: a type says nothing else about them. */
function elementOf(type: DataType): Field {
  return { name: LIST_ELEMENT, type, nullable: true };
}

function physicalType(type: DataType): PhysicalType {
  switch (type.kind) {
    case 'boolean':
      return PHYSICAL.BOOLEAN;
    case 'int32':
    case 'date':
      return PHYSICAL.INT32;
    case 'int64':
    case 'timestamp':
      return PHYSICAL.INT64;
    case 'float32':
      return PHYSICAL.FLOAT;
    case 'float64':
      return PHYSICAL.DOUBLE;
    case 'decimal':
      if (type.precision <= 9) return PHYSICAL.INT32;
      return type.precision <= 18 ? PHYSICAL.INT64 : PHYSICAL.FIXED_LEN_BYTE_ARRAY;
    default:
      return PHYSICAL.BYTE_ARRAY;
  }
}

/** The fewest bytes whose two's complement holds every value of a precision. */
function decimalBytes(precision: number): number {
  let bytes = 1;
  while (2n ** BigInt(8 * bytes - 1) < 10n ** BigInt(precision)) bytes++;
  return bytes;
}

/** How many elements {@link writeSchema} writes. */
export function countSchemaElements(schema: Schema): number {
  return schema.fields.reduce((sum, field) => sum + countElements(field.type), 1);
}

function countElements(type: DataType): number {
  if (type.kind === 'list') return 2 + countElements(type.element);
  if (type.kind === 'struct') return type.fields.reduce((sum, field) => sum + countElements(field.type), 1);
  return 1;
}

/** Writes the tree as elements of a list, depth first: SchemaElement of parquet.thrift. */
export function writeSchema(out: CompactWriter, schema: Schema): void {
  out.beginElement();
  out.text(4, 'schema');
  out.i32(5, schema.fields.length);
  out.endStruct();
  for (const field of schema.fields) writeField(out, field);
}

function writeField(out: CompactWriter, field: Field): void {
  const { name, type } = field;
  const repetition = field.nullable ? OPTIONAL : REQUIRED;
  switch (type.kind) {
    case 'list':
      out.beginElement();
      out.i32(3, repetition);
      out.text(4, name);
      out.i32(5, 1);
      out.i32(6, CONVERTED.LIST);
      out.beginStruct(10);
      writeEmptyUnion(out, LOGICAL.LIST);
      out.endStruct();
      out.endStruct();
      out.beginElement();
      out.i32(3, REPEATED);
      out.text(4, LIST_GROUP);
      out.i32(5, 1);
      out.endStruct();
      writeField(out, elementOf(type.element));
      return;
    case 'struct':
      out.beginElement();
      out.i32(3, repetition);
      out.text(4, name);
      out.i32(5, type.fields.length);
      out.endStruct();
      for (const child of type.fields) writeField(out, child);
      return;
    default:
      out.beginElement();
      out.i32(1, physicalType(type));
      if (type.kind === 'decimal' && type.precision > 18) out.i32(2, decimalBytes(type.precision));
      out.i32(3, repetition);
      out.text(4, name);
      writeAnnotation(out, type);
      out.endStruct();
  }
}

/** Both generations of annotations: old readers know converted types only, new ones prefer the logical type. */
function writeAnnotation(out: CompactWriter, type: DataType): void {
  switch (type.kind) {
    case 'string':
      out.i32(6, CONVERTED.UTF8);
      out.beginStruct(10);
      writeEmptyUnion(out, LOGICAL.STRING);
      out.endStruct();
      return;
    case 'json':
      out.i32(6, CONVERTED.JSON);
      out.beginStruct(10);
      writeEmptyUnion(out, LOGICAL.JSON);
      out.endStruct();
      return;
    case 'date':
      out.i32(6, CONVERTED.DATE);
      out.beginStruct(10);
      writeEmptyUnion(out, LOGICAL.DATE);
      out.endStruct();
      return;
    case 'timestamp':
      out.i32(6, type.unit === 'ms' ? CONVERTED.TIMESTAMP_MILLIS : CONVERTED.TIMESTAMP_MICROS);
      out.beginStruct(10);
      out.beginStruct(LOGICAL.TIMESTAMP);
      out.bool(1, true); // isAdjustedToUTC
      out.beginStruct(2);
      writeEmptyUnion(out, type.unit === 'ms' ? 1 : 2);
      out.endStruct();
      out.endStruct();
      out.endStruct();
      return;
    case 'decimal':
      out.i32(6, CONVERTED.DECIMAL);
      out.i32(7, type.scale);
      out.i32(8, type.precision);
      out.beginStruct(10);
      out.beginStruct(LOGICAL.DECIMAL);
      out.i32(1, type.scale);
      out.i32(2, type.precision);
      out.endStruct();
      out.endStruct();
      return;
    default:
      return;
  }
}

/** The member `id` of a union, where it is a struct without fields. */
function writeEmptyUnion(out: CompactWriter, id: number): void {
  out.beginStruct(id);
  out.endStruct();
}
