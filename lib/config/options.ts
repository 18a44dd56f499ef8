/**
 * Kinds of options. Each says what it takes when it is given something else, and how its values are called in the
 * manual (`title`); an option itself adds its default (`prefault`, as a user would write it) and its meaning
 * (`describe`). Numbers and booleans are taken as text too: that is how an environment variable brings them.
 *
 * Each start makes them all, so what is equal is made once (`shared`), and a title is given to the schema at hand
 * (`register`) where `meta` would make another one for it.
 */
import * as z from 'zod';
import { isS3Location, s3LocationProblem } from '../core/location.ts';
import {
  DURATION_FORM,
  DURATION_PATTERN,
  formatDuration,
  formatSize,
  parseDuration,
  parseSize,
  SIZE_FORM,
  SIZE_PATTERN,
} from './units.ts';

/** The longest wait that a timer takes (2^31 - 1 ms) is 24.8 days; a longer one would fire at once. */
const LONGEST_TIMER_MS = 24 * 86_400_000;
const SIZE = `expected ${SIZE_FORM}`;
const DURATION = `expected ${DURATION_FORM}`;

/** The same schema for the same arguments. What a caller adds to it (`describe`, `prefault`) makes one of his own. */
function shared<Arguments extends readonly (string | number | undefined)[], Schema>(
  make: (...given: Arguments) => Schema,
): (...given: Arguments) => Schema {
  const made = new Map<string, Schema>();
  return (...given) => {
    const key = JSON.stringify(given);
    const schema = made.get(key) ?? make(...given);
    made.set(key, schema);
    return schema;
  };
}

export const text = shared((takes = 'text') =>
  z
    .string({ error: `expected ${takes}` })
    .min(1, { error: 'is empty text' })
    .register(z.globalRegistry, { title: 'text' }),
);

/** Text that may be empty. */
export function anyText() {
  return z
    .string({ error: 'expected text (quoted, where it looks like something else)' })
    .register(z.globalRegistry, { title: 'text' });
}

/** Text of one form. */
export function matching(pattern: RegExp, takes: string) {
  const error = `expected ${takes}`;
  return z.string({ error }).regex(pattern, { error }).register(z.globalRegistry, { title: 'text' });
}

/** A folder or file on this machine or in an object store. */
export const location = shared((takes = 'a path') =>
  text(takes)
    .superRefine((value, context) => {
      const problem = isS3Location(value) ? s3LocationProblem(value) : pathProblem(value);
      if (problem !== null) context.addIssue({ code: 'custom', message: problem });
    })
    .register(z.globalRegistry, { title: 'path or s3://bucket/prefix' }),
);

/** A file, folder or module on this machine. */
export const path = shared((takes = 'a path') =>
  text(takes)
    .superRefine((value, context) => {
      const problem = pathProblem(value);
      if (problem !== null) context.addIssue({ code: 'custom', message: problem });
    })
    .register(z.globalRegistry, { title: 'path' }),
);

function pathProblem(value: string): string | null {
  if (value.includes('\0')) return 'a path cannot hold a NUL character';
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(value)?.[1];
  if (scheme === 's3') return 's3:// cannot be used here: expected a path on this machine';
  if (scheme !== undefined)
    return `${scheme}:// is not in this version: expected a path on this machine, or s3://bucket/prefix`;
  if (/^~(?:\/|$)/.test(value)) return `'~' is not expanded: write \${HOME}${value.slice(1)}`;
  return null;
}

/** Options of a module of the user's. */
export const moduleOptions = z.unknown().optional().register(z.globalRegistry, { title: 'anything' });

/** One of some words. `later`: words that the documentation of other versions may have promised. */
export function choice<const Values extends readonly [string, ...string[]]>(
  values: Values,
  later: readonly string[] = [],
) {
  return z
    .enum(values, { error: ({ input }) => expectedOneOf(values, later, input) })
    .register(z.globalRegistry, { title: 'choice' });
}

function expectedOneOf(values: readonly string[], later: readonly string[], given: unknown): string {
  const expected = `expected ${listOr(values)}`;
  if (typeof given !== 'string') {
    return later.length === 0 ? expected : `${expected} (not in this version: ${later.join(', ')})`;
  }
  if (later.includes(given)) return `'${given}' is not in this version: ${expected}`;
  return `${expected}, not '${given.slice(0, 50)}'`;
}

function listOr(values: readonly string[]): string {
  return values.length === 1 ? `${values[0]}` : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}

export const flag = shared(() =>
  z
    .union([z.boolean(), z.enum(['true', 'false'])], { error: 'expected true or false' })
    .transform((value) => value === true || value === 'true')
    .register(z.globalRegistry, { title: 'boolean' }),
);

export const integer = shared((min: number, max: number) => {
  const error = `expected a whole number from ${min} to ${max}`;
  return z
    .union(
      [z.int({ error }).min(min, { error }).max(max, { error }), z.string().regex(/^\d{1,15}$/, { error })],
      {
        error,
      },
    )
    .transform(bounded(Number, { min, max, form: error, format: String }))
    .register(z.globalRegistry, { title: 'integer' });
});

/** From 0 to 1. */
export function ratio() {
  const error = 'expected a number from 0 to 1';
  return z
    .union(
      [z.number().min(0, { error }).max(1, { error }), z.string().regex(/^(?:0?\.\d{1,9}|[01])$/, { error })],
      {
        error,
      },
    )
    .transform(Number)
    .register(z.globalRegistry, { title: 'ratio' });
}

const anySize = z.union(
  [z.int({ error: SIZE }).nonnegative({ error: SIZE }), z.string().regex(SIZE_PATTERN, { error: SIZE })],
  { error: SIZE },
);

/** Bytes. */
export const size = shared((min: number, max: number = Number.MAX_SAFE_INTEGER) =>
  anySize
    .transform(bounded(parseSize, { min, max, form: SIZE, format: formatSize }))
    .register(z.globalRegistry, { title: 'size' }),
);

const anyDuration = z.union([z.literal(0), z.string().regex(DURATION_PATTERN, { error: DURATION })], {
  error: DURATION,
});

/** Milliseconds. */
export const duration = shared((min: number, max: number = LONGEST_TIMER_MS) =>
  anyDuration
    .transform(bounded(parseDuration, { min, max, form: DURATION, format: formatDuration }))
    .register(z.globalRegistry, { title: 'duration' }),
);

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly form: string;
  readonly format: (value: number) => string;
}

function bounded(parse: (text: string) => number | null, { min, max, form, format }: Bounds) {
  return (given: string | number, context: z.RefinementCtx<string | number>): number => {
    const value = parse(String(given));
    if (value !== null && value >= min && value <= max) return value;
    const bound = value !== null && value < min ? `at least ${format(min)}` : `at most ${format(max)}`;
    context.addIssue({ code: 'custom', message: value === null ? form : `expected ${bound}` });
    return z.NEVER;
  };
}

/** Keys and values; nothing but the keys that are named. */
export function section<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: ({ code }) => (code === 'invalid_type' ? 'expected keys and values' : undefined),
  });
}

/** Sections told apart by their `type`. */
export function byType<const Options extends readonly [z.ZodObject, ...z.ZodObject[]]>(
  options: Options,
  types: readonly string[],
  later: readonly string[] = [],
) {
  return z.discriminatedUnion('type', options, {
    error: ({ input }) => {
      if (typeof input !== 'object' || input === null) return 'expected keys and values';
      return expectedOneOf(types, later, 'type' in input ? input.type : undefined);
    },
  });
}
