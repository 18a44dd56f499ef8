import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js';
import { expect, it } from 'vitest';
import { CompactWriter } from '../../../formats/parquet/thrift.ts';
import { ByteBuffer } from '../../../lib/core/byte-buffer.ts';

function written(write: (thrift: CompactWriter) => void): unknown {
  const out = new ByteBuffer(0);
  write(new CompactWriter(out));
  const reader = { view: new DataView(out.bytes.buffer, 0, out.length), offset: 0 };
  const value = deserializeTCompactProtocol(reader);
  expect(reader.offset).toBe(out.length);
  return value;
}

it('writes fields of every kind, ids near and far, sizes beyond 32 bits', () => {
  expect(
    written((thrift) => {
      thrift.bool(1, true);
      thrift.bool(2, false);
      thrift.i32(3, -1);
      thrift.i32(30, 2_147_483_647);
      thrift.i64(31, 2 ** 45 + 12_345);
      thrift.i64(32, -(2 ** 40));
      thrift.text(33, 'ä');
      thrift.beginStruct(34);
      thrift.i32(1, 7);
      thrift.beginStruct(2);
      thrift.endStruct();
      thrift.endStruct();
      thrift.i32(35, 9);
      thrift.endStruct();
    }),
  ).toEqual({
    field_1: true,
    field_2: false,
    field_3: -1,
    field_30: 2_147_483_647,
    field_31: 2n ** 45n + 12_345n,
    field_32: -(2n ** 40n),
    field_33: new TextEncoder().encode('ä'),
    field_34: { field_1: 7, field_2: {} },
    field_35: 9,
  });
});

it('writes lists short and long, of structs and of what was encoded before', () => {
  const encoded = new ByteBuffer();
  const inner = new CompactWriter(encoded);
  inner.i32(5, 5);
  inner.endStruct();
  expect(
    written((thrift) => {
      thrift.beginList(1, 'i32', 3);
      for (const value of [0, -1, 300]) thrift.i32Element(value);
      thrift.beginList(2, 'struct', 20);
      for (let i = 0; i < 19; i++) {
        thrift.beginElement();
        thrift.i32(1, i);
        thrift.endStruct();
      }
      thrift.rawElement(encoded.view());
      thrift.beginList(3, 'binary', 1);
      thrift.textElement('x');
      thrift.endStruct();
    }),
  ).toEqual({
    field_1: [0, -1, 300],
    field_2: [...Array.from({ length: 19 }, (_, i) => ({ field_1: i })), { field_5: 5 }],
    field_3: [new TextEncoder().encode('x')],
  });
});
