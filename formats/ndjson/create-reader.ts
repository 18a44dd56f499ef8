import { BitsColumn, FixedColumn, ListColumn, StructColumn } from '../../lib/core/column.ts';
import { type DataType, type Field, MAX_TYPE_DEPTH } from '../../lib/core/data-type.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import { decimalParser } from '../scalars/decimal.ts';
import { timestampParser } from '../scalars/timestamp.ts';
import { BooleanReader } from './boolean-reader.ts';
import { BinaryReader, JsonReader } from './bytes-readers.ts';
import type { ObjectDrift } from './drift.ts';
import { type ItemLimit, ListReader } from './list-reader.ts';
import { DecimalReader, Float32Reader, Float64Reader, Int32Reader, Int64Reader } from './number-readers.ts';
import { ObjectReader } from './object-reader.ts';
import { StringReader } from './string-reader.ts';
import { StructReader } from './struct-reader.ts';
import { DateReader, TimestampReader } from './time-readers.ts';
import type { ValueReader } from './value-reader.ts';

/** What all readers of a decoder share. */
export interface ReaderSetup {
  /** Slots that a column begins with. */
  readonly capacity: number;
  /** Whether functions may be made for the shapes of objects. */
  readonly generate: boolean;
  /** Whether columns of strings start as codes into a dictionary. */
  readonly dictionaries: boolean;
  readonly limit: ItemLimit;
  /** null where nobody wants to know what the schema does not hold. */
  readonly drift?: ObjectDrift | null;
}

/** @throws SluiceError JOB_INVALID as ObjectReader does, or where types are nested too deep */
export function createObjectReader(fields: readonly Field[], setup: ReaderSetup, depth = 0): ObjectReader {
  const named = fields.map(({ name, type, nullable }) => ({
    name,
    nullable,
    reader: createReader(type, setup, depth + 1),
  }));
  return new ObjectReader(named, setup.generate, setup.drift ?? null, depth === 0);
}

function createReader(type: DataType, setup: ReaderSetup, depth: number): ValueReader {
  if (depth > MAX_TYPE_DEPTH) throw new SluiceError('JOB_INVALID', 'a type of the schema is nested too deep');
  const { capacity } = setup;
  switch (type.kind) {
    case 'boolean':
      return new BooleanReader(new BitsColumn(type, capacity));
    case 'int32':
      return new Int32Reader(new FixedColumn(type, 1, capacity));
    case 'int64':
      return new Int64Reader(new FixedColumn(type, 2, capacity));
    case 'float32':
      return new Float32Reader(new FixedColumn(type, 1, capacity));
    case 'float64':
      return new Float64Reader(new FixedColumn(type, 2, capacity));
    case 'decimal':
      return new DecimalReader(new FixedColumn(type, 4, capacity), decimalParser(type.precision, type.scale));
    case 'date':
      return new DateReader(new FixedColumn(type, 1, capacity));
    case 'timestamp':
      return new TimestampReader(new FixedColumn(type, 2, capacity), timestampParser(type.unit));
    case 'string':
      return new StringReader(type, capacity, setup.dictionaries, setup.drift?.policy.mismatch === 'widen');
    case 'binary':
      return new BinaryReader(type, capacity);
    case 'json':
      return new JsonReader(type, capacity);
    case 'list': {
      const element = createReader(type.element, setup, depth + 1);
      return new ListReader(new ListColumn(type, capacity, element.column), element, setup.limit);
    }
    case 'struct': {
      const object = createObjectReader(type.fields, setup, depth);
      const children = object.fields.map(({ reader }) => reader.column);
      return new StructReader(new StructColumn(type, type.fields, capacity, children), object);
    }
  }
}
