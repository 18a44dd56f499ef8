/** A schema as Avro's JSON. */
import type { DataType, Field, Schema } from '../../lib/core/data-type.ts';
import { SluiceError } from '../../lib/core/errors.ts';

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** @throws SluiceError JOB_INVALID for names that Avro does not allow */
export function avroSchemaOf(schema: Schema): string {
  return JSON.stringify(recordOf(schema.fields, 'row', []));
}

function recordOf(fields: readonly Field[], name: string, path: readonly string[]): unknown {
  return {
    type: 'record',
    name,
    fields: fields.map((field) => {
      const at = [...path, field.name];
      if (!NAME.test(field.name)) {
        throw new SluiceError(
          'JOB_INVALID',
          `Avro allows no column '${at.join('.')}': letters, digits and _ only`,
          {
            hint: 'write another format, or rename the column where the data is made',
            details: { column: at.join('.') },
          },
        );
      }
      const type = typeOf(field.type, at);
      return field.nullable
        ? { name: field.name, type: ['null', type], default: null }
        : { name: field.name, type };
    }),
  };
}

function typeOf(type: DataType, path: readonly string[]): unknown {
  switch (type.kind) {
    case 'boolean':
    case 'string':
      return type.kind;
    case 'int32':
      return 'int';
    case 'int64':
      return 'long';
    case 'float32':
      return 'float';
    case 'float64':
      return 'double';
    case 'json':
      return 'string';
    case 'binary':
      return 'bytes';
    case 'date':
      return { type: 'int', logicalType: 'date' };
    case 'timestamp':
      return { type: 'long', logicalType: type.unit === 'ms' ? 'timestamp-millis' : 'timestamp-micros' };
    case 'decimal':
      return { type: 'bytes', logicalType: 'decimal', precision: type.precision, scale: type.scale };
    case 'list':
      return { type: 'array', items: ['null', typeOf(type.element, [...path, 'element'])] };
    case 'struct':
      // A name of its own for each: a name may be defined once only.
      return recordOf(type.fields, path.map((part) => `_${part.length}${part}`).join(''), path);
  }
}
