import fc from 'fast-check';
import { expect, it } from 'vitest';
import { textInput } from '../../../formats/text/input.ts';
import { decodeAll } from '../../support/decode.ts';

const format = textInput({ type: 'text', column: 'line', compression: 'auto' });
const schema = format.inferSchema([]);
const lines = (bytes: Uint8Array, piece?: number, batchRows = 3) =>
  decodeAll(format, schema, bytes, { batchRows, ...(piece === undefined ? {} : { piece }) });

it('every line is a row, empty ones too; CR is dropped, a BOM and the missing last line end are no matter', () => {
  expect(lines(Buffer.from('\uFEFFa\r\n\nb')).rows).toEqual([{ line: 'a' }, { line: '' }, { line: 'b' }]);
  expect(lines(Buffer.from('')).rows).toEqual([]);
  expect(lines(Buffer.from('\n')).rows).toEqual([{ line: '' }]);
});

it('a line that is not UTF-8 is a bad record', () => {
  const { rows, bad } = lines(
    Buffer.concat([Buffer.from('a\n'), Uint8Array.of(0xc3, 0x28), Buffer.from('\nb\n')]),
  );
  expect(rows).toEqual([{ line: 'a' }, { line: 'b' }]);
  expect(bad).toMatchObject([{ offset: 2, recordIndex: 1, column: 'line' }]);
});

it('comes back whole in pieces of any size, and from any position', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme', maxLength: 10 }).filter((text) => !/[\r\n\uFEFF]/.test(text))),
      fc.integer({ min: 1, max: 30 }),
      (texts, piece) => {
        const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(''));
        const read = lines(bytes, piece);
        expect(read.rows.map((row) => row.line)).toEqual(texts);
        for (const { start, rows } of read.positions) {
          expect(decodeAll(format, schema, bytes, { start, piece }).rows).toEqual(read.rows.slice(rows));
        }
      },
    ),
  );
});

it('refuses another schema than one string column', () => {
  expect(() => decodeAll(format, { fields: [] }, Buffer.from(''))).toThrow(/one column/);
});
