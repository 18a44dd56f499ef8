import { describe, expect, test } from 'vitest';
import { rowEncoder } from '../../../formats/row-encoder.ts';
import { textFormat } from '../../../formats/text/encoder.ts';
import { Batch } from '../../../lib/core/batch.ts';
import { ByteBuffer } from '../../../lib/core/byte-buffer.ts';
import { batchOf, encodeText, schemaOf } from './rows.ts';

describe('text encoder', () => {
  test('a value a line; null is an empty line', () => {
    const batch = batchOf({ line: 'string' }, [{ line: 'a "b", c' }, { line: null }, { line: 'é\rx' }]);
    expect(encodeText(textFormat().createEncoder(batch.schema), batch)).toBe('a "b", c\n\né\rx\n');
  });

  test('one column of several, of any type', () => {
    const batch = batchOf({ a: 'int64', b: 'timestamp(ms)' }, [{ a: 2n ** 60n, b: new Date(0) }]);
    expect(encodeText(textFormat({ column: 'a' }).createEncoder(batch.schema), batch)).toBe(
      '1152921504606846976\n',
    );
    expect(encodeText(textFormat({ column: 'b' }).createEncoder(batch.schema), batch)).toBe(
      '1970-01-01T00:00:00.000Z\n',
    );
  });

  test.each(['two\nlines', 'cr at the end\r', '\n', '\r'])(
    'refuses %j, which would not stay one line',
    (line) => {
      const batch = batchOf({ line: 'string' }, [{ line: 'fine' }, { line }]);
      const encode = () => encodeText(textFormat().createEncoder(batch.schema), batch);
      expect(encode).toThrow(
        expect.objectContaining({ code: 'BAD_RECORD', details: { column: 'line', value: line } }),
      );
    },
  );

  test('what lies behind in a reused buffer is not looked at', () => {
    const batch = batchOf({ line: 'string' }, [{ line: 'x' }]);
    const out = new ByteBuffer(64);
    out.bytes.fill(10);
    textFormat().createEncoder(batch.schema).encode(batch, Int32Array.of(0), 0, 1, out);
    expect(new TextDecoder().decode(out.view())).toBe('x\n');
  });

  test('has to know its column', () => {
    expect(() => textFormat().createEncoder(schemaOf({ a: 'string', b: 'string' }))).toThrow(
      expect.objectContaining({ hint: 'set sink.format.column to one of: a, b' }),
    );
    expect(() => textFormat({ column: 'c' }).createEncoder(schemaOf({ a: 'string' }))).toThrow(/'c'/);
    expect(() => textFormat().createEncoder({ fields: [] })).toThrow(
      expect.objectContaining({ code: 'JOB_INVALID' }),
    );
  });
});

describe('rowEncoder', () => {
  test('gets each record as an object and may answer with text or bytes', () => {
    const batch = batchOf({ n: 'int32', s: 'string' }, [
      { n: 1, s: 'a' },
      { n: 2, s: null },
    ]);
    const encoder = rowEncoder<{ n: number; s: string | null }>(
      '.x',
      ({ n, s }, { schema }) => (n === 1 ? `${s}${schema.fields.length};` : Uint8Array.of(66)),
      'head\n',
    );
    expect(encoder.extension).toBe('.x');
    expect(new TextDecoder().decode(encoder.header!)).toBe('head\n');
    expect(encodeText(encoder, batch)).toBe('a2;B');
  });

  test('records that came as objects stay the very same', () => {
    const records = [Symbol('a'), 'b'];
    const seen: unknown[] = [];
    const encoder = rowEncoder('.x', (record) => {
      seen.push(record);
      return '';
    });
    encodeText(encoder, Batch.ofObjects(records));
    expect(seen).toEqual(records);
  });

  test('what it throws is a bad record, what it returns wrongly a mistake in the job', () => {
    const batch = batchOf({ n: 'int32' }, [{ n: 1 }]);
    const throwing = rowEncoder('.x', () => {
      throw new TypeError('no');
    });
    expect(() => encodeText(throwing, batch)).toThrow(expect.objectContaining({ code: 'BAD_RECORD' }));
    const promising = rowEncoder('.x', (() => Promise.resolve('x')) as unknown as () => string);
    expect(() => encodeText(promising, batch)).toThrow(expect.objectContaining({ code: 'JOB_INVALID' }));
  });
});
