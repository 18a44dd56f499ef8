/** Writers for the types whose text is the same in JSON and CSV, but for the quotes that JSON puts around some. */
import type { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import type { Column } from '../../lib/core/column.ts';
import type { DataType } from '../../lib/core/data-type.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import { pushBase64 } from './base64.ts';
import { pushDecimal } from './decimal.ts';
import { pushFloat32, pushFloat64 } from './float.ts';
import { MAX_INT64_DIGITS, writeInt32, writeInt64 } from './integer.ts';
import { literal, pushWords } from './literal.ts';
import { type Dialect, MAX_TIMESTAMP_CHARACTERS, writeDate, writeTimestamp } from './time.ts';
import { asBits, asByteStrings, asFixed, type ValueWriter } from './value-writer.ts';

const QUOTE = 34;
const NONE: Uint8Array = new Uint8Array(0);
const NO_WORDS: Int32Array = new Int32Array(0);

export interface ScalarStyle {
  readonly dialect: Dialect;
  /** Whether what is no number or boolean stands in double quotes (JSON). */
  readonly quoted: boolean;
  /** What NaN and the infinities are written as; null: by their names. */
  readonly notFinite: Uint8Array | null;
}

/** @param type neither a string or json, which have rules of their own in each format, nor nested */
export function scalarWriter(type: DataType, style: ScalarStyle): ValueWriter {
  switch (type.kind) {
    case 'boolean':
      return new BooleanWriter();
    case 'int32':
      return new Int32Writer();
    case 'int64':
      return new Int64Writer();
    case 'float32':
    case 'float64':
      return new FloatWriter(type.kind === 'float64', style.notFinite);
    case 'decimal':
      return new DecimalWriter(type.scale);
    case 'date':
      return new DateWriter(style.quoted);
    case 'timestamp':
      return new TimestampWriter(type.unit === 'ms' ? 3 : 6, style);
    case 'binary':
      return new BinaryWriter(style.quoted);
    default:
      throw new SluiceError('INTERNAL', `${type.kind} is not a scalar`);
  }
}

const TRUE = literal(new TextEncoder().encode('true'));
const FALSE = literal(new TextEncoder().encode('false'));

class BooleanWriter implements ValueWriter {
  #bits = NONE;

  bind(column: Column): void {
    this.#bits = asBits(column).values;
  }

  write(row: number, out: ByteBuffer): void {
    const word = ((this.#bits[row >> 3]! >> (row & 7)) & 1) === 1 ? TRUE : FALSE;
    pushWords(out, word.words, 0, word.size);
  }
}

class Int32Writer implements ValueWriter {
  #values = NO_WORDS;

  bind(column: Column): void {
    this.#values = asFixed(column).values;
  }

  write(row: number, out: ByteBuffer): void {
    out.reserve(MAX_INT64_DIGITS);
    out.length = writeInt32(out.data, out.length, this.#values[row]!);
  }
}

class Int64Writer implements ValueWriter {
  #values = NO_WORDS;

  bind(column: Column): void {
    this.#values = asFixed(column).values;
  }

  write(row: number, out: ByteBuffer): void {
    out.reserve(MAX_INT64_DIGITS);
    out.length = writeInt64(out.data, out.length, this.#values[row * 2 + 1]!, this.#values[row * 2]!);
  }
}

class FloatWriter implements ValueWriter {
  readonly #double: boolean;
  readonly #notFinite: Uint8Array | null;
  #values: Float64Array | Float32Array = new Float64Array(0);

  constructor(double: boolean, notFinite: Uint8Array | null) {
    this.#double = double;
    this.#notFinite = notFinite;
  }

  bind(column: Column): void {
    const fixed = asFixed(column);
    this.#values = this.#double ? fixed.float64 : fixed.float32;
  }

  write(row: number, out: ByteBuffer): void {
    const value = this.#values[row]!;
    if (!Number.isFinite(value)) {
      if (this.#notFinite === null) out.pushText(String(value));
      else out.push(this.#notFinite);
    } else if (this.#double) pushFloat64(out, value);
    else pushFloat32(out, value);
  }
}

class DecimalWriter implements ValueWriter {
  readonly #scale: number;
  #values = NO_WORDS;

  constructor(scale: number) {
    this.#scale = scale;
  }

  bind(column: Column): void {
    this.#values = asFixed(column).values;
  }

  write(row: number, out: ByteBuffer): void {
    pushDecimal(out, this.#values, row * 4, this.#scale);
  }
}

class DateWriter implements ValueWriter {
  readonly #quoted: boolean;
  #values = NO_WORDS;

  constructor(quoted: boolean) {
    this.#quoted = quoted;
  }

  bind(column: Column): void {
    this.#values = asFixed(column).values;
  }

  write(row: number, out: ByteBuffer): void {
    out.reserve(MAX_TIMESTAMP_CHARACTERS);
    if (this.#quoted) out.bytes[out.length++] = QUOTE;
    out.length = writeDate(out.data, out.length, this.#values[row]!);
    if (this.#quoted) out.bytes[out.length++] = QUOTE;
  }
}

class TimestampWriter implements ValueWriter {
  readonly #digits: 3 | 6;
  readonly #style: ScalarStyle;
  #values = NO_WORDS;

  constructor(digits: 3 | 6, style: ScalarStyle) {
    this.#digits = digits;
    this.#style = style;
  }

  bind(column: Column): void {
    this.#values = asFixed(column).values;
  }

  write(row: number, out: ByteBuffer): void {
    const { quoted, dialect } = this.#style;
    const high = this.#values[row * 2 + 1]!;
    const low = this.#values[row * 2]!;
    out.reserve(MAX_TIMESTAMP_CHARACTERS);
    if (quoted) out.bytes[out.length++] = QUOTE;
    out.length = writeTimestamp(out.data, out.length, high, low, this.#digits, dialect);
    if (quoted) out.bytes[out.length++] = QUOTE;
  }
}

class BinaryWriter implements ValueWriter {
  readonly #quoted: boolean;
  #codes: Int32Array | null = null;
  #offsets = NO_WORDS;
  #bytes = NONE;

  constructor(quoted: boolean) {
    this.#quoted = quoted;
  }

  bind(column: Column): void {
    const strings = asByteStrings(column);
    const values = strings.layout === 'bytes' ? strings : strings.dictionary;
    this.#codes = strings.layout === 'bytes' ? null : strings.codes;
    this.#offsets = values.offsets;
    this.#bytes = values.bytes;
  }

  write(row: number, out: ByteBuffer): void {
    const at = this.#codes === null ? row : this.#codes[row]!;
    if (this.#quoted) out.pushByte(QUOTE);
    pushBase64(out, this.#bytes, this.#offsets[at]!, this.#offsets[at + 1]!);
    if (this.#quoted) out.pushByte(QUOTE);
  }
}
