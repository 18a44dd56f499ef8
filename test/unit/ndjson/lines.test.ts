/** Source lines of rows, and decoding some of the columns only: what rows that pass through are made of. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NdjsonDecoder, type NdjsonTuning } from '../../../formats/ndjson/decoder.ts';
import { schemaOf } from '../../support/job.ts';
import { WAYS } from './ways.ts';

const schema = schemaOf({ ts: 'timestamp(ms)', name: 'string', words: 'list<string>', id: 'int64' });

function linesOf(way: NdjsonTuning, text: string, columns: readonly string[], batchRows: number) {
  const bad: string[] = [];
  const decoder = new NdjsonDecoder(
    {
      schema,
      batchRows,
      keepLines: true,
      columns: new Set(columns),
      onBadRecord: ({ bytes }) => bad.push(Buffer.from(bytes).toString()),
    },
    way,
  );
  const bytes = Buffer.from(`?${text}`);
  const lines: string[] = [];
  const rows: unknown[] = [];
  decoder.begin({ offset: 0, state: null });
  let at = 1;
  for (;;) {
    const next = decoder.decode(bytes, at, bytes.length, true);
    if (decoder.rows === 0 && next === at) break;
    at = next;
    const batch = decoder.take();
    const source = batch.lines!;
    for (let row = 0; row < batch.length; row++) {
      lines.push(Buffer.from(source.bytes.subarray(source.starts[row]!, source.ends[row]!)).toString());
      rows.push(batch.record(row));
    }
  }
  return { lines, rows, bad };
}

const anyValue = fc.jsonValue({ maxDepth: 2 });
const record = fc.record({
  ts: fc
    .date({ min: new Date('1970-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  name: anyValue,
  words: anyValue,
  id: anyValue,
  more: anyValue,
});

describe('source lines', { timeout: 60_000 }, () => {
  it('are those of the rows, byte for byte, whatever the columns that nobody wants hold', () => {
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 60 }),
        fc.constantFrom('\n', '\r\n', '\n\n'),
        fc.constantFrom(1, 5, 1000),
        (records, lineEnd, batchRows) => {
          const wanted = records.map((each) => JSON.stringify(each));
          const text = wanted.join(lineEnd) + lineEnd;
          for (const [name, way] of Object.entries(WAYS)) {
            const { lines, rows, bad } = linesOf(way, text, ['ts'], batchRows);
            expect(bad, name).toEqual([]);
            expect(lines, name).toEqual(wanted);
            expect(rows, name).toEqual(records.map(({ ts }) => ({ ts: new Date(ts) })));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('are of whole JSON objects only', () => {
    const good = '{"ts":"2026-11-22T13:14:15.123Z","name":"a","words":[],"id":1}';
    const wrong = [
      good.slice(0, -1),
      `${good}}`,
      good.replace('"a"', 'a'),
      good.replace('[]', '[1,]'),
      good.replace(':1}', ':01}'),
    ];
    for (const [name, way] of Object.entries(WAYS)) {
      for (const columns of [['ts'], []]) {
        const text = `${good}\n${wrong.map((line) => `${line}\n${good}\n`).join('')}`;
        const { lines, bad } = linesOf(way, text, columns, 100);
        expect(bad, name).toEqual(wrong);
        expect(lines, name).toEqual(Array(wrong.length + 1).fill(good));
      }
    }
  });
});
