import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StringDictionary } from '../../../formats/string-dictionary.ts';

function textOf(dictionary: StringDictionary, code: number): string {
  const { bytes, offsets } = dictionary.dictionary;
  return Buffer.from(bytes.subarray(offsets[code]!, offsets[code + 1]!)).toString('latin1');
}

test('equal values have equal codes, and a code gives its value back', () => {
  const value = fc.uint8Array({ maxLength: 12, max: 3 });
  fc.assert(
    fc.property(fc.array(value, { maxLength: 200 }), (values) => {
      const dictionary = new StringDictionary();
      const codes = new Map<string, number>();
      for (const bytes of values) {
        const text = Buffer.from(bytes).toString('latin1');
        // At an odd place, with other bytes around, and near the end of the buffer.
        const code = dictionary.lookup(Buffer.concat([Buffer.of(9, 9, 9), bytes]), 3, 3 + bytes.length);
        expect(code).toBe(codes.get(text) ?? codes.size);
        codes.set(text, code);
      }
      for (const [text, code] of codes) expect(textOf(dictionary, code)).toBe(text);
      expect(dictionary.dictionary.count).toBe(codes.size);
    }),
  );
});

test('it refuses the 20,001st entry and still finds the others', () => {
  const dictionary = new StringDictionary();
  const bytes = new Uint8Array(4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < 20_000; i++) {
    view.setInt32(0, i * 1021);
    expect(dictionary.lookup(bytes, 0, 4)).toBe(i);
  }
  view.setInt32(0, -1);
  expect(dictionary.lookup(bytes, 0, 4)).toBe(-1);
  view.setInt32(0, 777 * 1021);
  expect(dictionary.lookup(bytes, 0, 4)).toBe(777);
  expect(dictionary.dictionary.count).toBe(20_000);
  expect(dictionary.memoryBytes).toBeLessThan(2_000_000);
});

test('it refuses more than 1 MiB of values', () => {
  const dictionary = new StringDictionary();
  const bytes = new Uint8Array(1024 * 1024 + 1);
  expect(dictionary.lookup(bytes, 0, 1024 * 1024 - 1)).toBe(0);
  expect(dictionary.lookup(bytes, 0, 2)).toBe(-1);
  expect(dictionary.lookup(bytes, 0, 1)).toBe(1);
  expect(dictionary.lookup(bytes, 0, 0)).toBe(2);
  expect(new StringDictionary().lookup(bytes, 0, bytes.length)).toBe(-1);
});
