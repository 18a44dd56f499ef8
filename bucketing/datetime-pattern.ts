/** What a date-fns pattern depends on, so that an assigner formats once an hour (or day, or second), not once a row. */
import { HIVE_DEFAULT_PARTITION } from '../lib/core/partition-commit.ts';

/** The folder, where no `key=` says what is missing. Not Hive's name: readers skip bare names that start with `_`. */
export const NO_EVENT_TIME = 'no-event-time';

const DAY_MS = 86_400_000;

/** Quoted text, two quotes in a row, or any other character: as date-fns cuts a pattern. */
const TOKENS = /''|'(?:''|[^'])+(?:'|$)|./gs;

/** Letters that need more than the day, with the milliseconds that their text stays the same, at least. */
const UNIT_OF_LETTER: Readonly<Record<string, number>> = {
  ...{ a: 3_600_000, b: 3_600_000, B: 3_600_000, h: 3_600_000, H: 3_600_000, K: 3_600_000, k: 3_600_000 },
  ...{ m: 60_000, s: 1000, t: 1000, p: 1000, S: 1, T: 1 },
};

export interface DatetimePattern {
  readonly pattern: string;
  /** The text is the same for all local times within one of these, counted from local midnight. */
  readonly unitMs: number;
  /** Whether the text also tells the zone's offset or the instant itself (x, X, O, z, t, T). */
  readonly zoned: boolean;
  /** The bucket of rows without event time: as many levels, each `key=` kept. */
  readonly missing: string;
}

export function parseDatetimePattern(pattern: string): DatetimePattern {
  let unitMs = DAY_MS;
  let zoned = false;
  const levels = [new Level()];
  for (const token of pattern.match(TOKENS) ?? []) {
    const quoted = token.startsWith("'");
    const text = quoted ? unquoted(token) : token;
    if (quoted || !/[A-Za-z]/.test(token)) {
      for (const character of text) {
        if (character === '/') levels.push(new Level());
        else levels.at(-1)!.addText(character);
      }
      continue;
    }
    levels.at(-1)!.addField();
    unitMs = Math.min(unitMs, UNIT_OF_LETTER[token] ?? DAY_MS);
    if (/[xXOztT]/.test(token)) zoned = true;
  }
  return { pattern, unitMs, zoned, missing: levels.map((level) => level.missing).join('/') };
}

/** What a quoted token of a pattern says. */
export function unquoted(token: string): string {
  if (token === "''") return "'";
  return token.replace(/^'/, '').replace(/'$/, '').replaceAll("''", "'");
}

/** One folder of a pattern: `'dt='yyyy-MM-dd`. */
class Level {
  #text = '';
  #hasField = false;

  addText(character: string): void {
    if (!this.#hasField) this.#text += character;
  }

  addField(): void {
    this.#hasField = true;
  }

  get missing(): string {
    if (!this.#hasField) return this.#text;
    return this.#text.endsWith('=') ? this.#text + HIVE_DEFAULT_PARTITION : NO_EVENT_TIME;
  }
}
