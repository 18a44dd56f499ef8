/** One CSV record as text: for headers and for samples, where speed does not matter. The rules are the decoder's. */
import type { CsvSpec } from './spec.ts';

export interface CsvField {
  readonly text: string;
  readonly quoted: boolean;
  /** It began with a quote that nothing closes. */
  readonly isOpen: boolean;
  /** A carriage return outside of quotes that ends no line. */
  readonly hasReturn: boolean;
}

/** @returns the fields and where the next record begins; null where the record is not whole */
export function splitRecord(
  bytes: Buffer,
  start: number,
  last: boolean,
  spec: CsvSpec,
): { fields: CsvField[]; end: number } | null {
  const fields: CsvField[] = [];
  const delimiter = spec.delimiter.charCodeAt(0);
  const quote = spec.quote.charCodeAt(0);
  let at = start;
  for (;;) {
    const begin = at;
    const quoted = bytes[at] === quote;
    let isOpen = false;
    if (quoted) {
      for (at++; ; at++) {
        if (at >= bytes.length) {
          if (!last) return null;
          isOpen = true;
          break;
        }
        if (bytes[at] !== quote) continue;
        if (bytes[at + 1] !== quote) break;
        at++;
      }
      at++;
    }
    const behindQuotes = at;
    while (at < bytes.length && bytes[at] !== delimiter && bytes[at] !== 10) at++;
    if (at >= bytes.length && !last) return null;
    const raw = bytes.toString('utf8', begin, Math.min(at, bytes.length));
    const ended = at >= bytes.length || bytes[at] === 10;
    const firstReturn = bytes.subarray(behindQuotes, at).indexOf(13);
    fields.push({
      text: unquoted(ended ? raw.replace(/\r$/, '') : raw, quoted, spec.quote),
      quoted,
      isOpen,
      hasReturn: firstReturn !== -1 && !(ended && behindQuotes + firstReturn === at - 1),
    });
    if (ended) return { fields, end: Math.min(at + 1, bytes.length) };
    at++;
  }
}

function unquoted(raw: string, quoted: boolean, quote: string): string {
  if (!quoted) return raw;
  const inner = raw.endsWith(quote) ? raw.slice(1, -1) : raw.slice(1);
  return inner.replaceAll(quote + quote, quote);
}
