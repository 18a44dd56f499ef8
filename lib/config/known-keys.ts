/** Which keys a place in a job file may have: for suggestions. */
import * as z from 'zod';
import type { KeyPath } from './problems.ts';

/** The keys of the section at a path. `value` is what was given there, since a section's keys may depend on its `type`. */
export function knownKeys(definition: z.ZodType, path: KeyPath, value: unknown): readonly string[] {
  const type = unwrap(definition);
  const [key, ...rest] = path;
  if (type instanceof z.ZodDiscriminatedUnion) {
    const chosen = type.options.find(
      (option) => option instanceof z.ZodObject && hasType(option, get(value, 'type')),
    );
    return chosen instanceof z.ZodObject ? knownKeys(chosen, path, value) : [];
  }
  if (type instanceof z.ZodUnion) {
    for (const option of type.options) {
      const keys = option instanceof z.ZodType ? knownKeys(option, path, value) : [];
      if (keys.length > 0) return keys;
    }
    return [];
  }
  if (type instanceof z.ZodArray) {
    return typeof key === 'number' && type.element instanceof z.ZodType
      ? knownKeys(type.element, rest, get(value, key))
      : [];
  }
  if (!(type instanceof z.ZodObject)) return [];
  if (key === undefined) return Object.keys(type.shape);
  const next: unknown = Object.hasOwn(type.shape, key) ? type.shape[key] : undefined;
  return next instanceof z.ZodType ? knownKeys(next, rest, get(value, key)) : [];
}

/** What stands below defaults and transforms. */
function unwrap(type: z.ZodType): z.ZodType {
  let inner: unknown = type;
  while (inner instanceof z.ZodPrefault || inner instanceof z.ZodOptional || inner instanceof z.ZodPipe) {
    inner = inner instanceof z.ZodPipe ? inner.in : inner.unwrap();
  }
  return inner instanceof z.ZodType ? inner : type;
}

function hasType(section: z.ZodObject, given: unknown): boolean {
  const type: unknown = section.shape.type;
  return type instanceof z.ZodType && type.safeParse(given).success;
}

/** An own property of whatever was given. */
export function get(value: unknown, key: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return Reflect.get(value, key);
}
