/**
 * Types of columns. The text form is Hive's (`struct<a:int64,b:list<string>>`), because the people who read the
 * lake already write it in their DDL.
 */
import { SluiceError } from './errors.ts';

export type DataType =
  | {
      readonly kind:
        | 'boolean'
        | 'int32'
        | 'int64'
        | 'float32'
        | 'float64'
        | 'string'
        | 'binary'
        | 'json'
        | 'date';
    }
  /** 1 <= precision <= 38, 0 <= scale <= precision. */
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  /** An instant, stored as signed 64-bit count of `unit` since 1970-01-01T00:00:00Z. */
  | { readonly kind: 'timestamp'; readonly unit: TimeUnit }
  | { readonly kind: 'list'; readonly element: DataType }
  | { readonly kind: 'struct'; readonly fields: readonly Field[] };

export type TimeUnit = 'ms' | 'us';

export interface Field {
  readonly name: string;
  readonly type: DataType;
  readonly nullable: boolean;
}

export interface Schema {
  readonly fields: readonly Field[];
}

/** Bounds recursion in every walk over a type, and the definition levels that Parquet needs for it. */
export const MAX_TYPE_DEPTH = 32;

const SIMPLE = [
  'boolean',
  'int32',
  'int64',
  'float32',
  'float64',
  'string',
  'binary',
  'json',
  'date',
] as const;

/** Names people know from Hive, Trino and Spark for the same types. */
const ALIASES: Readonly<Record<string, string>> = {
  bool: 'boolean',
  int: 'int32',
  integer: 'int32',
  bigint: 'int64',
  long: 'int64',
  float: 'float32',
  real: 'float32',
  double: 'float64',
  varchar: 'string',
  text: 'string',
  utf8: 'string',
  bytes: 'binary',
  array: 'list',
  row: 'struct',
};

/** The text form that {@link parseDataType} reads. */
export function formatDataType(type: DataType): string {
  switch (type.kind) {
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`;
    case 'timestamp':
      return `timestamp(${type.unit})`;
    case 'list':
      return `list<${formatDataType(type.element)}>`;
    case 'struct':
      return `struct<${type.fields.map((field) => `${formatFieldName(field.name)}:${formatDataType(field.type)}`).join(',')}>`;
    default:
      return type.kind;
  }
}

function formatFieldName(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_-]*$/.test(name) ? name : `\`${name.replaceAll('`', '``')}\``;
}

/**
 * Reads `int64`, `decimal(10,2)`, `timestamp(us)`, `list<string>`, `struct<a:int64,b:string>`.
 * @throws SluiceError JOB_INVALID with the place in the text
 */
export function parseDataType(text: string): DataType {
  const parser = new TypeParser(text);
  const type = parser.type(0);
  parser.end();
  return type;
}

class TypeParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  type(depth: number): DataType {
    if (depth >= MAX_TYPE_DEPTH) this.#fail(`nested deeper than ${MAX_TYPE_DEPTH}`);
    const start = this.#at;
    const word = this.#word().toLowerCase();
    const kind = ALIASES[word] ?? word;
    for (const simple of SIMPLE) if (kind === simple) return { kind: simple };
    switch (kind) {
      case 'decimal': {
        this.#expect('(');
        const precision = this.#integer();
        const scale = this.#take(',') ? this.#integer() : 0;
        this.#expect(')');
        if (precision < 1 || precision > 38) this.#fail('decimal precision is 1 to 38');
        if (scale > precision) this.#fail('decimal scale is 0 to the precision');
        return { kind: 'decimal', precision, scale };
      }
      case 'timestamp': {
        if (!this.#take('(')) return { kind: 'timestamp', unit: 'ms' };
        const unit = this.#word();
        this.#expect(')');
        if (unit !== 'ms' && unit !== 'us') return this.#fail('timestamp unit is ms or us');
        return { kind: 'timestamp', unit };
      }
      case 'list': {
        this.#expect('<');
        const element = this.type(depth + 1);
        this.#expect('>');
        return { kind: 'list', element };
      }
      case 'struct': {
        this.#expect('<');
        const fields: Field[] = [];
        const names = new Set<string>();
        do {
          const name = this.#fieldName();
          if (names.has(name)) this.#fail(`field '${name}' stands twice`);
          names.add(name);
          this.#expect(':');
          fields.push({ name, type: this.type(depth + 1), nullable: true });
        } while (this.#take(','));
        this.#expect('>');
        return { kind: 'struct', fields };
      }
      default:
        this.#at = start;
        return this.#fail(`'${word}' is not a type`);
    }
  }

  end(): void {
    this.#space();
    if (this.#at < this.#text.length) this.#fail('text after the type');
  }

  #word(): string {
    this.#space();
    const match = /^[A-Za-z0-9_-]+/.exec(this.#text.slice(this.#at));
    if (match === null) return this.#fail('a name is missing');
    this.#at += match[0].length;
    return match[0];
  }

  #fieldName(): string {
    this.#space();
    if (this.#text[this.#at] !== '`') return this.#word();
    const match = /^`((?:[^`]|``)+)`/.exec(this.#text.slice(this.#at));
    if (match === null) return this.#fail('a closing ` is missing');
    this.#at += match[0].length;
    return (match[1] ?? '').replaceAll('``', '`');
  }

  #integer(): number {
    const word = this.#word();
    return /^\d{1,4}$/.test(word) ? Number(word) : this.#fail(`'${word}' is not a number`);
  }

  #space(): void {
    while (this.#text[this.#at] === ' ') this.#at++;
  }

  #take(character: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #expect(character: string): void {
    if (!this.#take(character)) this.#fail(`'${character}' expected`);
  }

  #fail(why: string): never {
    throw new SluiceError(
      'JOB_INVALID',
      `cannot read the type '${this.#text}' at character ${this.#at + 1}: ${why}`,
      {
        hint: 'types are boolean, int32, int64, float32, float64, decimal(p,s), string, binary, json, date, timestamp(ms|us), list<type>, struct<name:type,...>',
      },
    );
  }
}

export function sameType(a: DataType, b: DataType): boolean {
  return formatDataType(a) === formatDataType(b);
}
