/** Raw to validated: a job file's values held against the definition. */
import type * as z from 'zod';
import { get, knownKeys } from './known-keys.ts';
import { nearest } from './nearest.ts';
import type { KeyPath, Problem } from './problems.ts';

export type Validation<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function validate<Definition extends z.ZodType>(
  definition: Definition,
  raw: unknown,
): Validation<z.output<Definition>> {
  const result = definition.safeParse(raw);
  if (result.success) return { ok: true, value: result.data };
  const problems: Problem[] = [];
  for (const issue of result.error.issues) collect(definition, raw, issue, [], problems);
  return { ok: false, problems };
}

function collect(
  definition: z.ZodType,
  raw: unknown,
  issue: z.core.$ZodIssue,
  above: KeyPath,
  problems: Problem[],
): void {
  const path = [...above, ...issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key))];
  const given = path.reduce(get, raw);
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(definition, path, raw);
    for (const key of issue.keys) {
      problems.push({ path: [...path, key], at: 'key', message: unknownKey(key, known) });
    }
    return;
  }
  if (issue.code === 'invalid_union') {
    // Where exactly one alternative got past its outermost type, that one was meant: say what is wrong inside of it.
    const inside = issue.errors.filter((issues) => issues.every((each) => each.path.length > 0));
    if (inside.length === 1 && inside[0] !== undefined && inside[0].length > 0) {
      for (const each of inside[0]) collect(definition, raw, each, path, problems);
      return;
    }
  }
  problems.push({ path, message: `${missing(given)}${issue.message}` });
}

function missing(given: unknown): string {
  return given === undefined ? 'is missing: ' : given === null ? 'is empty: ' : '';
}

function unknownKey(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  if (meant !== null) return `unknown key, did you mean '${meant}'?`;
  return known.length === 0 ? 'unknown key' : `unknown key (known here: ${known.join(', ')})`;
}
