import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { guessEventTime } from '../../../lib/cli/init/guess-event-time.ts';
import { guessFormat } from '../../../lib/cli/init/guess-format.ts';
import { parseDataType, type Schema } from '../../../lib/core/data-type.ts';

const guess = (text: string) => guessFormat(new TextEncoder().encode(text));

describe('the format of a file, from its first bytes', () => {
  test.each([
    ['{"a":1}\n{"a":2}\n', { type: 'ndjson' }],
    ['{"a":1}', { type: 'ndjson' }],
    ['\r\n{"a":1}\r\n{"a":2', { type: 'ndjson' }],
    ['a,b\n1,2\n3,4\n', { type: 'csv', delimiter: ',', header: true, columns: null }],
    ['id;name\n1;"x;y"\n2;z', { type: 'csv', delimiter: ';', header: true, columns: null }],
    ['1\t2\n3\t4\n', { type: 'csv', delimiter: '\t', header: false, columns: ['column_1', 'column_2'] }],
    ['hello, world\nthis is a log\n', { type: 'text' }],
    ['one line, with a comma\n', { type: 'text' }],
    ['2026-01-01 INFO start\n', { type: 'text' }],
  ])('%j', (text, format) => {
    expect(guess(text)).toEqual(format);
  });

  test.each([
    ['PAR1....', /Parquet/],
    ['Obj\u0001', /Avro/],
    ['ARROW1', /Arrow/],
    ['[{"a":1},{"a":2}]', /JSON array/],
    ['[\n {"a":1}\n]', /JSON array/],
    ['{\n  "a": 1\n}\n', /several lines/],
    ['', /empty/],
    ['\n\n', /empty/],
    ['a\u0000b', /not text/],
  ])('%j is not readable', (text, why) => {
    expect(guess(text)).toEqual({ unreadable: expect.stringMatching(why) });
  });

  test('always answers', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const format = guessFormat(bytes);
        expect('type' in format || 'unreadable' in format).toBe(true);
      }),
    );
  });
});

describe('the column of event time', () => {
  const schema = (fields: Record<string, string>): Schema => ({
    fields: Object.entries(fields).map(([name, type]) => ({
      name,
      type: parseDataType(type),
      nullable: true,
    })),
  });

  test('timestamps with a telling name come first', () => {
    const found = guessEventTime(schema({ x: 'timestamp', created_at: 'timestamp', day: 'date' }), []);
    expect(found.map(({ field }) => field)).toEqual(['created_at', 'day', 'x']);
  });

  test('numbers need a telling name and a telling size', () => {
    const fields = schema({ id: 'int64', ts: 'int64', time_us: 'int64', at: 'float64', time: 'int64' });
    const rows = [
      [1_700_000_000n, 1_700_000_000_000n, 1_700_000_000_000_000n, 1_700_000_000.5, 12n],
      [1_700_000_001n, 1_700_000_000_001n, null, 1_700_000_001.5, 1_700_000_000n],
    ];
    expect(guessEventTime(fields, rows)).toEqual([
      { field: 'ts', unit: 'ms' },
      { field: 'time_us', unit: 'us' },
      { field: 'at', unit: 's' },
    ]);
  });

  test('text counts where every value is a time', () => {
    const fields = schema({ when: 'string', note: 'string' });
    expect(
      guessEventTime(fields, [
        ['2026-01-01T00:00:00Z', '2026-01-01'],
        ['2026-01-02', 'late'],
      ]),
    ).toEqual([{ field: 'when', unit: null }]);
  });
});
