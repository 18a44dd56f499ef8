/** The oracle must find each kind of violation that a test may one day depend on it to find: each is planted here. */
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import zstd from '@bokuweb/zstd-wasm';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  GENERATED_COLUMNS,
  GENERATED_CSV_COLUMNS,
  type GeneratedRow,
  generateRows,
  hourBucket,
  toCsv,
  toNdjson,
  writeRows,
} from '../../support/generate.ts';
import {
  type ExactlyOnceOptions,
  expectExactlyOnce,
  judge,
  microsecondsOf,
  type ViolationKind,
  VisibleParts,
} from '../../support/oracle.ts';

const rows = generateRows({ seed: 1, rows: 400, hours: 3 });
const buckets = [...new Set(rows.map(hourBucket))];

beforeAll(() => zstd.init());

let folder: string;
let lake: string;
let options: ExactlyOnceOptions;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-oracle-'));
  lake = path.join(folder, 'lake');
  await writeRows(path.join(folder, 'in/a/one.ndjson'), rows.slice(0, 250));
  await writeRows(path.join(folder, 'in/two.ndjson.gz'), rows.slice(250));
  options = {
    inputs: [path.join(folder, 'in')],
    lake,
    columns: GENERATED_COLUMNS,
    bucketOf: hourBucket,
  };
});

afterEach(() => rm(folder, { recursive: true, force: true }));

type Format = 'ndjson' | 'ndjson.gz' | 'ndjson.zst' | 'csv' | 'parquet';

function partBytes(part: readonly GeneratedRow[], format: Format): Uint8Array {
  switch (format) {
    case 'ndjson':
      return Buffer.from(toNdjson(part));
    case 'ndjson.gz':
      return gzipSync(toNdjson(part));
    case 'ndjson.zst':
      return zstd.compress(Buffer.from(toNdjson(part)), 1);
    case 'csv':
      return Buffer.from(toCsv(part));
    case 'parquet':
      return parquetBytes(part);
  }
}

function parquetBytes(part: readonly GeneratedRow[]): Uint8Array {
  const column = (name: string, type: string, value: (row: GeneratedRow) => unknown) => ({
    name,
    type,
    data: part.map(value),
    nullable: true,
  });
  const buffer = parquetWriteBuffer({
    columnData: [
      column('id', 'STRING', (row) => row.id),
      column('ts', 'TIMESTAMP', (row) => new Date(row.ts)),
      column('n', 'INT64', (row) => (row.n === null ? null : BigInt(row.n))),
      column('price', 'DOUBLE', (row) => row.price),
      column('ok', 'BOOLEAN', (row) => row.ok),
      column('country', 'STRING', (row) => row.country),
      column('note', 'STRING', (row) => row.note),
      column('tags', 'JSON', (row) => row.tags),
    ] as Parameters<typeof parquetWriteBuffer>[0]['columnData'],
  });
  return new Uint8Array(buffer);
}

/** One part for each bucket, as a faultless program would leave them. Gives their paths. */
async function writeLake(
  format: Format,
  change: (row: GeneratedRow) => GeneratedRow | null = (row) => row,
): Promise<string[]> {
  const parts: string[] = [];
  for (const [at, bucket] of buckets.entries()) {
    const part = rows.filter((row) => hourBucket(row) === bucket).flatMap((row) => change(row) ?? []);
    const file = path.join(lake, bucket, `part-00c0ffee-0-${at}.${format}`);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, partBytes(part, format));
    parts.push(file);
  }
  return parts;
}

async function kinds(over: Partial<ExactlyOnceOptions> = {}): Promise<ViolationKind[]> {
  const { violations } = await judge({ ...options, ...over });
  return [...new Set(violations.map(({ kind }) => kind))].sort();
}

async function cut(file: string, bytes: number): Promise<void> {
  const whole = await readFile(file);
  await writeFile(file, whole.subarray(0, whole.length - bytes));
}

describe('a faultless lake', () => {
  for (const format of ['ndjson', 'ndjson.gz', 'ndjson.zst', 'parquet'] as const) {
    it(`of ${format} is exactly once`, async () => {
      await writeLake(format);
      const verdict = await expectExactlyOnce(options);
      expect(verdict).toEqual({ inputRows: 400, partRows: 400, parts: buckets.length, violations: [] });
      expect(await kinds({ mode: 'ids' })).toEqual([]);
    });
  }

  it('of CSV is exactly once, without the list', async () => {
    await writeLake('csv');
    expect(await kinds({ columns: GENERATED_CSV_COLUMNS })).toEqual([]);
  });

  it('may keep columns in its folder names only, and its own marker', async () => {
    await writeLake('ndjson', ({ tags, ...row }) => row);
    await writeFile(path.join(lake, '.sluice-web-events.json'), '{}');
    expect(await kinds({ columnsInFolders: ['tags'] })).toEqual([]);
  });

  it('of rows that were to be skipped lacks them', async () => {
    await writeLake('ndjson', (row) => (row.ok === null ? null : row));
    expect(await kinds({ isSkipped: (row) => row.ok === null })).toEqual([]);
  });
});

describe.each(['ndjson', 'parquet'] as const)('in %s', (format) => {
  for (const mode of ['values', 'ids'] as const) {
    it(`finds a lost row (${mode})`, async () => {
      await writeLake(format, (row) => (row.id === '1-17' ? null : row));
      const { violations } = await judge({ ...options, mode });
      expect(violations).toEqual([{ kind: 'lost row', what: 'id "1-17" is in no visible part' }]);
    });

    it(`finds a doubled row and names both parts (${mode})`, async () => {
      const [first] = await writeLake(format);
      const copy = path.join(path.dirname(first!), `part-00c0ffee-1-0.${format}`);
      await writeFile(copy, partBytes([rows[3]!], format));
      const { violations } = await judge({ ...options, mode });
      expect(violations).toHaveLength(1);
      expect(violations[0]).toMatchObject({ kind: 'doubled row' });
      expect(violations[0]?.what).toContain(`part-00c0ffee-0-0.${format} and in`);
      expect(violations[0]?.what).toContain(`part-00c0ffee-1-0.${format}`);
    });

    it(`finds a row in the wrong bucket (${mode})`, async () => {
      await writeLake(format);
      await rename(path.join(lake, buckets[0]!), path.join(lake, 'dt=2026-11-22', 'hour=23'));
      expect(await kinds({ mode })).toEqual(['wrong bucket']);
    });

    it(`finds a row that no input has (${mode})`, async () => {
      await writeLake(format, (row) => (row.id === '1-17' ? { ...row, id: '1-17x' } : row));
      expect(await kinds({ mode })).toEqual(['lost row', 'unknown row']);
    });

    it(`finds a part that is torn at any place (${mode})`, async () => {
      const [first] = await writeLake(format);
      for (const bytes of [1, 3, 8, 100]) {
        await cut(first!, bytes);
        expect(await kinds({ mode })).toContain('unreadable part');
      }
      await writeFile(first!, '');
      expect(await kinds({ mode })).toContain('unreadable part');
    });
  }

  it('finds a part in the middle of which bytes are missing', async () => {
    const [first] = await writeLake(format);
    const whole = await readFile(first!);
    await writeFile(first!, Buffer.concat([whole.subarray(0, 700), whole.subarray(900)]));
    expect(await kinds()).not.toEqual([]);
  });

  const alterations: [string, (row: GeneratedRow) => GeneratedRow][] = [
    ['a text', (row) => ({ ...row, note: 'plaim' })],
    ['null to an empty text', (row) => ({ ...row, country: row.country === null ? '' : null })],
    [
      'the last millisecond',
      (row) => ({ ...row, ts: row.ts.replace(/.Z$/, (d) => (d === '1Z' ? '2Z' : '1Z')) }),
    ],
    ['the last digit of a long integer', (row) => ({ ...row, n: '900000000000000001' })],
    ['a number by little', (row) => ({ ...row, price: (row.price ?? 1) + 1e-9 })],
    ['a boolean', (row) => ({ ...row, ok: row.ok === null ? false : null })],
    ['the order in a list', (row) => ({ ...row, tags: ['z', ...(row.tags ?? [])] })],
    ['null to an empty list', (row) => ({ ...row, tags: row.tags === null ? [] : null })],
  ];
  for (const [what, alter] of alterations) {
    it(`finds a changed value: ${what}`, async () => {
      await writeLake(format, (row) => (row.id === '1-30' ? alter(row) : row));
      const { violations } = await judge(options);
      expect(violations.map(({ kind }) => kind)).toEqual(['changed value']);
    });
  }
});

describe('files that do not belong', () => {
  for (const format of ['ndjson.gz', 'ndjson.zst'] as const) {
    it(`finds a torn part of ${format}, at each byte of its end`, async () => {
      const [first] = await writeLake(format);
      for (let bytes = 1; bytes <= 12; bytes++) {
        await cut(first!, 1);
        expect(await kinds()).toContain('unreadable part');
      }
    });
  }

  it('finds a torn second member of a gzip part', async () => {
    const [first] = await writeLake('ndjson.gz');
    const whole = await readFile(first!);
    await writeFile(first!, Buffer.concat([whole, gzipSync('').subarray(0, 10)]));
    expect(await kinds()).toEqual(['unreadable part', 'lost row'].sort());
  });

  it('finds a stray hidden file, unless the test allows it', async () => {
    const [first] = await writeLake('ndjson');
    const name = '.part-00c0ffee-0-9.ndjson.inprogress.12ab';
    await writeFile(path.join(path.dirname(first!), name), 'x');
    const { violations } = await judge(options);
    expect(violations).toEqual([{ kind: 'stray hidden file', what: `${buckets[0]}/${name}` }]);
    expect(await kinds({ allowHidden: (file) => file.endsWith('.12ab') })).toEqual([]);
  });

  it('finds a hidden file in a hidden folder, and a marker that is not in the base folder', async () => {
    await writeLake('ndjson');
    await mkdir(path.join(lake, '_tmp'));
    await writeFile(path.join(lake, '_tmp/a.ndjson'), 'x\n');
    await writeFile(path.join(lake, 'dt=2026-11-22/.sluice-a.json'), '{}');
    expect((await judge(options)).violations).toHaveLength(2);
    expect(await kinds()).toEqual(['stray hidden file']);
  });

  it('finds a visible file that is no part', async () => {
    await writeLake('ndjson');
    await writeFile(path.join(lake, 'part-0.ndjson.tmp'), '{}\n');
    expect(await kinds()).toEqual(['stray visible file']);
  });

  it('finds a column that nobody asked for', async () => {
    await writeLake('ndjson', (row) => ({ ...row, extra: 1 }) as GeneratedRow);
    expect(await kinds()).toEqual(['unexpected column']);
  });

  it('finds everything lost where there is no lake', async () => {
    const { violations } = await judge(options);
    expect(violations).toHaveLength(400);
  });
});

describe('the report', () => {
  it('counts all and shows few', async () => {
    await writeLake('ndjson', () => null);
    const failure = await expectExactlyOnce(options).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    const text = failure instanceof Error ? failure.message : '';
    expect(text).toContain('400 rows in, 0 in');
    expect(text).toContain('400 lost row');
    expect(text).toContain('... and 392 more');
    expect(text.split('\n').length).toBeLessThan(25);
  });

  it('refuses inputs whose ids are not unique', async () => {
    await writeRows(path.join(folder, 'in/again.ndjson'), rows.slice(0, 1));
    await expect(judge(options)).rejects.toThrow('stands twice in the input');
  });
});

describe('VisibleParts', () => {
  it('accepts parts that are added and hidden files that come and go', async () => {
    const watched = new VisibleParts(lake);
    expect(await watched.observe()).toEqual([]);
    await writeLake('ndjson');
    await writeFile(path.join(lake, '.hidden'), 'x');
    expect(await watched.observe()).toEqual([]);
    await rm(path.join(lake, '.hidden'));
    expect(await watched.observe()).toEqual([]);
    expect(watched.count).toBe(buckets.length);
  });

  it('finds a part that vanished, once', async () => {
    const [first] = await writeLake('ndjson');
    const watched = new VisibleParts(lake);
    await watched.observe();
    await rm(first!);
    expect(await watched.observe()).toMatchObject([{ kind: 'vanished part' }]);
    expect(await watched.observe()).toEqual([]);
    expect(watched.violations).toHaveLength(1);
  });

  it('finds a part that changed, though its size and time did not', async () => {
    const [first] = await writeLake('ndjson');
    const watched = new VisibleParts(lake);
    await watched.observe();
    const bytes = await readFile(first!);
    bytes[bytes.length - 3]! ^= 1;
    await writeFile(first!, bytes);
    expect(await watched.observe()).toMatchObject([{ kind: 'changed part' }]);
  });

  it('finds a part that grew after it was visible, as a file written in place does', async () => {
    const [first] = await writeLake('ndjson');
    const watched = new VisibleParts(lake);
    await cut(first!, 50);
    await watched.observe();
    await writeLake('ndjson');
    expect(await watched.observe()).toMatchObject([{ kind: 'changed part' }]);
  });
});

describe('instants', () => {
  it('reads every form that a part may have, to the microsecond', () => {
    const us = 1_795_353_255_123_456n;
    expect(microsecondsOf('2026-11-22T13:14:15.123456Z')).toBe(us);
    expect(microsecondsOf('2026-11-22 13:14:15.123456')).toBe(us);
    expect(microsecondsOf('2026-11-22T15:14:15.123456789+02:00')).toBe(us);
    expect(microsecondsOf('2026-11-22T13:14Z')).toBe(us - 15_123_456n);
    expect(() => microsecondsOf('yesterday')).toThrow();
  });
});
