/** The job file's JSON Schema (2020-12), for editors; docs/job.schema.json is made from it. */
import * as z from 'zod';
import { jobDefinition } from './job-definition.ts';

export type JsonSchema = { readonly [key: string]: unknown };

/** What an editor has to let pass: references to the environment are filled in by sluice only. */
const REFERENCE: JsonSchema = { type: 'string', pattern: '\\$\\{' };

/** What a job file may hold, before references to the environment are filled in. */
export function jsonSchema(): JsonSchema {
  const { $schema, ...schema } = z.toJSONSchema(jobDefinition, { io: 'input', target: 'draft-2020-12' });
  return {
    $schema,
    title: 'sluice job file',
    ...admitReferences(schema),
  };
}

/** The same schema, taking a reference wherever a value is more than free text. */
function admitReferences(schema: JsonSchema): JsonSchema {
  const { properties, items, anyOf, oneOf } = schema;
  if (isSchema(properties)) {
    const admitted = Object.entries(properties).map(([key, value]) => [
      key,
      // A section's `type` says which keys belong to it: from the environment, no editor could tell.
      key === 'type' || !isSchema(value) ? value : admitReferences(value),
    ]);
    return { ...schema, properties: Object.fromEntries(admitted) };
  }
  if (isSchema(items)) return { ...schema, items: admitReferences(items) };
  if (Array.isArray(oneOf))
    return { ...schema, oneOf: oneOf.map((each) => (isSchema(each) ? admitReferences(each) : each)) };
  if (Array.isArray(anyOf)) {
    const inside = anyOf.map((each) => (isSchema(each) && 'items' in each ? admitReferences(each) : each));
    return { ...schema, anyOf: anyOf.some(isFreeText) ? inside : [...inside, REFERENCE] };
  }
  if (!('enum' in schema || 'pattern' in schema || 'const' in schema)) return schema;
  const { title, description, default: fallback, ...restriction } = schema;
  return {
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
    anyOf: [restriction, REFERENCE],
  };
}

function isFreeText(schema: unknown): boolean {
  return isSchema(schema) && schema.type === 'string' && !('enum' in schema || 'pattern' in schema);
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
