/** Sizes and durations as people write them: `64MiB`, `128MB`, `1024`; `10s`, `500ms`, `5m`, `1h`, `7d`. */

const SIZE_UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['B', 1],
  ['KB', 1e3],
  ['MB', 1e6],
  ['GB', 1e9],
  ['TB', 1e12],
  ['KiB', 2 ** 10],
  ['MiB', 2 ** 20],
  ['GiB', 2 ** 30],
  ['TiB', 2 ** 40],
]);

const DURATION_UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

export const SIZE_FORM = 'a size such as 64MiB, 128MB or 1024 (bytes)';
export const DURATION_FORM = 'a duration such as 10s, 500ms, 5m, 1h or 7d';

/** A number with up to 6 decimals, and a unit. Lengths are bounded, so no text makes these slow. */
export const SIZE_PATTERN = /^\d{1,16}(?:\.\d{1,6})?(?: ?(?:[KMGT]i?B|B))?$/;
export const DURATION_PATTERN = /^\d{1,16}(?:\.\d{1,6})? ?(?:ms|s|m|h|d)$/;

/** Bytes, or null where the text is no size. Units are exact in case, because `Mb` is read as megabit by half of the world. */
export function parseSize(text: string): number | null {
  return SIZE_PATTERN.test(text) ? scaled(text, SIZE_UNITS) : null;
}

/** Milliseconds, or null where the text is no duration. A unit is required: `10` says nothing; only `0` needs none. */
export function parseDuration(text: string): number | null {
  if (text === '0') return 0;
  return DURATION_PATTERN.test(text) ? scaled(text, DURATION_UNITS) : null;
}

/** The shortest exact form: `parseSize(formatSize(n)) === n`. */
export function formatSize(bytes: number): string {
  return shortest(bytes, ['TiB', 'GiB', 'MiB', 'KiB', 'TB', 'GB', 'MB', 'KB'], SIZE_UNITS) ?? `${bytes}B`;
}

/** The shortest exact form: `parseDuration(formatDuration(n)) === n`. */
export function formatDuration(ms: number): string {
  return ms === 0 ? '0s' : (shortest(ms, ['d', 'h', 'm', 's'], DURATION_UNITS) ?? `${ms}ms`);
}

/** Rounded to whole bytes or milliseconds; null beyond 2^53. */
function scaled(text: string, units: ReadonlyMap<string, number>): number | null {
  const number = Number.parseFloat(text);
  const factor = units.get(text.replace(/^[\d.]+ ?/, ''));
  if (factor === undefined) return null;
  const value = Math.round(number * factor);
  return Number.isSafeInteger(value) ? value : null;
}

/** The shortest text of a value in units that divide it; null where none does. */
function shortest(
  value: number,
  names: readonly string[],
  units: ReadonlyMap<string, number>,
): string | null {
  if (value === 0) return null;
  let best: string | null = null;
  for (const name of names) {
    const factor = units.get(name);
    if (factor === undefined || value % factor !== 0) continue;
    const text = `${value / factor}${name}`;
    if (best === null || text.length < best.length) best = text;
  }
  return best;
}
