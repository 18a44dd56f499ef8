import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { generateRows, toCsv, toNdjson, writeRows } from '../../support/generate.ts';
import { csvRecords } from '../../support/oracle/csv-records.ts';
import { readTable } from '../../support/oracle.ts';

it('the same seed gives the same rows, another seed or file others, and ids never meet', () => {
  const options = { seed: 7, rows: 300 };
  expect(generateRows(options)).toEqual(generateRows(options));
  const more = generateRows({ ...options, first: 300 });
  const others = generateRows({ ...options, seed: 8 });
  const ids = [...generateRows(options), ...more, ...others].map(({ id }) => id);
  expect(new Set(ids).size).toBe(900);
  expect(more.map(({ note }) => note)).not.toEqual(generateRows(options).map(({ note }) => note));
});

it('rows hold nulls, long integers, empty text, line ends and several hours', () => {
  const rows = generateRows({ seed: 7, rows: 300 });
  for (const name of ['n', 'price', 'ok', 'country', 'note', 'tags'] as const) {
    expect(
      rows.some((row) => row[name] === null),
      name,
    ).toBe(true);
  }
  expect(rows.some(({ n }) => typeof n === 'string')).toBe(true);
  expect(rows.some(({ country }) => country === '')).toBe(true);
  expect(rows.some(({ note }) => note?.includes('\n') === true)).toBe(true);
  expect(new Set(rows.map(({ ts }) => ts.slice(0, 13))).size).toBe(6);
});

it('NDJSON and CSV of the rows read back as they are', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'sluice-generate-'));
  try {
    const rows = generateRows({ seed: 7, rows: 200 });
    for (const name of ['a.ndjson', 'b.ndjson.gz']) {
      await writeRows(path.join(folder, name), rows);
      const read = await readTable(path.join(folder, name));
      expect(read.map(({ n, ...row }) => ({ ...row, n: n === null ? null : String(n) }))).toEqual(
        rows.map(({ n, ...row }) => ({ ...row, n: n === null ? null : String(n) })),
      );
    }
    await writeRows(path.join(folder, 'c.csv'), rows);
    const read = await readTable(path.join(folder, 'c.csv'));
    expect(read.map(({ id, note, country }) => ({ id, note, country }))).toEqual(
      rows.map(({ id, note, country }) => ({ id, note, country })),
    );
    expect((await readdir(folder)).sort()).toEqual(['a.ndjson', 'b.ndjson.gz', 'c.csv']);
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('the CSV reader tells null from empty text and refuses what is torn', () => {
  expect(csvRecords('a,b\r\n,""\r\n"x""\n,y",z')).toEqual([
    { a: null, b: '' },
    { a: 'x"\n,y', b: 'z' },
  ]);
  expect(csvRecords('1;\\N;\n', { delimiter: ';', columns: ['a', 'b', 'c'], nullText: '\\N' })).toEqual([
    { a: '1', b: null, c: null },
  ]);
  expect(() => csvRecords('a,b\n1\n')).toThrow('has 1 values');
  expect(() => csvRecords('a\n"open\n')).toThrow('does not end');
  expect(() => csvRecords('a\n"x"y\n')).toThrow('behind a closing quote');
  expect(toCsv([])).toBe('id,ts,n,price,ok,country,note\n');
  expect(toNdjson([])).toBe('');
});
