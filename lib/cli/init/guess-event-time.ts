/** Which column may hold the time of a row. */
import type { Schema } from '../../core/data-type.ts';

export interface EventTimeGuess {
  readonly field: string;
  /** null where the values say it themselves. */
  readonly unit: 's' | 'ms' | 'us' | 'ns' | null;
}

const TELLING_NAME = /^(?:ts|t|at|when)$|time|date|day|_(?:at|ts|on)$/i;
const ISO_TIME = /^\d{4}-\d{2}-\d{2}(?:$|[T ]\d{2}:\d{2})/;
/** Years 2001 to 2096 as counts since 1970. */
const UNITS = [
  ['s', 1e9, 4e9],
  ['ms', 1e12, 4e12],
  ['us', 1e15, 4e15],
  ['ns', 1e18, 4e18],
] as const;

/**
 * Candidates, the likeliest first.
 * @param rows some rows, in the order of the schema's fields
 */
export function guessEventTime(schema: Schema, rows: readonly (readonly unknown[])[]): EventTimeGuess[] {
  const ranked: { guess: EventTimeGuess; rank: number }[] = [];
  for (const [i, { name, type }] of schema.fields.entries()) {
    const values = rows.map((row) => row[i]).filter((value) => value !== null && value !== undefined);
    const telling = TELLING_NAME.test(name) ? 0 : 10;
    if (type.kind === 'timestamp' || type.kind === 'date') {
      ranked.push({ guess: { field: name, unit: null }, rank: telling + (type.kind === 'date' ? 1 : 0) });
    } else if (type.kind === 'string' && values.length > 0) {
      const times = values.every((value) => typeof value === 'string' && ISO_TIME.test(value));
      if (times) ranked.push({ guess: { field: name, unit: null }, rank: telling + 2 });
    } else if (telling === 0 && (type.kind === 'int64' || type.kind === 'float64')) {
      // Numbers of that size may count anything: without a name that says so, none is taken for a time.
      const unit = unitOf(values);
      if (unit !== null) ranked.push({ guess: { field: name, unit }, rank: 3 });
    }
  }
  return ranked.sort((a, b) => a.rank - b.rank).map(({ guess }) => guess);
}

function unitOf(values: readonly unknown[]): EventTimeGuess['unit'] {
  const numbers = values.map(Number);
  if (numbers.length === 0) return null;
  const unit = UNITS.find(([, from, to]) => numbers.every((number) => number >= from && number < to));
  return unit?.[0] ?? null;
}
