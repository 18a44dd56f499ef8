/** `sluice verify --deep`: the values of source and lake are the same, for every format and type, and a changed one is found. */
import { appendFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../lib/core/clock.ts';
import type { CompiledJob } from '../../lib/core/compiled-job.ts';
import type { OutputFormatSpec } from '../../lib/core/specs.ts';
import { replayJob } from '../../lib/pipeline/replay.ts';
import { localFileSystem } from '../../lib/storage/local/local-file-system.ts';
import { type VerifyReport, verifyJob } from '../../lib/verify/verify-job.ts';
import { runInline } from '../support/inline-job.ts';
import { inlineSubtasks } from '../support/inline-subtasks.ts';
import {
  ndjsonOutput,
  parquetOutput,
  rollingBySizeAndTime,
  schemaOf,
  type TestJobOptions,
  testJob,
} from '../support/job.ts';
import { findingsOf } from '../support/verify.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-verify-deep-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(() => rm(folder, { recursive: true }));

function deep(job: CompiledJob): Promise<VerifyReport> {
  return verifyJob({ job, fileSystem: localFileSystem('00bb'), deep: true });
}

const ROWS = 500;
const TYPES = {
  id: 'int64',
  small: 'int32',
  ok: 'boolean',
  f: 'float32',
  d: 'float64',
  money: 'decimal(12,2)',
  text: 'string',
  doc: 'json',
  day: 'date',
  ms: 'timestamp(ms)',
  us: 'timestamp(us)',
  tags: 'list<string>',
  who: 'struct<name:string,n:int64>',
  raw: 'binary',
};

/** Every third value is null, another one at the edge of what its type holds. */
function rowOf(i: number): string {
  const values: Record<string, unknown> = {
    small: i % 2 === 0 ? 2147483647 : -i,
    ok: i % 4 === 0,
    f: i / 3,
    d: i === 7 ? -0 : i / 7,
    text: ['', ' a ', 'two\nlines', 'quo"te', 'ümläut', 'NULL', '\\N', 'x,y;z'][i % 8],
    doc: { a: [1, { b: i }], c: null },
    day: `2026-11-${String((i % 28) + 1).padStart(2, '0')}`,
    ms: `2026-11-23T10:00:00.${String(i % 1000).padStart(3, '0')}Z`,
    us: `1969-12-31T23:59:59.${String(i).padStart(6, '0')}Z`,
    tags: i % 2 === 0 ? [] : ['a', null, 'b'],
    who: { name: i % 5 === 0 ? null : `n${i}`, n: i },
    raw: Buffer.from([i % 256, 0, 10]).toString('base64'),
  };
  const kept = Object.entries(values).map(([name, value], column) =>
    (i + column) % 3 === 0 ? `"${name}":null` : `"${name}":${JSON.stringify(value)}`,
  );
  return `{"id":${i === 3 ? '9007199254740993' : i},"money":${(i / 4).toFixed(2)},${kept.join(',')}}\n`;
}

async function writeRows(name: string, from = 0, count = ROWS): Promise<void> {
  const lines = Array.from({ length: count }, (_, i) => rowOf(from + i));
  await writeFile(path.join(folder, 'in', name), lines.join(''));
}

function job(options: TestJobOptions = {}): CompiledJob {
  return testJob(folder, {
    parallelism: 2,
    ...options,
    source: { schema: schemaOf(TYPES), splitSizeBytes: 20_000, ...options.source },
    sink: { format: parquetOutput, ...options.sink },
  });
}

const FORMATS: readonly OutputFormatSpec[] = [
  parquetOutput,
  { ...parquetOutput, compression: 'zstd' } as OutputFormatSpec,
  ndjsonOutput,
  { type: 'ndjson', compression: 'gzip', dialect: 'hive' },
  { type: 'csv', compression: 'none', dialect: 'standard', delimiter: ',', header: true, nullText: '' },
  { type: 'csv', compression: 'none', dialect: 'standard', delimiter: ';', header: true, nullText: 'NULL' },
  { type: 'csv', compression: 'gzip', dialect: 'hive', delimiter: ',', header: false, nullText: '' },
  { type: 'avro', compression: 'deflate', level: null },
  { type: 'arrow', compression: 'none' },
];

describe('every type through every format', () => {
  for (const format of FORMATS) {
    const dialect = 'dialect' in format ? ` ${format.dialect}` : '';
    it(`${format.type} ${format.compression}${dialect}`, async () => {
      await writeRows('a.ndjson');
      await writeRows('b.ndjson', ROWS, 50);
      const made = job({ sink: { format } });
      await runInline(made);
      const report = await deep(made);
      expect(report.findings).toEqual([]);
      expect(report.deep).toMatchObject({ compared: true, files: 2, rows: ROWS + 50 });
      expect(report.deep?.columns_left_out).toEqual(
        format.type === 'csv' ? ['doc', 'tags', 'who', 'raw'] : [],
      );
    });
  }
});

it('columns of lineage are those of the source; time and checkpoint are of the run', async () => {
  await writeRows('a.ndjson');
  await writeRows('b.ndjson', ROWS, 50);
  const made = job({
    source: { lineage: ['file', 'offset', 'line', 'ingested_at', 'checkpoint'] },
    sink: {
      bucket: {
        type: 'fields',
        fields: [{ name: 'at', column: '_ingested_at', transform: 'date' }],
        keepFields: true,
      },
    },
  });
  await runInline(made);
  expect(await deep(made)).toMatchObject({
    findings: [],
    deep: { compared: true, rows: ROWS + 50, columns_left_out: ['_ingested_at', '_checkpoint'] },
  });
});

describe('what is found', () => {
  async function onlyPart(): Promise<string> {
    const [name, ...more] = (await readdir(path.join(folder, 'lake'))).filter((each) =>
      each.startsWith('part-'),
    );
    expect(more).toEqual([]);
    return path.join(folder, 'lake', name!);
  }

  const change = async (file: string, from: string, to: string) => {
    const text = await readFile(file, 'latin1');
    expect(text).toContain(from);
    await writeFile(file, text.replace(from, to), 'latin1');
  };

  for (const dialect of ['standard', 'hive'] as const) {
    it(`a value that changed in a part, ${dialect === 'standard' ? 'rows passed through' : 'rows decoded'}`, async () => {
      await writeRows('a.ndjson');
      const made = job({
        parallelism: 1,
        sink: { format: { ...ndjsonOutput, dialect } as OutputFormatSpec },
      });
      await runInline(made);
      expect((await deep(made)).ok).toBe(true);
      await change(await onlyPart(), '"id":400,', '"id":401,');
      expect(findingsOf(await deep(made))).toEqual(['content_differs -']);
    });
  }

  it('a row that took the place of another', async () => {
    await writeRows('a.ndjson');
    const made = job({ parallelism: 1, sink: { format: ndjsonOutput } });
    await runInline(made);
    const part = await onlyPart();
    const lines = (await readFile(part, 'utf8')).split('\n');
    // As long, so that nothing but the content tells.
    const same = lines
      .map((line, i) => ({ line, i }))
      .filter(({ line }) => Buffer.byteLength(line) === Buffer.byteLength(lines[100]!));
    const other = same.find(({ i }) => i !== 100)!;
    lines[100] = other.line;
    await writeFile(part, lines.join('\n'));
    expect(findingsOf(await deep(made))).toEqual(['content_differs -']);
  });

  it('a part in another order has the same digest', async () => {
    await writeRows('a.ndjson');
    const made = job({ parallelism: 1, sink: { format: ndjsonOutput } });
    await runInline(made);
    const part = await onlyPart();
    const lines = (await readFile(part, 'utf8')).trimEnd().split('\n');
    await writeFile(part, `${lines.reverse().join('\n')}\n`);
    expect(await deep(made)).toMatchObject({ ok: true, deep: { compared: true } });
  });
});

describe('data nobody announced', () => {
  it('rescued fields and values', async () => {
    const made = job({
      source: {
        schema: schemaOf({ id: 'int64', text: 'string', _rescued: 'json' }),
        drift: { newField: 'rescue', mismatch: 'rescue' },
      },
    });
    await writeFile(
      path.join(folder, 'in', 'a.ndjson'),
      '{"id":1,"text":"a"}\n{"id":"x","text":2,"new":{"b":1.50}}\n{"id":3,"text":null,"more":[1]}\n',
    );
    await runInline(made);
    expect(await deep(made)).toMatchObject({ findings: [], deep: { compared: true, rows: 3 } });
  });

  it('columns that came up and types that got wider, in parts of each schema', async () => {
    const made = job({
      source: {
        schema: schemaOf({ id: 'int32', v: 'int32', w: 'int64' }),
        drift: { newField: 'evolve', mismatch: 'widen' },
      },
    });
    const batches = [
      '{"id":1,"v":5,"w":1}\n',
      '{"id":2,"v":6,"w":1.5}\n{"id":3,"v":7,"w":2,"late":"x"}\n',
      '{"id":4,"v":"text","w":3}\n{"id":5,"v":"7","w":4,"late":null}\n',
    ];
    for (const [i, text] of batches.entries()) {
      await writeFile(path.join(folder, 'in', `${i}.ndjson`), text);
      await runInline(made);
    }
    expect(await deep(made)).toMatchObject({ findings: [], deep: { compared: true, rows: 5 } });
  });

  it('refused records are as many as they were; those that fit by now are told until they are replayed', async () => {
    const quarantine: NonNullable<CompiledJob['quarantine']> = {
      path: path.join(folder, 'quarantine'),
      format: { type: 'ndjson', compression: 'none', dialect: 'standard' },
      rolling: rollingBySizeAndTime({}),
    };
    const of = (id: string) =>
      job({ quarantine, source: { onBadRecord: 'quarantine', schema: schemaOf({ id, text: 'string' }) } });
    await writeFile(
      path.join(folder, 'in', 'a.ndjson'),
      '{"id":1,"text":"a"}\nnot json\n{"id":"two","text":"b"}\n{"id":3}\n',
    );
    await runInline(of('int64'));
    expect(await deep(of('int64'))).toMatchObject({ findings: [], deep: { compared: true, rows: 2 } });
    const wider = of('string');
    await runInline(wider);
    // Nothing new was read, but the schema is wider.
    const report = await deep(wider);
    expect(report).toMatchObject({ findings: [], deep: { compared: false } });
    expect(report.deep?.why_not).toMatch(
      /^1 records that were refused can be read: .* or would fit by now and were not replayed$/,
    );
    await replayJob(wider, localFileSystem('00aa'), {
      startSubtask: (config, receive) =>
        inlineSubtasks(localFileSystem(config.runId), systemClock)(config, receive),
    });
    expect(await deep(wider)).toMatchObject({ findings: [], deep: { compared: true, rows: 3 } });
  });

  it('files that grew, and why values are not compared: gone, open, changed', async () => {
    const made = job({ source: { modified: 'append' } });
    await writeRows('a.ndjson');
    await runInline(made);
    await appendFile(path.join(folder, 'in', 'a.ndjson'), rowOf(1000));
    await runInline(made);
    expect(await deep(made)).toMatchObject({ findings: [], deep: { compared: true, rows: ROWS + 1 } });
    await rm(path.join(folder, 'in', 'a.ndjson'));
    const report = await deep(made);
    expect(report).toMatchObject({ findings: [], deep: { compared: false, files: 0 } });
    expect(report.deep?.why_not).toBe('1 source files are not there as they were read');
  });

  it('a part that is damaged within is found, whether or not its source is there', async () => {
    const made = job({ sink: { format: parquetOutput } });
    await writeRows('a.ndjson');
    await runInline(made);
    const [name] = (await readdir(path.join(folder, 'lake'))).filter((each) => each.endsWith('.parquet'));
    const part = path.join(folder, 'lake', name!);
    const bytes = await readFile(part);
    await writeFile(part, bytes.fill(0x58, 100, 1000));
    expect(findingsOf(await verifyJob({ job: made, fileSystem: localFileSystem('00bb') }))).toEqual([]);
    for (const why of [
      'what was found explains a difference',
      '1 source files are not there as they were read',
    ]) {
      const report = await deep(made);
      expect(findingsOf(report)).toEqual([`part_damaged ${name}`]);
      expect(report.deep).toMatchObject({ compared: false, why_not: why });
      await rm(path.join(folder, 'in', 'a.ndjson'), { force: true });
    }
  });

  it('parts of lines that have the columns of an earlier schema, or of earlier steps, are not damaged', async () => {
    const evolving = job({
      source: { schema: schemaOf({ id: 'int64' }), drift: { newField: 'evolve', mismatch: 'bad_record' } },
      sink: { format: { ...FORMATS.find(({ type }) => type === 'csv')!, header: false } as OutputFormatSpec },
    });
    await writeFile(path.join(folder, 'in', 'a.ndjson'), '{"id":1}\n');
    await runInline(evolving);
    await writeFile(path.join(folder, 'in', 'b.ndjson'), '{"id":2,"z":1}\n');
    await runInline(evolving);
    // They cannot be compared, and whether they are damaged cannot be told.
    await expect(deep(evolving)).rejects.toMatchObject({ code: 'BAD_RECORD' });
    await rm(path.join(folder, 'in', 'a.ndjson'));
    const { findings, deep: report } = await deep(evolving);
    expect([findings, report?.why_not]).toEqual([[], '1 source files are not there as they were read']);
  });

  it('a part of lines that are no JSON any more does not pass', async () => {
    const made = job({ sink: { format: ndjsonOutput } });
    await writeRows('a.ndjson');
    await runInline(made);
    const [name] = (await readdir(path.join(folder, 'lake'))).filter((each) => each.startsWith('part-'));
    const part = path.join(folder, 'lake', name!);
    const bytes = await readFile(part);
    await writeFile(part, bytes.fill(0x58, 0, 20));
    await expect(deep(made)).rejects.toMatchObject({ code: 'BAD_RECORD' });
  });

  it('rotated logs: what was read under another name is no gap, and no reason to compare with what has the name now', async () => {
    const made = job({ source: { modified: 'append' } });
    const log = path.join(folder, 'in', 'app.ndjson');
    await writeRows('app.ndjson');
    await runInline(made);
    await rename(log, path.join(folder, 'in', 'app.1.ndjson'));
    await appendFile(path.join(folder, 'in', 'app.1.ndjson'), rowOf(1000));
    await writeRows('app.ndjson', 2000, 100);
    await runInline(made);
    const report = await deep(made);
    expect(report).toMatchObject({ findings: [], source: { rows: ROWS + 101 }, deep: { compared: false } });
    expect(report.deep?.why_not).toBe('files were read in more than one version, or under another name');
  });
});

describe('what a sound lake may hold', () => {
  const csv: OutputFormatSpec = {
    type: 'csv',
    compression: 'none',
    dialect: 'standard',
    delimiter: ',',
    header: true,
    nullText: '',
  };
  const put = (name: string, ...lines: string[]) =>
    writeFile(path.join(folder, 'in', name), `${lines.join('\n')}\n`);

  async function expectSound(made: CompiledJob, rows: number): Promise<void> {
    await runInline(made);
    expect(await deep(made)).toMatchObject({ findings: [], deep: { compared: true, rows } });
  }

  it.each([
    ['parquet', parquetOutput],
    ['ndjson', ndjsonOutput],
    ['hive ndjson', { ...ndjsonOutput, dialect: 'hive' }],
    ['csv', csv],
    ['hive csv', { ...csv, dialect: 'hive', header: false }],
    ['avro', { type: 'avro', compression: 'deflate', level: null }],
  ] as const)('times beyond those of a Date, in %s', async (_, format) => {
    const types = { ms: 'timestamp(ms)', us: 'timestamp(us)', many: 'list<timestamp(ms)>' };
    const far = ['9223372036854775807', '-9223372036854775808', '9000000000000000', '8640000000000001'];
    await put('a.ndjson', ...far.map((each) => `{"ms":${each},"us":${each},"many":[${each},1]}`));
    await expectSound(job({ source: { schema: schemaOf(types) }, sink: { format } }), far.length);
  });

  for (const [name, format] of [
    ['ndjson', ndjsonOutput],
    ['parquet', parquetOutput],
    ['csv', csv],
  ] as const) {
    it(`numbers, booleans and times of columns that became text, in ${name}`, async () => {
      const types = { n: 'int64', b: 'boolean', t: 'timestamp(ms)', d: 'date', x: 'float64' };
      const made = job({
        source: { schema: schemaOf(types), drift: { newField: 'ignore', mismatch: 'widen' } },
        sink: { format },
      });
      const zone = process.env.TZ;
      process.env.TZ = 'America/New_York';
      try {
        await put('a.ndjson', '{"n":5,"b":true,"t":"2026-01-01T00:00:00","d":"2026-01-01","x":1.50}');
        await runInline(made);
        await put('b.ndjson', '{"n":"five","b":"maybe","t":"soon","d":"later","x":"much"}');
        await expectSound(made, 2);
      } finally {
        if (zone === undefined) delete process.env.TZ;
        else process.env.TZ = zone;
      }
    });
  }

  it('booleans of CSV, as it spells them, of a column that became text', async () => {
    const source: TestJobOptions['source'] = {
      format: { ...csv, quote: '"', columns: null, quotedNewlines: true },
      schema: schemaOf({ b: 'boolean', n: 'int64' }),
      drift: { newField: 'ignore', mismatch: 'widen' },
    };
    await put('a.csv', 'b,n', 'TRUE,1', 'False,2');
    await runInline(job({ source }));
    await put('b.csv', 'b,n', 'maybe,3');
    await expectSound(job({ source }), 3);
  });

  it('numbers in a column that is declared as text, under `widen`', async () => {
    await put('a.ndjson', '{"s":1.50}', '{"s":"a"}', '{"s":true}');
    const drift = { newField: 'ignore', mismatch: 'widen' } as const;
    await expectSound(job({ source: { schema: schemaOf({ s: 'string' }), drift } }), 3);
  });

  it.each([
    ['ndjson', ndjsonOutput],
    ['hive ndjson', { ...ndjsonOutput, dialect: 'hive' } as OutputFormatSpec],
    ['csv', csv],
    ['parquet', parquetOutput],
  ])('NaN and the infinities, in %s', async (_, format) => {
    const module = path.join(folder, 'odd.mjs');
    await writeFile(
      module,
      'export const createMapFunction = () => ({ i }) => ({ f: [NaN, Infinity, -Infinity, 1.5][i], d: [NaN, Infinity, -Infinity, 1.5][i], l: [NaN, 1] });',
    );
    await put('a.ndjson', '{"i":0}', '{"i":1}', '{"i":2}', '{"i":3}');
    const schema = schemaOf({ f: 'float32', d: 'float64', l: 'list<float64>' });
    const made = job({ source: { schema: schemaOf({ i: 'int32' }) }, sink: { format } });
    await expectSound({ ...made, transform: [{ kind: 'map', module, schema, options: null }] }, 4);
  });

  it.each(['id', 'small', 'ok', 'f', 'money', 'day', 'ms', 'us', 'doc'])(
    'text parts of the column %s',
    async (column) => {
      await writeRows('a.ndjson');
      await expectSound(job({ sink: { format: { type: 'text', compression: 'none', column } } }), ROWS);
    },
  );

  it('a changed time in a text part is found', async () => {
    const made = job({
      sink: { format: { type: 'text', compression: 'none', column: 'ms' } },
      parallelism: 1,
    });
    await writeRows('a.ndjson');
    await runInline(made);
    const [part] = (await readdir(path.join(folder, 'lake'))).filter((each) => each.startsWith('part-'));
    const file = path.join(folder, 'lake', part!);
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('10:00:00.001Z', '11:00:00.001Z'));
    expect((await deep(made)).findings.map(({ code }) => code)).toEqual(['content_differs']);
  });
});
