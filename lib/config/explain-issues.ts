/** What zod found, in the words of a job file: each problem with its place, unknown keys with what was meant. */
import type * as z from 'zod';
import { get, knownKeys } from './known-keys.ts';
import { nearest } from './nearest.ts';
import type { KeyPath, Problem } from './problems.ts';

/** @param raw what was held against the definition */
export function explainIssues(
  definition: z.ZodType,
  raw: unknown,
  issues: readonly z.core.$ZodIssue[],
): Problem[] {
  const problems: Problem[] = [];
  for (const issue of issues) collect(definition, raw, issue, [], problems);
  return problems;
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
