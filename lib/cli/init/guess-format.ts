/** Which format a file has, guessed from its first bytes. */
import type { StreamFormatSpec } from '../../../formats/input-format.ts';

/** What of a file's format can be told; what is left out keeps the job file's default. */
export type FormatGuess =
  | { readonly type: 'ndjson' }
  | {
      readonly type: 'csv';
      readonly delimiter: string;
      readonly header: boolean;
      readonly columns: readonly string[] | null;
    }
  | { readonly type: 'text' };

const DELIMITERS = [',', '\t', ';', '|'] as const;
/** Lines that are looked at. */
const MAX_LINES = 20;
/** Longer lines are cut: they are looked at character by character. */
const MAX_LINE_LENGTH = 10_000;

/**
 * @param head the first bytes, decompressed; its last line may be cut
 * @returns a guess, or why sluice cannot read the file
 */
export function guessFormat(head: Uint8Array): FormatGuess | { readonly unreadable: string } {
  if (startsWith(head, 'PAR1'))
    return {
      unreadable:
        'it is a Parquet file: init looks into text only. Write a job with source.format.type: parquet',
    };
  if (startsWith(head, 'Obj\u0001'))
    return {
      unreadable: 'it is an Avro file: init looks into text only. Write a job with source.format.type: avro',
    };
  if (startsWith(head, 'ARROW1'))
    return {
      unreadable:
        'it is an Arrow file: init looks into text only. Write a job with source.format.type: arrow',
    };
  if (head.includes(0)) return { unreadable: 'it is not text' };
  const lines = firstLines(head);
  const [first] = lines;
  if (first === undefined) return { unreadable: 'it is empty' };
  if (lines.every(isJsonObject)) return { type: 'ndjson' };
  if (/^\s*\[/.test(first) && /[{[]|^\s*\[\s*$/.test(first)) {
    return {
      unreadable:
        'it looks like one JSON array: init looks into lines only. Write a job with source.format.type: json',
    };
  }
  if (/^\s*\{/.test(first)) {
    return { unreadable: 'it looks like JSON over several lines; sluice reads one JSON object a line' };
  }
  return guessCsv(lines) ?? { type: 'text' };
}

function guessCsv(lines: readonly string[]): FormatGuess | null {
  for (const delimiter of DELIMITERS) {
    const rows = lines.map((line) => splitCsv(line, delimiter));
    const width = rows[0]?.length ?? 0;
    // One line proves nothing: any sentence with a comma would be CSV.
    if (width < 2 || rows.length < 2 || rows.some((row) => row.length !== width)) continue;
    const names = rows[0] ?? [];
    const header = new Set(names).size === width && names.every((name) => /^[^\d\s-][^\n]*$/.test(name));
    return {
      type: 'csv',
      delimiter,
      header,
      columns: header ? null : names.map((_, i) => `column_${i + 1}`),
    };
  }
  return null;
}

/** The values of a line; good enough to count them and read names. */
function splitCsv(line: string, delimiter: string): string[] {
  const values: string[] = [];
  let value = '';
  let quoted = false;
  for (const character of line) {
    if (character === '"') quoted = !quoted;
    else if (character === delimiter && !quoted) {
      values.push(value);
      value = '';
    } else value += character;
  }
  values.push(value);
  return values;
}

function firstLines(head: Uint8Array): string[] {
  const text = new TextDecoder().decode(head);
  const lines = text.split(/\r?\n/);
  // The last one may be cut, unless there is nothing but it.
  if (lines.length > 1) lines.pop();
  return lines
    .filter((line) => line.trim() !== '')
    .slice(0, MAX_LINES)
    .map((line) => line.slice(0, MAX_LINE_LENGTH));
}

function isJsonObject(line: string): boolean {
  if (line.length === MAX_LINE_LENGTH) return /^\s*\{\s*"/.test(line);
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return [...text].every((character, i) => bytes[i] === character.charCodeAt(0));
}

/** The format as the decoders take it. */
export function formatSpec(guess: FormatGuess): StreamFormatSpec {
  switch (guess.type) {
    case 'ndjson':
      return { type: 'ndjson', compression: 'auto' };
    case 'text':
      return { type: 'text', column: 'line', compression: 'auto' };
    case 'csv':
      return {
        type: 'csv',
        compression: 'auto',
        delimiter: guess.delimiter,
        quote: '"',
        header: guess.header,
        columns: guess.columns,
        nullText: null,
        quotedNewlines: true,
      };
  }
}
