import { crc32 } from 'node:zlib';
import { formatDataType, type Schema } from './data-type.ts';

const known = new WeakMap<Schema, number>();

/**
 * 32 bits over names, types and nullability of a schema's fields: tells stored rows or footers of another schema from
 * ours. No protection against malice, nor needed: what it guards is checked for itself too.
 */
export function schemaFingerprint(schema: Schema): number {
  const cached = known.get(schema);
  if (cached !== undefined) return cached;
  const text = JSON.stringify(
    schema.fields.map((field) => [field.name, formatDataType(field.type), field.nullable]),
  );
  const fingerprint = crc32(text);
  known.set(schema, fingerprint);
  return fingerprint;
}
