/** Schemas from NDJSON samples. */
import type { Schema } from '../../lib/core/data-type.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import { type ColumnEvidence, numberKind, Shape, textKind } from './shape.ts';

/** Records looked at: enough to see rare keys, few enough to start at once. */
const MAX_RECORDS = 20_000;
/** Of a value that is shown. */
const MAX_SAMPLE_CHARACTERS = 40;
/** Digits of a number that are looked at. */
const MAX_NUMBER = 400;
/** A record nested deeper teaches nothing; the decoder will refuse it. */
const MAX_DEPTH = 200;

/**
 * @param samples first bytes of files; the last line of each may be cut and counts only where it is whole
 * @throws SluiceError SCHEMA_UNKNOWN where there is no object to learn from
 */
export function inferSchemaFromJson(samples: readonly Uint8Array[]): Schema {
  return inferFromJson(samples).schema;
}

/** As {@link inferSchemaFromJson}, with what each column was inferred from. */
export function inferFromJson(samples: readonly Uint8Array[]): {
  readonly schema: Schema;
  readonly evidence: readonly ColumnEvidence[];
} {
  const root = new Shape();
  let records = 0;
  for (const sample of samples) {
    for (const line of lines(sample)) {
      if (records >= MAX_RECORDS) break;
      if (seeRecord(line, root)) records++;
    }
  }
  const fields = root.fields();
  if (fields.length > 0) return { schema: { fields }, evidence: root.columns(records) };
  throw new SluiceError(
    'SCHEMA_UNKNOWN',
    'no schema can be inferred: the sampled files hold no JSON object with a key',
    {
      hint: 'give source.format.schema in the job file',
    },
  );
}

function* lines(sample: Uint8Array): Generator<string> {
  const text = Buffer.from(sample.buffer, sample.byteOffset, sample.byteLength)
    .toString()
    .replace(/^\uFEFF/, '');
  for (let from = 0; from < text.length; ) {
    const feed = text.indexOf('\n', from);
    const end = feed === -1 ? text.length : feed;
    yield text.slice(from, end);
    from = end + 1;
  }
}

/** Takes a record into the shape of all. What is no JSON object (a cut or bad line) is left out. */
function seeRecord(line: string, root: Shape): boolean {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return false;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return new JsonWalk(line).value(root);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const CLOSE_BRACE = 0x7d;
const CLOSE_BRACKET = 0x5d;
const SPACE = 0x20;

/**
 * Walks over a text that JSON.parse has accepted, so nothing needs checking; numbers are seen as they are spelled. It looks
 * at codes and cuts texts out without parsing them: the sample is walked at each first start.
 */
class JsonWalk {
  readonly #text: string;
  /** Whether any text in it may have a character that is escaped. */
  readonly #hasEscapes: boolean;
  #at = 0;
  #depth = 0;
  #tooDeep = false;

  constructor(text: string) {
    this.#text = text;
    this.#hasEscapes = text.includes('\\');
  }

  /**
   * @param shape null where a value is passed over
   * @returns false where the value is nested too deep: what was seen of it until then counts
   */
  value(shape: Shape | null): boolean {
    if (this.#depth >= MAX_DEPTH) this.#tooDeep = true;
    if (this.#tooDeep) return false;
    this.#depth++;
    this.#seeValue(shape);
    this.#depth--;
    return !this.#tooDeep;
  }

  #seeValue(shape: Shape | null): void {
    this.#space();
    switch (this.#text[this.#at]) {
      case '{':
        shape?.see('object');
        this.#object(shape);
        return;
      case '[':
        shape?.see('list');
        this.#list(shape);
        return;
      case '"': {
        const text = this.#string();
        shape?.see(textKind(text), text.slice(0, MAX_SAMPLE_CHARACTERS));
        return;
      }
      default: {
        const literal = this.#literal();
        if (literal === 'true' || literal === 'false') shape?.see('boolean', literal);
        else if (literal !== 'null')
          shape?.see(numberKind(literal.slice(0, MAX_NUMBER)), literal.slice(0, MAX_SAMPLE_CHARACTERS));
      }
    }
  }

  #object(shape: Shape | null): void {
    this.#at++;
    for (this.#space(); !this.#tooDeep && this.#code !== CLOSE_BRACE; this.#space()) {
      if (this.#code === COMMA) this.#at++;
      this.#space();
      const key = this.#string();
      this.#space();
      this.#at++;
      this.value(shape?.field(key) ?? null);
    }
    this.#at++;
  }

  #list(shape: Shape | null): void {
    this.#at++;
    for (this.#space(); !this.#tooDeep && this.#code !== CLOSE_BRACKET; this.#space()) {
      if (this.#code === COMMA) this.#at++;
      this.value(shape?.element() ?? null);
    }
    this.#at++;
  }

  /** A number, true, false or null. */
  #literal(): string {
    const text = this.#text;
    const start = this.#at;
    let end = start;
    for (let code = text.charCodeAt(end); isOfLiteral(code); code = text.charCodeAt(end)) end++;
    this.#at = end;
    return text.slice(start, end);
  }

  #string(): string {
    const start = this.#at++;
    if (!this.#hasEscapes) {
      const end = this.#text.indexOf('"', this.#at);
      this.#at = end + 1;
      return this.#text.slice(start + 1, end);
    }
    let isEscaped = false;
    for (let code = this.#code; code !== QUOTE; code = this.#code) {
      isEscaped ||= code === BACKSLASH;
      this.#at += code === BACKSLASH ? 2 : 1;
    }
    this.#at++;
    return isEscaped
      ? (JSON.parse(this.#text.slice(start, this.#at)) as string)
      : this.#text.slice(start + 1, this.#at - 1);
  }

  get #code(): number {
    return this.#text.charCodeAt(this.#at);
  }

  #space(): void {
    // Of the codes up to that of the space, JSON has only white space between its values.
    while (this.#code <= SPACE) this.#at++;
  }
}

/** Of codes that may follow a literal, which are white space, `,`, `}`, `]` and the end of the text (NaN). */
function isOfLiteral(code: number): boolean {
  return code > SPACE && code !== COMMA && code !== CLOSE_BRACE && code !== CLOSE_BRACKET;
}
