/** The oracle's own RFC 4180 reader: simple, strict, and without a line in common with the product's decoder. */

export interface CsvShape {
  readonly delimiter?: string;
  /** Names of the columns where the file has no header. */
  readonly columns?: readonly string[];
  /** Unquoted text that means null, besides none at all. */
  readonly nullText?: string;
}

type Cell = string | null;

/** @throws Error for a quote that does not end, text behind a closing quote, or a record of another width */
export function csvRecords(text: string, shape: CsvShape = {}): Record<string, Cell>[] {
  const lines = cells(text, shape);
  const names = shape.columns ?? lines.shift()?.map((cell) => cell ?? '') ?? [];
  return lines.map((line, at) => {
    if (line.length !== names.length) {
      throw new Error(`record ${at + 1} has ${line.length} values, the header has ${names.length}`);
    }
    return Object.fromEntries(names.map((name, column) => [name, line[column] ?? null]));
  });
}

function cells(text: string, { delimiter = ',', nullText = '' }: CsvShape): Cell[][] {
  const records: Cell[][] = [];
  let record: Cell[] = [];
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  while (at < text.length) {
    if (text[at] === '"') {
      const end = closingQuote(text, at);
      record.push(text.slice(at + 1, end).replaceAll('""', '"'));
      at = end + 1;
    } else {
      let end = at;
      while (end < text.length && text[end] !== delimiter && text[end] !== '\n' && text[end] !== '\r') end++;
      const value = text.slice(at, end);
      record.push(value === '' || value === nullText ? null : value);
      at = end;
    }
    if (text[at] === delimiter) {
      at++;
      // A delimiter at the very end of the text has one more value behind it, without a character of its own.
      if (at < text.length && text[at] !== '\n' && text[at] !== '\r') continue;
      record.push(null);
    }
    if (at < text.length && text[at] !== '\n' && text[at] !== '\r') {
      throw new Error(`text behind a closing quote at character ${at}`);
    }
    if (text[at] === '\r' && text[at + 1] === '\n') at++;
    at++;
    if (record.length > 1 || record[0] !== null) records.push(record);
    record = [];
  }
  return records;
}

function closingQuote(text: string, open: number): number {
  for (let at = open + 1; ; at += 2) {
    at = text.indexOf('"', at);
    if (at === -1) throw new Error(`the quote at character ${open} does not end`);
    if (text[at + 1] !== '"') return at;
  }
}
