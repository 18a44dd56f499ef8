import { formatDataType, type Schema } from '../core/data-type.ts';

/** A schema as the list that a job file takes. */
export function rawSchema(schema: Schema): { name: string; type: string; nullable: boolean }[] {
  return schema.fields.map(({ name, type, nullable }) => ({ name, type: formatDataType(type), nullable }));
}
