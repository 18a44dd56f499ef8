/** Files that no program of good will would write: each has a defined end, and under `skip` the rest is there. */
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import * as zstd from '@bokuweb/zstd-wasm';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SourceSpec } from '../../../lib/core/compiled-job.ts';
import { SluiceError } from '../../../lib/core/errors.ts';
import type { InputFormatSpec } from '../../../lib/core/specs.ts';
import { runInline, startInline } from '../../support/inline-job.ts';
import { schemaOf, testJob } from '../../support/job.ts';
import { listLake } from '../../support/oracle/lake-files.ts';
import { until } from '../../support/until.ts';

let folder: string;
beforeAll(() => zstd.init());
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-hostile-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(() => rm(folder, { recursive: true }));

const ndjson: InputFormatSpec = { type: 'ndjson', compression: 'auto' };
const rowSchema = schemaOf({ a: 'string', b: 'int64' });

async function put(name: string, bytes: Uint8Array | string): Promise<void> {
  await writeFile(path.join(folder, 'in', name), bytes);
}

const job = (source: Partial<SourceSpec>, dialect: 'standard' | 'hive' = 'hive') =>
  testJob(folder, {
    source: { schema: rowSchema, format: ndjson, ...source },
    // Every value is decoded, as for Parquet: lines that pass through as they are have only the columns looked at that
    // the bucket needs.
    sink: { format: { type: 'ndjson', compression: 'none', dialect } },
  });

/** Lines of all visible parts. */
async function linesOut(): Promise<string[]> {
  const { visible } = await listLake(path.join(folder, 'lake'));
  const texts = await Promise.all(visible.map((part) => readFile(path.join(folder, 'lake', part), 'utf8')));
  return texts.flatMap((text) => text.split('\n').slice(0, -1)).sort();
}

async function failureOf(source: Partial<SourceSpec>): Promise<SluiceError> {
  const error: unknown = await runInline(job(source)).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(SluiceError);
  expect(await linesOut()).toEqual([]);
  return error as SluiceError;
}

interface Hostile {
  readonly what: string;
  readonly bytes: Uint8Array;
  readonly source?: Partial<SourceSpec>;
  /** Under `fail`: line and byte of the record, and why. */
  readonly line: number;
  readonly byte: number;
  readonly why: RegExp;
  readonly code?: string;
  /** What is left under `skip`. */
  readonly rest: readonly string[];
}

const GOOD = '{"a":"good","b":1}';
const LATER = '{"a":"later","b":2}';
const between = (bad: Uint8Array | string) =>
  Buffer.concat([Buffer.from(`${GOOD}\n`), Buffer.from(bad), Buffer.from(`\n${LATER}\n`)]);
const DEPTH = 100_000;

const HOSTILE: readonly Hostile[] = [
  { what: 'a NUL byte in a JSON string', bytes: between('{"a":"x\0y"}'), why: /not JSON.*0x00/ },
  {
    what: 'a line of NUL bytes, as a torn write leaves',
    bytes: between(Buffer.alloc(5000)),
    why: /not JSON/,
  },
  {
    what: 'bytes that are not UTF-8',
    bytes: between(Buffer.from('7b2261223a2278fffe79227d', 'hex')),
    why: /not UTF-8/,
  },
  {
    what: 'half a surrogate pair in UTF-8',
    bytes: between(Buffer.from('7b2261223a22eda080227d', 'hex')),
    why: /not UTF-8/,
  },
  {
    what: 'arrays a hundred thousand deep',
    bytes: between(`{"c":${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}}`),
    why: /nested deeper than 512/,
  },
  {
    what: 'objects a hundred thousand deep',
    bytes: between(`{"c":${'{"x":'.repeat(DEPTH)}1${'}'.repeat(DEPTH)}}`),
    why: /nested deeper than 512/,
  },
  {
    what: 'brackets that never close',
    bytes: between(`{"c":${'['.repeat(DEPTH)}`),
    why: /nested deeper than 512|not JSON/,
  },
  { what: 'half a record', bytes: between('{"a":"x'), why: /not JSON/ },
  { what: 'a number beyond int64', bytes: between('{"b":9223372036854775808}'), why: /int64/ },
  { what: 'a value of another type', bytes: between('{"b":"one"}'), why: /int64/ },
  { what: 'an array where a record should be', bytes: between('[1,2]'), why: /object/ },
  {
    what: 'a record that is longer than max_record_size',
    bytes: between(`{"a":"${'x'.repeat(300_000)}"}`),
    source: { maxRecordBytes: 100_000 },
    why: /longer than max_record_size/,
    code: 'RECORD_TOO_LARGE',
  },
].map((hostile) => ({ line: 2, byte: GOOD.length + 1, rest: [GOOD, LATER], ...hostile }));

describe('a record', () => {
  for (const { what, bytes, source, line, byte, why, code, rest } of HOSTILE) {
    it(`${what}: fails with file, line and byte; is left out and counted under skip`, async () => {
      await put('x.ndjson', bytes);
      const error = await failureOf({ ...source });
      expect(error).toMatchObject({ code: code ?? 'BAD_RECORD', exitCode: 3 });
      expect(error.message).toContain(`${path.join(folder, 'in/x.ndjson')}, line ${line} (byte ${byte})`);
      expect(error.message).toMatch(why);
      expect(error.message.length).toBeLessThan(1000);
      const summary = await runInline(job({ ...source, onBadRecord: 'skip' }));
      expect(summary).toMatchObject({ files: 1, rows: rest.length, rejected: 1 });
      expect(await linesOut()).toEqual([...rest].sort());
    });
  }

  it('that is just unusual comes through as it is: escapes, long digits, empty and blank lines, CRLF, no last line end', async () => {
    await put(
      'bom.ndjson',
      Buffer.from(`\ufeff${GOOD}\r\n\r\n   \n{"a":"\\u0000\\ud83e\\uddc0","b":9223372036854775807}`),
    );
    await put('empty.ndjson', '');
    await put('blank.ndjson', '\n\r\n\n');
    expect(await runInline(job({}))).toMatchObject({ files: 3, rows: 2, rejected: 0 });
    const rows = await linesOut();
    expect(rows).toHaveLength(2);
    expect(rows).toContain(GOOD);
    expect(rows.join()).toContain('9223372036854775807');
    expect(rows.map((row) => (JSON.parse(row) as { a: string }).a)).toContain('\0🧀');
  });
});

describe('a line of 100 MiB', () => {
  const VALUE_BYTES = 100 * 1024 * 1024;
  const put100MiB = () =>
    put(
      'x.ndjson',
      Buffer.concat([
        between('{"a":"').subarray(0, -LATER.length - 2),
        Buffer.alloc(VALUE_BYTES, 'x'),
        Buffer.from(`"}\n${LATER}\n`),
      ]),
    );

  it('is refused by a smaller limit, and skipped if asked', async () => {
    await put100MiB();
    const error = await failureOf({});
    expect(error).toMatchObject({ code: 'RECORD_TOO_LARGE', exitCode: 3 });
    expect(error.message).toContain('line 2 (byte 19)');
    expect(await runInline(job({ onBadRecord: 'skip' }))).toMatchObject({ rows: 2, rejected: 1 });
    expect(await linesOut()).toEqual([GOOD, LATER].sort());
  });

  it('is a row like others where max_record_size allows it', async () => {
    await put100MiB();
    expect(await runInline(job({ maxRecordBytes: 2 * VALUE_BYTES }, 'standard'))).toMatchObject({
      rows: 3,
      rejected: 0,
    });
    const { visible } = await listLake(path.join(folder, 'lake'));
    const sizes = await Promise.all(
      visible.map(async (part) => (await stat(path.join(folder, 'lake', part))).size),
    );
    const { size } = await stat(path.join(folder, 'in/x.ndjson'));
    expect(sizes.reduce((sum, one) => sum + one, 0)).toBe(size);
  });
});

describe('a compressed file', () => {
  const member = (from: number, rows: number) =>
    Buffer.from(Array.from({ length: rows }, (_, i) => `{"a":"${from + i}","b":${from + i}}\n`).join(''));
  const packed = {
    gz: (bytes: Uint8Array) => gzipSync(bytes),
    zst: (bytes: Uint8Array) => zstd.compress(Buffer.from(bytes)),
  };

  for (const [ending, compress] of Object.entries(packed)) {
    it(`${ending}: of many members is read to the last; torn anywhere, it is an error and nothing of it is visible`, async () => {
      const members = [0, 1000, 2000].map((from) => compress(member(from, 1000)));
      const whole = Buffer.concat(members);
      const ends = new Set([0, members[0]!.length, members[0]!.length + members[1]!.length, whole.length]);
      for (const length of [
        5,
        members[0]!.length - 1,
        members[0]!.length + 3,
        whole.length - 9,
        whole.length - 1,
      ]) {
        expect(ends.has(length)).toBe(false);
        await put(`x.ndjson.${ending}`, whole.subarray(0, length));
        const error = await failureOf({});
        expect(error, `${length} bytes`).toMatchObject({ code: 'INPUT_CORRUPT', exitCode: 3 });
        expect(error.message).toContain(`x.ndjson.${ending}`);
        await rm(path.join(folder, 'state'), { recursive: true });
        await rm(path.join(folder, 'lake'), { recursive: true });
      }
      await put(`x.ndjson.${ending}`, whole);
      expect(await runInline(job({}))).toMatchObject({ rows: 3000 });
    });
  }

  it('gz: with a bit flipped anywhere is an error, or the same rows: its checksum is proven', async () => {
    const whole = gzipSync(member(0, 2000));
    for (let at = 20; at < whole.length; at += Math.ceil(whole.length / 12)) {
      const flipped = Buffer.from(whole);
      flipped[at]! ^= 0x10;
      await put('x.ndjson.gz', flipped);
      const error: unknown = await runInline(job({})).catch((thrown: unknown) => thrown);
      if (error instanceof SluiceError) expect(error.exitCode).toBe(3);
      else expect(await linesOut()).toEqual(member(0, 2000).toString().split('\n').slice(0, -1).sort());
      await rm(path.join(folder, 'state'), { recursive: true });
      await rm(path.join(folder, 'lake'), { recursive: true });
    }
  });

  it('is known by its first bytes: plain text named .gz, gzip named .ndjson', async () => {
    await put('plain.ndjson.gz', `${GOOD}\n`);
    await put('packed.ndjson', gzipSync(`${LATER}\n`));
    expect(await runInline(job({}))).toMatchObject({ files: 2, rows: 2 });
    expect(await linesOut()).toEqual([GOOD, LATER].sort());
  });
});

describe('names', () => {
  it('of any kind that is UTF-8 are read: blanks, quotes, line feeds, globs, 255 bytes', async () => {
    const names = [
      'a b',
      `q'"uote`,
      'line\nfeed',
      'käse🧀',
      '-dash',
      'p%20c#?',
      'back\\slash',
      '[glob]*',
      '~',
      '$HOME',
      'x'.repeat(248),
    ];
    for (const [at, name] of names.entries()) await put(`${name}.ndjson`, `{"a":null,"b":${at}}\n`);
    // Not UTF-8: no string of ours can name it.
    await writeFile(
      Buffer.concat([Buffer.from(path.join(folder, 'in/bad')), Buffer.from([0xff])]),
      `${GOOD}\n`,
    );
    const warnings: string[] = [];
    const summary = await runInline(job({}), {
      onEvent: (event) => {
        if (event.type === 'warning') warnings.push(event.code);
      },
    });
    expect(summary).toMatchObject({ files: names.length, rows: names.length });
    expect(warnings).toEqual(['file-name-unreadable']);
  });
});

describe('a daemon that is to infer the schema', () => {
  it('outwaits files without a record that came first', async () => {
    await put('a.ndjson', '\n\n');
    const daemon = startInline(job({ schema: 'infer', monitorIntervalMs: 20 }));
    await until('it says so', () =>
      daemon.events.some((event) => event.type === 'warning' && event.code === 'schema-unknown'),
    );
    await put('b.ndjson', `${GOOD}\n`);
    await until('a checkpoint', () => daemon.events.some((event) => event.type === 'checkpoint'));
    await daemon.stop();
    expect(await runInline(job({ schema: 'infer' }))).toMatchObject({ stopped: false });
    expect(await linesOut()).toEqual([GOOD]);
  });
});
