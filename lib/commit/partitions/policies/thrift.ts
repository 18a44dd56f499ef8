/**
 * Thrift's binary protocol, as far as calling a service takes: values are read and written with their field numbers and
 * types and without an interface description, so that a structure can be handed back with everything in it, fields included
 * that this program has never heard of.
 */
export type ThriftValue =
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'byte' | 'i16' | 'i32'; readonly value: number }
  | { readonly type: 'i64'; readonly value: bigint }
  | { readonly type: 'double'; readonly value: number }
  /** Binary as well: bytes are kept as they are. */
  | { readonly type: 'string'; readonly value: Buffer }
  | { readonly type: 'struct'; readonly value: ThriftStruct }
  | {
      readonly type: 'map';
      readonly keyType: ThriftType;
      readonly valueType: ThriftType;
      readonly value: readonly (readonly [ThriftValue, ThriftValue])[];
    }
  | {
      readonly type: 'list' | 'set';
      readonly elementType: ThriftType;
      readonly value: readonly ThriftValue[];
    };

export type ThriftType = ThriftValue['type'];
/** By field number. */
export type ThriftStruct = ReadonlyMap<number, ThriftValue>;

const CODES: Readonly<Record<ThriftType, number>> = {
  ...{
    bool: 2,
    byte: 3,
    double: 4,
    i16: 6,
    i32: 8,
    i64: 10,
    string: 11,
    struct: 12,
    map: 13,
    set: 14,
    list: 15,
  },
};
const TYPES = new Map(Object.entries(CODES).map(([type, code]) => [code, type as ThriftType]));
const STOP = 0;
/** Version 1 of the protocol in the upper half, the kind of message in the lower. */
const VERSION_1 = 0x80010000;
const CALL = 1;
export const EXCEPTION = 3;
/** Bounds recursion over an answer. */
const MAX_DEPTH = 64;

export const thriftText = (text: string): ThriftValue => ({ type: 'string', value: Buffer.from(text) });
export const thriftBool = (value: boolean): ThriftValue => ({ type: 'bool', value });
export const thriftStruct = (fields: Iterable<readonly [number, ThriftValue]>): ThriftValue => ({
  type: 'struct',
  value: new Map(fields),
});
export const thriftList = (elementType: ThriftType, value: readonly ThriftValue[]): ThriftValue => ({
  type: 'list',
  elementType,
  value,
});

/** A call of a method with its arguments. */
export function encodeCall(method: string, sequence: number, args: ThriftStruct): Buffer {
  const pieces: Buffer[] = [uint32((VERSION_1 | CALL) >>> 0), counted(Buffer.from(method)), uint32(sequence)];
  writeStruct(args, pieces);
  return Buffer.concat(pieces);
}

export interface ThriftMessage {
  readonly kind: number;
  readonly method: string;
  readonly sequence: number;
  readonly body: ThriftStruct;
}

/** The message that bytes begin with; null where it is not complete yet. @throws Error where it is none */
export function decodeMessage(bytes: Buffer): ThriftMessage | null {
  const reader = new Reader(bytes);
  try {
    const head = reader.uint32();
    if ((head & 0xffff0000) >>> 0 !== VERSION_1)
      throw new Error('the answer is not Thrift, binary protocol version 1');
    const method = reader.bytes().toString();
    const sequence = reader.uint32();
    return { kind: head & 0xff, method, sequence, body: reader.struct(0) };
  } catch (error) {
    if (error instanceof Incomplete) return null;
    throw error;
  }
}

class Incomplete extends Error {}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function counted(bytes: Buffer): Buffer {
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function writeStruct(fields: ThriftStruct, out: Buffer[]): void {
  for (const [id, value] of fields) {
    const head = Buffer.alloc(3);
    head.writeUInt8(CODES[value.type]);
    head.writeInt16BE(id, 1);
    out.push(head);
    writeValue(value, out);
  }
  out.push(Buffer.from([STOP]));
}

function writeValue(field: ThriftValue, out: Buffer[]): void {
  switch (field.type) {
    case 'bool':
      out.push(Buffer.from([field.value ? 1 : 0]));
      return;
    case 'byte':
      out.push(Buffer.from([field.value & 0xff]));
      return;
    case 'i16': {
      const bytes = Buffer.alloc(2);
      bytes.writeInt16BE(field.value);
      out.push(bytes);
      return;
    }
    case 'i32':
      out.push(uint32(field.value >>> 0));
      return;
    case 'i64': {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64BE(field.value);
      out.push(bytes);
      return;
    }
    case 'double': {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleBE(field.value);
      out.push(bytes);
      return;
    }
    case 'string':
      out.push(counted(field.value));
      return;
    case 'struct':
      writeStruct(field.value, out);
      return;
    case 'map':
      out.push(Buffer.from([CODES[field.keyType], CODES[field.valueType]]), uint32(field.value.length));
      for (const [key, value] of field.value) {
        writeValue(key, out);
        writeValue(value, out);
      }
      return;
    case 'list':
    case 'set':
      out.push(Buffer.from([CODES[field.elementType]]), uint32(field.value.length));
      for (const value of field.value) writeValue(value, out);
  }
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  uint32(): number {
    return this.#take(4).readUInt32BE();
  }

  bytes(): Buffer {
    return this.#take(this.uint32());
  }

  struct(depth: number): ThriftStruct {
    if (depth > MAX_DEPTH) throw new Error('the answer is nested too deeply');
    const fields = new Map<number, ThriftValue>();
    for (;;) {
      const code = this.#take(1).readUInt8();
      if (code === STOP) return fields;
      const id = this.#take(2).readInt16BE();
      fields.set(id, this.#value(typeOf(code), depth));
    }
  }

  #value(type: ThriftType, depth: number): ThriftValue {
    switch (type) {
      case 'bool':
        return { type, value: this.#take(1).readUInt8() !== 0 };
      case 'byte':
        return { type, value: this.#take(1).readInt8() };
      case 'i16':
        return { type, value: this.#take(2).readInt16BE() };
      case 'i32':
        return { type, value: this.#take(4).readInt32BE() };
      case 'i64':
        return { type, value: this.#take(8).readBigInt64BE() };
      case 'double':
        return { type, value: this.#take(8).readDoubleBE() };
      case 'string':
        return { type, value: this.bytes() };
      case 'struct':
        return { type, value: this.struct(depth + 1) };
      case 'map': {
        const head = this.#take(2);
        const count = this.uint32();
        // An empty map may leave its types out.
        if (count === 0) return { type, keyType: 'string', valueType: 'string', value: [] };
        const [keyType, valueType] = [typeOf(head.readUInt8(0)), typeOf(head.readUInt8(1))];
        const value: [ThriftValue, ThriftValue][] = [];
        for (let i = 0; i < count; i++)
          value.push([this.#value(keyType, depth + 1), this.#value(valueType, depth + 1)]);
        return { type, keyType, valueType, value };
      }
      case 'list':
      case 'set': {
        const code = this.#take(1).readUInt8();
        const count = this.uint32();
        if (count === 0 && !TYPES.has(code)) return { type, elementType: 'string', value: [] };
        const elementType = typeOf(code);
        const value: ThriftValue[] = [];
        for (let i = 0; i < count; i++) value.push(this.#value(elementType, depth + 1));
        return { type, elementType, value };
      }
    }
  }

  #take(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) throw new Incomplete();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

function typeOf(code: number): ThriftType {
  const type = TYPES.get(code);
  if (type === undefined) throw new Error(`the answer holds the Thrift type ${code}, which is unknown`);
  return type;
}
