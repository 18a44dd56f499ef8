import { describe, expect, test } from 'vitest';
import { csvInput } from '../../../formats/csv/input.ts';
import { jsonInput } from '../../../formats/json/input.ts';
import { replayInput } from '../../../formats/replay/input.ts';
import { decodeAll } from '../../support/decode.ts';
import { csvInputSpec, schemaOf } from '../../support/job.ts';

const csv = csvInput(csvInputSpec);

function line(record: string, header: string[], offset: number): string {
  const row = { file: 'a.csv', offset, line: 7, record: Buffer.from(record).toString('base64') };
  return `${JSON.stringify({ ...row, state: { header } })}\n`;
}

describe('quarantined CSV records, read again', () => {
  const lines = [
    line('1,x', ['id', 'name'], 10),
    line('2,"a\nb"', ['id', 'name'], 20),
    line('y,3', ['name', 'id'], 30),
    line('4,z', ['id', 'name'], 40),
    line('five,z', ['id', 'name'], 50),
    line('6,"open', ['id', 'name'], 60),
  ].join('');

  test.each([7, 64, 100_000])('each by the header of its file, in pieces of %d bytes', (piece) => {
    const schema = schemaOf({ id: 'int64', name: 'string' });
    const { rows, bad, records } = decodeAll(replayInput(csv), schema, Buffer.from(lines), { piece });
    expect(rows).toEqual([
      { id: 1n, name: 'x' },
      { id: 2n, name: 'a\nb' },
      { id: 3n, name: 'y' },
      { id: 4n, name: 'z' },
    ]);
    expect(records).toBe(6);
    expect(bad.map(({ code, text, origin }) => [code, text, origin])).toEqual([
      ['type_mismatch', 'five,z', { path: 'a.csv', offset: 50, line: 7 }],
      ['malformed', '6,"open', { path: 'a.csv', offset: 60, line: 7 }],
    ]);
  });
});

describe('quarantined elements of JSON arrays, read again', () => {
  const element = (record: string, place: string, offset: number) =>
    `${JSON.stringify({ file: 'a.json', offset, line: 1, record: Buffer.from(record).toString('base64'), state: { place } })}\n`;
  const json = jsonInput({ type: 'json', compression: 'auto' });
  const schema = schemaOf({ id: 'int64' });

  test.each([7, 64, 100_000])('each alone, wherever it stood, in pieces of %d bytes', (piece) => {
    const lines = [
      element('{"id":1}', 'first', 1),
      element('{"id":2}', 'behind', 10),
      element('{"id":\n 3}', 'comma', 20),
      element('{"id":"x"}', 'behind', 30),
      element('{"id":4}', 'behind', 40),
    ].join('');
    const { rows, bad, records } = decodeAll(replayInput(json), schema, Buffer.from(lines), { piece });
    expect(rows.map(({ id }) => id)).toEqual([1n, 2n, 3n, 4n]);
    expect(records).toBe(5);
    expect(bad.map(({ text, origin }) => [text, origin?.offset])).toEqual([['{"id":"x"}', 30]]);
  });

  test('what is no element is no damage of an input file', () => {
    const lines = Buffer.from(element('{"id":1} {"id":2}', 'first', 1));
    expect(() => decodeAll(replayInput(json), schema, lines)).toThrow(
      expect.objectContaining({ code: 'INTERNAL' }),
    );
  });
});
