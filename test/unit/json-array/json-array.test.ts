/** JSON arrays against JSON.parse: however they are spaced, chunked and resumed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDataType, type Schema } from '../../../lib/core/data-type.ts';
import { type ReadOptions, readInput } from '../../support/read-input.ts';
import { memory } from '../source/reading.ts';

const FILE = '/in/a.json';
const SPEC = { type: 'json', compression: 'auto' } as const;
const SCHEMA: Schema = {
  fields: Object.entries({ id: 'int64', s: 'string', j: 'json' }).map(([name, type]) => ({
    name,
    type: parseDataType(type),
    nullable: true,
  })),
};

async function read(text: string | Uint8Array, options: ReadOptions = {}) {
  const fileSystem = memory();
  fileSystem.put(FILE, text);
  return readInput(fileSystem, FILE, SPEC, { schema: SCHEMA, ...options });
}

const anyText = fc.oneof(fc.string(), fc.constantFrom('a\\', '"', '[{', '}]', ',', '\n', '\\"', 'ä😀'));
const anyElement = fc.record({ id: fc.nat(1e9), s: fc.option(anyText), j: fc.jsonValue({ maxDepth: 3 }) });
const space = fc.stringMatching(/^[ \t\r\n]{0,5}$/);

describe('a JSON array', () => {
  it('gives what JSON.parse gives, in one go and in pieces', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyElement, { maxLength: 30 }),
        space,
        fc.constantFrom(undefined, 2, '\t'),
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 9 }),
        async (elements, gap, indent, chunkBytes, batchRows) => {
          const text = `${gap}[${gap}${elements.map((element) => JSON.stringify(element, null, indent)).join(`${gap},${gap}`)}${gap}]${gap}`;
          const wanted = (JSON.parse(text) as typeof elements).map(({ id, s }) => ({ id: String(id), s }));
          const strip = (rows: readonly Record<string, unknown>[]) => rows.map(({ id, s }) => ({ id, s }));
          const whole = await read(text);
          expect(strip(whole.rows)).toEqual(wanted);
          expect(whole.rows.map(({ j }) => (j === null ? null : JSON.parse(j as string)))).toEqual(
            (JSON.parse(text) as typeof elements).map(({ j }) => j),
          );
          expect((await read(text, { chunkBytes, batchRows, resume: true })).rows).toEqual(whole.rows);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is refused where JSON.parse refuses its frame, and where it is cut anywhere', async () => {
    const text = ' [ {"id":1,"s":"a,]b"}, {"id":2}\n,{"id":3}]';
    // Nothing at all is no rows, as of every format.
    for (let length = 1; length < text.length; length++) {
      await expect(read(text.slice(0, length)), text.slice(0, length)).rejects.toMatchObject({
        code: 'INPUT_CORRUPT',
      });
    }
    for (const wrong of [
      '[{"id":1},]',
      '[{"id":1}{"id":2}]',
      '{"id":1}',
      '[]]',
      '[] x',
      '[,{"id":1}]',
      'nothing',
    ])
      await expect(read(wrong), wrong).rejects.toMatchObject({
        code: 'INPUT_CORRUPT',
        message: expect.stringContaining(FILE),
      });
  });

  it.each(['[]', ' [ ] ', '\ufeff[]\n'])('%j holds nothing', async (text) => {
    expect((await read(text)).rows).toEqual([]);
  });

  it('elements that do not fit are bad records, told with their place', async () => {
    const text = '[\n  {"id": 1},\n  {"id": "x"},\n  7,\n  {"id": 2, "s": "a\nb"},\n  {"id": 3}\n]';
    const skipped = await read(text, { onBadRecord: 'skip', batchRows: 2 });
    expect(skipped.rows.map(({ id }) => id)).toEqual(['1', '3']);
    expect(skipped.rejected).toBe(3);
    await expect(read(text)).rejects.toMatchObject({
      code: 'BAD_RECORD',
      message: expect.stringContaining("line 3 (byte 17), column 'id'"),
    });
  });

  it('an element longer than max_record_size is left out, and nothing else', async () => {
    const text = `[{"id":1},{"id":2,"s":"${'x'.repeat(500)}"},{"id":3}]`;
    for (const chunkBytes of [7, 4096]) {
      const result = await read(text, { onBadRecord: 'skip', maxRecordBytes: 100, chunkBytes });
      expect(result.rows.map(({ id }) => id)).toEqual(['1', '3']);
      expect(result.rejected).toBe(1);
    }
  });

  it('its schema is inferred from its elements', async () => {
    const fileSystem = memory();
    fileSystem.put(FILE, '[{"a": 1,\n "b": [true]}, {"a": 2.5}]');
    const { schema, rows } = await readInput(fileSystem, FILE, SPEC);
    expect(schema.fields.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(rows).toEqual([
      { a: 1, b: [true] },
      { a: 2.5, b: null },
    ]);
  });
});
