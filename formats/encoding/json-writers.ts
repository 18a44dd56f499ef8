/** Values as JSON text, nested ones included. */
import { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import type { Column } from '../../lib/core/column.ts';
import type { DataType, Field } from '../../lib/core/data-type.ts';
import { EscapedValues } from './escaped-values.ts';
import { pushJsonString } from './json-string.ts';
import { type Literal, literal, pushWords } from './literal.ts';
import { scalarWriter } from './scalar-writers.ts';
import type { Dialect } from './time.ts';
import { asByteStrings, asList, asStruct, type ValueWriter } from './value-writer.ts';

const OPEN_LIST = 91;
const CLOSE_LIST = 93;
const CLOSE_STRUCT = 125;
const COMMA = 44;
const BLANK = 32;
const NONE: Uint8Array = new Uint8Array(0);
const NO_WORDS: Int32Array = new Int32Array(0);
const utf8 = new TextEncoder();
export const NULL = utf8.encode('null');
const NULL_LITERAL = literal(NULL);

/**
 * The writer for a type. Recursion ends with the type, whose depth is bounded (MAX_TYPE_DEPTH).
 * JSON has no NaN and no infinities: they become null.
 */
export function jsonWriter(type: DataType, dialect: Dialect): ValueWriter {
  switch (type.kind) {
    case 'string':
      return new StringWriter();
    case 'json':
      return new RawJsonWriter();
    case 'list':
      return new ListWriter(jsonWriter(type.element, dialect));
    case 'struct':
      return new StructWriter(
        type.fields,
        type.fields.map((field) => jsonWriter(field.type, dialect)),
      );
    default:
      return scalarWriter(type, { dialect, quoted: true, notFinite: NULL });
  }
}

/** `{"a":` for the first field, `,"b":` for the others: what stands before each value of an object. */
export function jsonKeys(fields: readonly Field[]): Literal[] {
  return fields.map((field, i) => {
    const key = new ByteBuffer();
    const name = utf8.encode(field.name);
    key.pushByte(i === 0 ? 123 : COMMA);
    pushJsonString(key, name, new DataView(name.buffer, name.byteOffset), 0, name.length);
    key.pushByte(58);
    return literal(key.view());
  });
}

class StringWriter implements ValueWriter {
  readonly #escaped = new EscapedValues();
  #codes: Int32Array | null = null;
  #offsets = NO_WORDS;
  #bytes = NONE;
  #data = new DataView(NONE.buffer);

  bind(column: Column): void {
    const strings = asByteStrings(column);
    const values = strings.layout === 'bytes' ? strings : strings.dictionary;
    this.#codes = strings.layout === 'bytes' ? null : strings.codes;
    this.#offsets = values.offsets;
    if (values.bytes !== this.#bytes) {
      const { buffer, byteOffset, byteLength } = values.bytes;
      this.#bytes = values.bytes;
      this.#data = new DataView(buffer, byteOffset, byteLength);
    }
    if (strings.layout === 'dictionary') this.#escaped.follow(strings.dictionary, this.#data);
  }

  write(row: number, out: ByteBuffer): void {
    const at = this.#codes === null ? row : this.#codes[row]!;
    if (this.#codes === null || !this.#escaped.push(at, out)) {
      pushJsonString(out, this.#bytes, this.#data, this.#offsets[at]!, this.#offsets[at + 1]!);
    }
  }
}

/**
 * JSON text as it is. It is valid JSON by contract of the json type; line ends can then stand between tokens only, and
 * become blanks, because a record is one line. No text at all is null.
 */
class RawJsonWriter implements ValueWriter {
  #codes: Int32Array | null = null;
  #offsets = NO_WORDS;
  #bytes = NONE;

  bind(column: Column): void {
    const strings = asByteStrings(column);
    const values = strings.layout === 'bytes' ? strings : strings.dictionary;
    this.#codes = strings.layout === 'bytes' ? null : strings.codes;
    this.#offsets = values.offsets;
    this.#bytes = values.bytes;
  }

  write(row: number, out: ByteBuffer): void {
    const at = this.#codes === null ? row : this.#codes[row]!;
    const from = this.#bytes;
    const start = this.#offsets[at]!;
    const end = this.#offsets[at + 1]!;
    if (start === end) {
      out.push(NULL);
      return;
    }
    out.reserve(end - start);
    const { bytes } = out;
    let next = out.length;
    for (let i = start; i < end; i++) {
      const byte = from[i]!;
      bytes[next++] = byte === 10 || byte === 13 ? BLANK : byte;
    }
    out.length = next;
  }
}

class ListWriter implements ValueWriter {
  readonly #element: ValueWriter;
  #offsets = NO_WORDS;
  #validity: Uint8Array | null = null;

  constructor(element: ValueWriter) {
    this.#element = element;
  }

  bind(column: Column): void {
    const list = asList(column);
    this.#offsets = list.offsets;
    this.#validity = list.child.validity;
    this.#element.bind(list.child);
  }

  write(row: number, out: ByteBuffer): void {
    const start = this.#offsets[row]!;
    const end = this.#offsets[row + 1]!;
    out.pushByte(OPEN_LIST);
    for (let i = start; i < end; i++) {
      if (i > start) out.pushByte(COMMA);
      if (isNull(this.#validity, i)) out.push(NULL);
      else this.#element.write(i, out);
    }
    out.pushByte(CLOSE_LIST);
  }
}

const EMPTY_OBJECT = utf8.encode('{}');

class StructWriter implements ValueWriter {
  readonly #keys: readonly Literal[];
  readonly #writers: readonly ValueWriter[];
  readonly #validities: (Uint8Array | null)[];

  constructor(fields: readonly Field[], writers: readonly ValueWriter[]) {
    this.#keys = jsonKeys(fields);
    this.#writers = writers;
    this.#validities = fields.map(() => null);
  }

  bind(column: Column): void {
    const { children } = asStruct(column);
    for (let i = 0; i < this.#writers.length; i++) {
      const child = children[i]!;
      this.#validities[i] = child.validity;
      this.#writers[i]!.bind(child);
    }
  }

  write(row: number, out: ByteBuffer): void {
    const count = this.#writers.length;
    if (count === 0) {
      out.push(EMPTY_OBJECT);
      return;
    }
    for (let i = 0; i < count; i++) {
      const key = this.#keys[i]!;
      pushWords(out, key.words, 0, key.size);
      if (isNull(this.#validities[i]!, row)) pushWords(out, NULL_LITERAL.words, 0, 4);
      else this.#writers[i]!.write(row, out);
    }
    out.pushByte(CLOSE_STRUCT);
  }
}

function isNull(validity: Uint8Array | null, row: number): boolean {
  return validity !== null && ((validity[row >> 3]! >> (row & 7)) & 1) === 0;
}
