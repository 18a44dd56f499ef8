/**
 * Mistakes that a date-fns pattern takes without a word, and that would name every folder wrong for as long as the lake
 * lives: letters of strftime, of Java or of SQL, and text without quotes.
 */

/** Text in quotes, or letters of one kind in a row. */
const TOKENS = /'(?:''|[^'])*'?|([A-Za-z])\1*/g;

/** What is wrong with a pattern, and what was meant; null where nothing seems to be. */
export function datetimePatternProblem(pattern: string): string | null {
  const fields = [...pattern.matchAll(TOKENS)].filter(([token]) => !token.startsWith("'"));
  const has = (letters: RegExp) => fields.some(([token]) => letters.test(token));
  // `dt=` is d and t, each a field of its own.
  const word = /(?<![A-Za-z'])([A-Za-z_]+)=/.exec(pattern.replace(/'(?:''|[^'])*'?/g, "'"))?.[1];
  if (word !== undefined) return `text stands in quotes: write '${word}=' with them`;
  if (/%[A-Za-z]/.test(pattern)) return 'is not a pattern of strftime: write yyyy-MM-dd, not %Y-%m-%d';
  if (has(/^Y/)) return 'Y is the year of a week: write yyyy';
  if (has(/^D/)) return 'D is the day of the year: write dd';
  if (has(/^[tT]/))
    return 't and T are seconds and milliseconds since 1970, a folder for each: put text in quotes';
  if (has(/^m/) && !has(/^[HhKk]/)) return 'mm are minutes, without an hour: write MM for the month';
  if (has(/^[hK]/) && !has(/^[abB]/)) return 'hh is a clock of 12 hours: write HH';
  return null;
}
