/**
 * Thrift's compact protocol as a tree: for metadata that is written again with few changes and must otherwise stay as
 * it is, fields that this program does not know included.
 * https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */
import { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import { corrupt } from '../corrupt.ts';

export type ThriftValue =
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'byte'; readonly value: number }
  /** 16, 32 or 64 bits, as `type` says. */
  | { readonly kind: 'integer'; readonly type: number; value: bigint }
  | { readonly kind: 'double'; readonly bytes: Uint8Array }
  | { readonly kind: 'binary'; readonly bytes: Uint8Array }
  | { readonly kind: 'list'; readonly type: number; readonly element: number; readonly values: ThriftValue[] }
  | ThriftStruct;

export interface ThriftStruct {
  readonly kind: 'struct';
  /** By field id, ascending. */
  readonly fields: Map<number, ThriftValue>;
}

const TRUE = 1;
const FALSE = 2;
const BYTE = 3;
const I16 = 4;
const I32 = 5;
const I64 = 6;
const DOUBLE = 7;
const BINARY = 8;
const LIST = 9;
const SET = 10;
const STRUCT = 12;
/** Deeper than any schema that we read. */
const MAX_DEPTH = 64;

/** @throws SluiceError INPUT_CORRUPT */
export function readStruct(bytes: Uint8Array): ThriftStruct {
  return new TreeReader(bytes).struct(0);
}

export function encodeStruct(struct: ThriftStruct): Uint8Array {
  const out = new ByteBuffer();
  pushStruct(out, struct);
  return out.view();
}

/** @throws SluiceError INPUT_CORRUPT where the field is missing or of another kind */
export function listOf(struct: ThriftStruct, id: number): Extract<ThriftValue, { kind: 'list' }> {
  const value = struct.fields.get(id);
  return value?.kind === 'list' ? value : corrupt(`its metadata has no list ${id}`);
}

/** @throws SluiceError INPUT_CORRUPT */
export function structsOf(struct: ThriftStruct, id: number): ThriftStruct[] {
  return listOf(struct, id).values.map((value) =>
    value.kind === 'struct' ? value : corrupt(`the list ${id} of its metadata is not of structs`),
  );
}

/** null where there is no such field. */
export function integerOf(struct: ThriftStruct, id: number): number | null {
  const value = struct.fields.get(id);
  return value?.kind === 'integer' ? Number(value.value) : null;
}

export function setInteger(struct: ThriftStruct, id: number, to: number): void {
  const value = struct.fields.get(id);
  if (value?.kind === 'integer') value.value = BigInt(to);
}

class TreeReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  struct(depth: number): ThriftStruct {
    if (depth > MAX_DEPTH) corrupt('its metadata is nested too deeply');
    const fields = new Map<number, ThriftValue>();
    let id = 0;
    for (let header = this.#byte(); header !== 0; header = this.#byte()) {
      const delta = header >> 4;
      id = delta === 0 ? Number(this.#zigzag()) : id + delta;
      const type = header & 0x0f;
      fields.set(
        id,
        type === TRUE || type === FALSE
          ? { kind: 'boolean', value: type === TRUE }
          : this.#value(type, depth),
      );
    }
    return { kind: 'struct', fields };
  }

  #value(type: number, depth: number): ThriftValue {
    switch (type) {
      case TRUE:
      case FALSE:
        return { kind: 'boolean', value: this.#byte() === TRUE };
      case BYTE:
        return { kind: 'byte', value: this.#byte() };
      case I16:
      case I32:
      case I64:
        return { kind: 'integer', type, value: this.#zigzag() };
      case DOUBLE:
        return { kind: 'double', bytes: this.#take(8) };
      case BINARY:
        return { kind: 'binary', bytes: this.#take(Number(this.#varint())) };
      case LIST:
      case SET: {
        const header = this.#byte();
        const size = header >> 4 === 15 ? Number(this.#varint()) : header >> 4;
        const element = header & 0x0f;
        if (size > this.#bytes.length) corrupt('a list of its metadata is longer than all of it');
        const values = Array.from({ length: size }, () => this.#value(element, depth + 1));
        return { kind: 'list', type, element, values };
      }
      case STRUCT:
        return this.struct(depth + 1);
      default:
        return corrupt(`its metadata has a value of type ${type}`);
    }
  }

  #byte(): number {
    return this.#bytes[this.#at++] ?? corrupt('its metadata is cut');
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) corrupt('its metadata is cut');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  #varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return corrupt('its metadata has an integer of more than 64 bits');
  }

  #zigzag(): bigint {
    const value = this.#varint();
    return (value >> 1n) ^ -(value & 1n);
  }
}

function pushStruct(out: ByteBuffer, { fields }: ThriftStruct): void {
  let last = 0;
  for (const [id, value] of [...fields].sort(([a], [b]) => a - b)) {
    const type = value.kind === 'boolean' ? (value.value ? TRUE : FALSE) : typeOf(value);
    const delta = id - last;
    if (delta > 0 && delta <= 15) out.pushByte((delta << 4) | type);
    else {
      out.pushByte(type);
      pushZigzag(out, BigInt(id));
    }
    if (value.kind !== 'boolean') pushValue(out, value);
    last = id;
  }
  out.pushByte(0);
}

function pushValue(out: ByteBuffer, value: ThriftValue): void {
  switch (value.kind) {
    case 'boolean':
      out.pushByte(value.value ? TRUE : FALSE);
      return;
    case 'byte':
      out.pushByte(value.value);
      return;
    case 'integer':
      pushZigzag(out, value.value);
      return;
    case 'double':
      out.push(value.bytes);
      return;
    case 'binary':
      pushVarint(out, BigInt(value.bytes.length));
      out.push(value.bytes);
      return;
    case 'list': {
      const size = value.values.length;
      out.pushByte((Math.min(size, 15) << 4) | value.element);
      if (size >= 15) pushVarint(out, BigInt(size));
      for (const item of value.values) pushValue(out, item);
      return;
    }
    case 'struct':
      pushStruct(out, value);
  }
}

function typeOf(value: ThriftValue): number {
  switch (value.kind) {
    case 'boolean':
      return value.value ? TRUE : FALSE;
    case 'byte':
      return BYTE;
    case 'integer':
    case 'list':
      return value.type;
    case 'double':
      return DOUBLE;
    case 'binary':
      return BINARY;
    case 'struct':
      return STRUCT;
  }
}

function pushZigzag(out: ByteBuffer, value: bigint): void {
  pushVarint(out, BigInt.asUintN(64, (value << 1n) ^ (value >> 63n)));
}

function pushVarint(out: ByteBuffer, value: bigint): void {
  let rest = value;
  for (; rest >= 0x80n; rest >>= 7n) out.pushByte(Number(rest & 0x7fn) | 0x80);
  out.pushByte(Number(rest));
}
