/**
 * Thrift's compact protocol, the part of it that Parquet's metadata needs (writing only).
 * https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */
import type { ByteBuffer } from '../../lib/core/byte-buffer.ts';

const TRUE = 1;
const FALSE = 2;
const I32 = 5;
const I64 = 6;
const BINARY = 8;
const LIST = 9;
const STRUCT = 12;

const ELEMENT_TYPES = { i32: I32, binary: BINARY, struct: STRUCT } as const;

/**
 * Writes structs field by field. Ids have to ascend within a struct: the protocol stores the difference to the one
 * before. The outermost struct is open from the start and ends with `endStruct`.
 */
export class CompactWriter {
  readonly #out: ByteBuffer;
  #lastId = 0;
  readonly #outerIds: number[] = [];

  constructor(out: ByteBuffer) {
    this.#out = out;
  }

  bool(id: number, value: boolean): void {
    this.#field(id, value ? TRUE : FALSE);
  }

  i32(id: number, value: number): void {
    this.#field(id, I32);
    pushVarint(this.#out, zigzag(value));
  }

  /** Up to 2^52 either way: sizes, counts and offsets. */
  i64(id: number, value: number): void {
    this.#field(id, I64);
    pushVarint(this.#out, zigzag(value));
  }

  binary(id: number, value: Uint8Array): void {
    this.#field(id, BINARY);
    this.#bytes(value);
  }

  text(id: number, value: string): void {
    this.binary(id, Buffer.from(value));
  }

  beginStruct(id: number): void {
    this.#field(id, STRUCT);
    this.beginElement();
  }

  /** Begins a struct that is an element of a list. */
  beginElement(): void {
    this.#outerIds.push(this.#lastId);
    this.#lastId = 0;
  }

  endStruct(): void {
    this.#out.pushByte(0);
    this.#lastId = this.#outerIds.pop() ?? 0;
  }

  /** Begins a list; exactly `size` elements have to follow. */
  beginList(id: number, element: keyof typeof ELEMENT_TYPES, size: number): void {
    this.#field(id, LIST);
    const type = ELEMENT_TYPES[element];
    if (size < 15) this.#out.pushByte((size << 4) | type);
    else {
      this.#out.pushByte(0xf0 | type);
      pushVarint(this.#out, size);
    }
  }

  i32Element(value: number): void {
    pushVarint(this.#out, zigzag(value));
  }

  textElement(value: string): void {
    this.#bytes(Buffer.from(value));
  }

  /** A struct as bytes that another CompactWriter made, its end included: stands where an element is due. */
  rawElement(encoded: Uint8Array): void {
    this.#out.push(encoded);
  }

  #bytes(value: Uint8Array): void {
    pushVarint(this.#out, value.length);
    this.#out.push(value);
  }

  #field(id: number, type: number): void {
    const delta = id - this.#lastId;
    if (delta > 0 && delta <= 15) this.#out.pushByte((delta << 4) | type);
    else {
      this.#out.pushByte(type);
      pushVarint(this.#out, zigzag(id));
    }
    this.#lastId = id;
  }
}

/** Maps 0, -1, 1, -2 ... to 0, 1, 2, 3 ... Arithmetic, not shifts: offsets go beyond 32 bits. */
function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

/** An unsigned integer below 2^53, 7 bits a byte, lowest first (ULEB128). */
export function pushVarint(out: ByteBuffer, value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    out.pushByte((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  out.pushByte(rest);
}
