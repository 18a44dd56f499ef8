/**
 * Patterns whose fields are numbers with a fixed count of digits, as those of nearly all lakes are, written and read without
 * date-fns: naming a bucket and telling its time took 100 µs with it, for each of the first thousand, and takes 14 so.
 */
import { unquoted } from './datetime-pattern.ts';

/** Digits of a field, by its letters. */
const DIGITS: Readonly<Record<string, number>> = { yyyy: 4, MM: 2, dd: 2, HH: 2, mm: 2, ss: 2 };
/** Quoted text, two quotes in a row, letters of one kind, or any other character: as date-fns cuts a pattern. */
const TOKENS = /''|'(?:''|[^'])+(?:'|$)|([A-Za-z])\1*|./g;
/** Dates take the years before for those of the 20th century. */
const MIN_YEAR = 100;
const MAX_YEAR = 9999;

interface Piece {
  readonly text: string;
  /** Whether `text` stands for itself. */
  readonly isLiteral: boolean;
}

export class PlainPattern {
  readonly #pieces: readonly Piece[];

  private constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  /** null where the pattern has other fields, one of them twice, no year, or a line break, which date-fns leaves out. */
  static of(pattern: string): PlainPattern | null {
    if (/[\n\r\u2028\u2029]/.test(pattern)) return null;
    const pieces = (pattern.match(TOKENS) ?? []).map((token): Piece => {
      if (token.startsWith("'")) return { text: unquoted(token), isLiteral: true };
      return { text: token, isLiteral: !/[A-Za-z]/.test(token) };
    });
    const fields = pieces.filter(({ isLiteral }) => !isLiteral).map(({ text }) => text);
    const isPlain =
      fields.includes('yyyy') &&
      fields.every((field) => DIGITS[field] !== undefined) &&
      new Set(fields).size === fields.length;
    return isPlain ? new PlainPattern(pieces) : null;
  }

  /** The text of a UTC time, as date-fns writes it; null where its year does not have four digits. */
  format(utcMs: number): string | null {
    const date = new Date(utcMs);
    const year = date.getUTCFullYear();
    if (!(year >= MIN_YEAR && year <= MAX_YEAR)) return null;
    let text = '';
    for (const piece of this.#pieces) {
      text += piece.isLiteral
        ? piece.text
        : String(fieldOf(date, piece.text)).padStart(DIGITS[piece.text]!, '0');
    }
    return text;
  }

  /**
   * The UTC time, milliseconds since 1970, that `format` gives this text for, fields that are not in it at their least; null
   * where it gives it for none.
   */
  parse(text: string): number | null {
    const fields = { yyyy: 0, MM: 1, dd: 1, HH: 0, mm: 0, ss: 0 };
    let at = 0;
    for (const piece of this.#pieces) {
      const size = piece.isLiteral ? piece.text.length : DIGITS[piece.text]!;
      if (!piece.isLiteral) fields[piece.text as keyof typeof fields] = Number(text.slice(at, at + size));
      at += size;
    }
    const { yyyy, MM, dd, HH, mm, ss } = fields;
    const utcMs = Date.UTC(yyyy, MM - 1, dd, HH, mm, ss);
    // What is no number, no day of the calendar or beside another literal is not written in the same way.
    return this.format(utcMs) === text ? utcMs : null;
  }
}

function fieldOf(date: Date, field: string): number {
  switch (field) {
    case 'yyyy':
      return date.getUTCFullYear();
    case 'MM':
      return date.getUTCMonth() + 1;
    case 'dd':
      return date.getUTCDate();
    case 'HH':
      return date.getUTCHours();
    case 'mm':
      return date.getUTCMinutes();
    default:
      return date.getUTCSeconds();
  }
}
