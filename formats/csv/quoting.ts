/** When a CSV field has to stand in quotes, and how (RFC 4180; the hive dialect as OpenCSVSerde reads it). */
import type { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import type { Dialect } from '../encoding/time.ts';

const QUOTE = 34;
const BACKSLASH = 92;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const BLANK = 32;
const utf8 = new TextEncoder();

export class Quoting {
  readonly delimiter: number;
  /** The text of null, never quoted. */
  readonly nullText: Uint8Array;
  readonly #hive: boolean;
  /** 1 where a byte makes quotes necessary. */
  readonly #special = new Uint8Array(256);

  /**
   * @param delimiter one ASCII character
   * @throws SluiceError JOB_INVALID where the delimiter or the text of null could not be told from data
   */
  constructor(delimiter: string, nullText: string, dialect: Dialect) {
    if (!/^[\t\x20-\x7e]$/.test(delimiter) || delimiter === '"' || delimiter === '\\') {
      throw new SluiceError('JOB_INVALID', `${JSON.stringify(delimiter)} cannot be the delimiter of CSV`, {
        hint: 'take one ASCII character that is not a double quote or a backslash, such as , ; | or a tab',
      });
    }
    if (nullText.includes(delimiter) || /["\r\n]/.test(nullText)) {
      throw new SluiceError('JOB_INVALID', `${JSON.stringify(nullText)} cannot be the CSV text of null`, {
        hint: 'null_text is written without quotes, so it may not hold the delimiter, a quote or a line end',
      });
    }
    if (dialect === 'hive' && nullText.includes('\\')) {
      throw new SluiceError(
        'JOB_INVALID',
        `${JSON.stringify(nullText)} cannot be the CSV text of null for Hive`,
        {
          hint: 'OpenCSVSerde takes a backslash outside quotes away; it reads null as text in any case',
        },
      );
    }
    this.delimiter = delimiter.charCodeAt(0);
    this.nullText = utf8.encode(nullText);
    this.#hive = dialect === 'hive';
    for (const byte of [this.delimiter, QUOTE, LINE_FEED, CARRIAGE_RETURN]) this.#special[byte] = 1;
    // In hive's eyes a backslash escapes, but reliably only inside quotes.
    if (this.#hive) this.#special[BACKSLASH] = 1;
  }

  /** Whether numbers, dates and the like may hold the delimiter, so that they too have to be looked at. */
  get delimiterInScalars(): boolean {
    return /[0-9A-Za-z+\-./:= ]/.test(String.fromCharCode(this.delimiter));
  }

  /**
   * Puts the field that `out` ends with, from `start` on, into quotes where it needs them: it holds a special character,
   * is empty, or reads like null.
   * @param scan false where the field cannot hold a special character
   */
  finish(out: ByteBuffer, start: number, scan: boolean): void {
    const { bytes, length: end } = out;
    if (end === start || this.#readsAsNull(bytes, start, end)) {
      this.#quote(out, start);
      return;
    }
    if (!scan) return;
    for (let i = start; i < end; i++) {
      if (this.#special[bytes[i]!] === 1) {
        this.#quote(out, start);
        return;
      }
    }
  }

  #readsAsNull(bytes: Uint8Array, start: number, end: number): boolean {
    const text = this.nullText;
    if (end - start !== text.length) return false;
    for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text[i]) return false;
    return true;
  }

  /** In place, from the back, as the field only gets longer. */
  #quote(out: ByteBuffer, start: number): void {
    const end = out.length;
    let size = end - start + 2;
    for (let i = start; i < end; i++) if (this.#doubled(out.bytes[i]!)) size++;
    out.reserve(size);
    const { bytes } = out;
    let next = start + size;
    out.length = next;
    bytes[--next] = QUOTE;
    for (let i = end - 1; i >= start; i--) {
      const byte = bytes[i]!;
      // Hadoop splits lines before it looks at quotes, so a line end in a value would tear the row.
      bytes[--next] = this.#hive && (byte === LINE_FEED || byte === CARRIAGE_RETURN) ? BLANK : byte;
      if (this.#doubled(byte)) bytes[--next] = byte;
    }
    bytes[--next] = QUOTE;
  }

  #doubled(byte: number): boolean {
    return byte === QUOTE || (this.#hive && byte === BACKSLASH);
  }
}
