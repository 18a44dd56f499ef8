/** Jobs with transforms, from file to file: every row is written once as the steps say, or counted as left out. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listLake, type Row, readTable } from '../../support/oracle.ts';
import { sluice } from '../../support/program.ts';
import { readQuarantine } from '../../support/quarantine.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-transform-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(() => rm(folder, { recursive: true }));

interface Input {
  readonly id: number;
  readonly country: string | null;
  readonly amount: number | null;
}

const INPUT: readonly Input[] = Array.from({ length: 3000 }, (_, id) => ({
  id,
  country: id % 5 === 0 ? null : ['DE', 'FR', 'IT'][id % 3]!,
  amount: id % 7 === 0 ? null : id / 4,
}));
const line = (row: Input) =>
  `{"id":${row.id}, "country":${JSON.stringify(row.country)},"amount":${row.amount},"x":[1]}`;
/** What `country != "IT" && amount > 100.0` is true of. */
const isKept = ({ country, amount }: Input) =>
  country !== null && country !== 'IT' && amount !== null && amount > 100;
const FILTER = `filter: country != "IT" && amount > 100.0`;

async function putInput(format: 'ndjson' | 'csv' | 'json'): Promise<void> {
  const text = {
    ndjson: () => INPUT.map((row) => `${line(row)}\n`).join(''),
    csv: () =>
      `id,country,amount\n${INPUT.map(({ id, country, amount }) => `${id},${country ?? ''},${amount ?? ''}\n`).join('')}`,
    json: () => JSON.stringify(INPUT),
  }[format]();
  await writeFile(path.join(folder, 'in', `rows.${format}`), text);
}

async function putJob(steps: readonly string[], given: { source?: string; sink: string; more?: string }) {
  const text = [
    'version: 1',
    'job: t',
    'state: ./state',
    'source:',
    '  path: ./in',
    `  format: ${given.source ?? '{ type: ndjson }'}`,
    ...(steps.length === 0 ? [] : ['transform:', ...steps.map((step) => `  - ${step}`)]),
    'sink:',
    '  path: ./lake',
    given.sink,
    given.more ?? '',
  ];
  await writeFile(path.join(folder, 'job.yaml'), `${text.join('\n')}\n`);
}

const run = (...args: string[]) => sluice(args, { cwd: folder });

async function backfill(): Promise<Record<string, unknown>> {
  const { code, stderr, stdout } = await run('backfill', '--json', 'job.yaml');
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown>;
}

async function lakeRows(): Promise<{ bucket: string; row: Row }[]> {
  const lake = path.join(folder, 'lake');
  const rows = [];
  for (const part of (await listLake(lake)).visible)
    for (const row of await readTable(path.join(lake, part), {}))
      rows.push({ bucket: path.dirname(part), row });
  return rows;
}

async function expectVerified(filtered: number): Promise<void> {
  const { code, stdout, stderr } = await run('verify', '--deep', '--json', 'job.yaml');
  expect(code, stderr + stdout).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    source: { records: INPUT.length, filtered, rows: INPUT.length - filtered },
    deep: { compared: true },
  });
}

describe('transforms', () => {
  const kept = INPUT.filter(isKept);
  const filtered = INPUT.length - kept.length;

  const pairs = [
    ...(['parquet', 'ndjson', 'csv', 'avro', 'arrow'] as const).map((sink) => ['ndjson', sink] as const),
    ['csv', 'parquet'],
    ['json', 'csv'],
  ] as const;
  for (const [source, sink] of pairs) {
    it(`${source} to ${sink}: buckets see what the steps made`, async () => {
      await putInput(source);
      await putJob(
        [
          FILTER,
          'rename: { country: land }',
          'cast: { id: string }',
          'constant: { site: berlin }',
          'select: [land, id, site, amount]',
        ],
        {
          source: `{ type: ${source} }`,
          sink: `  format: { type: ${sink}${sink === 'avro' ? ', compression: none' : ''} }\n  bucket: { type: fields, fields: [land], keep_fields: true }`,
        },
      );
      expect(await backfill()).toMatchObject({ rows: kept.length, filtered, rejected: 0 });
      const rows = (await lakeRows()).sort((a, b) => Number(a.row.id) - Number(b.row.id));
      expect(rows).toEqual(
        kept.map(({ id, country, amount }) => ({
          bucket: `land=${country}`,
          row: {
            land: country,
            id: String(id),
            site: 'berlin',
            amount: sink === 'csv' ? String(amount) : amount,
          },
        })),
      );
      await expectVerified(filtered);
    });
  }

  it('a filter alone copies the bytes of the rows that stay', async () => {
    await putInput('ndjson');
    await putJob([FILTER], {
      sink: '  format: { type: ndjson }\n  bucket: { type: fields, fields: [country], keep_fields: true }',
    });
    expect(await backfill()).toMatchObject({ rows: kept.length, filtered });
    const lines = [];
    for (const part of (await listLake(path.join(folder, 'lake'))).visible)
      lines.push(...(await readFile(path.join(folder, 'lake', part), 'utf8')).trimEnd().split('\n'));
    expect(lines.sort()).toEqual(kept.map(line).sort());
    await expectVerified(filtered);
  });

  it('status tells what was left out, and steps may change at a start', async () => {
    await putInput('ndjson');
    const sink = '  format: { type: parquet }\n  bucket: { type: base_path }';
    await putJob([FILTER], { sink });
    await backfill();
    expect((await run('status', 'job.yaml')).stderr).toContain('filtered out');
    const status = JSON.parse((await run('status', '--json', 'job.yaml')).stdout);
    expect(status).toMatchObject({ checkpoint: { totals: { rows: kept.length, filtered } } });
    await writeFile(path.join(folder, 'in/more.ndjson'), '{"id":-1,"country":"IT","amount":1}\n');
    await putJob(['constant: { site: berlin }'], { sink });
    expect(await backfill()).toMatchObject({ rows: 1, filtered: 0 });
    const rows = await lakeRows();
    expect(rows.find(({ row }) => Number(row.id) === -1)?.row).toMatchObject({ site: 'berlin' });
    expect(rows).toHaveLength(kept.length + 1);
  });

  it('a value that a cast cannot make stops the job, unless it says null', async () => {
    await putInput('ndjson');
    const sink = '  format: { type: parquet }\n  bucket: { type: base_path }';
    await putJob(['cast: { country: int64 }'], { sink });
    const { code, stderr } = await run('backfill', 'job.yaml');
    expect(code).toBe(3);
    expect(stderr).toMatch(/ndjson: a value of the column 'country' cannot be cast to int64: 'FR'/);
    await putJob(["cast: { country: { type: int64, on_error: 'null' } }"], { sink });
    expect(await backfill()).toMatchObject({ rows: INPUT.length });
    expect((await lakeRows()).every(({ row }) => row.country === null)).toBe(true);
  });

  it.each([
    [
      'filter: country == "DE" && amunt > 1',
      "transform[0].filter: at character 20 (amunt > 1): there is no column 'amunt'",
    ],
    ['filter: country ==', 'transform[0].filter: at character'],
    ['filter: id == "7"', 'cannot be compared with a string'],
    ['select: [id, nope]', "transform[0].select[1]: there is no column 'nope'"],
    ['rename: { nope: x }', "transform[0].rename.nope: there is no column 'nope'"],
    ['drop: [country]', "sink.bucket.fields[0]: the schema has no column 'country'"],
    ['{ drop: [id], select: [id] }', 'a step has one key'],
    ['fliter: id > 1', "did you mean 'filter'"],
  ])('check tells what is wrong with %s, schema inferred or given', async (step, wanted) => {
    await putInput('ndjson');
    const sink = '  format: { type: parquet }\n  bucket: { type: fields, fields: [country] }';
    for (const schema of [
      'infer',
      '[{ name: id, type: int64 }, { name: country, type: string }, { name: amount, type: float64 }]',
    ]) {
      await putJob([step], { source: `{ type: ndjson, schema: ${schema} }`, sink });
      const { code, stderr } = await run('check', 'job.yaml');
      expect(code, stderr).toBe(2);
      expect(stderr).toContain(wanted);
      expect(stderr).toMatch(/line \d+, column \d+/);
    }
  });

  it('a filter, and rows that have no bucket: each record is where it belongs, and counted once', async () => {
    const rows = Array.from({ length: 500 }, (_, id) => ({
      id,
      ts: id % 9 === 0 ? `no ${id}` : '2026-11-23T01:02:03Z',
    }));
    await writeFile(
      path.join(folder, 'in/rows.ndjson'),
      rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
    );
    const sink = [
      '  format: { type: parquet }',
      '  bucket: { type: datetime, time: event, pattern: yyyy }',
      'event_time: { field: ts }',
      'quarantine: { path: ./quarantine, format: { type: ndjson } }',
    ].join('\n');
    await putJob(['filter: id >= 100 && id != 207'], {
      source:
        '{ type: ndjson, on_bad_record: quarantine, schema: [{ name: id, type: int64 }, { name: ts, type: string }] }',
      sink,
    });
    const stays = rows.filter(({ id }) => id >= 100 && id !== 207);
    const bad = stays.filter(({ ts }) => ts.startsWith('no'));
    expect(await backfill()).toMatchObject({
      rows: stays.length - bad.length,
      quarantined: bad.length,
      filtered: 101,
    });
    const kept = await readQuarantine(path.join(folder, 'quarantine'));
    expect(kept.map(({ text }) => text).sort()).toEqual(bad.map((row) => JSON.stringify(row)).sort());
    const { code, stdout } = await run('verify', '--json', 'job.yaml');
    expect(code, stdout).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ source: { records: 500, filtered: 101 } });
  });

  it('a printed job is the same job', async () => {
    await putInput('ndjson');
    const sink = '  format: { type: parquet }\n  bucket: { type: base_path }';
    await putJob(
      [
        FILTER,
        "cast: { id: { type: string, on_error: 'null' } }",
        "constant: { d: { type: date, value: '2026-01-01' } }",
        'default: { country: none }',
      ],
      { sink },
    );
    const printed = (await run('check', 'job.yaml')).stdout;
    await writeFile(path.join(folder, 'again.yaml'), printed);
    expect((await run('check', 'again.yaml')).stdout).toBe(printed);
    expect(printed).toContain('on_error: "null"');
  });
});

it('a first start refuses a folder that would hide a column; a job that ran goes on', async () => {
  await putInput('ndjson');
  const bucket = (name: string) => `  bucket: { type: fields, fields: [{ ${name}: country }] }`;
  await putJob([], { sink: bucket('Amount') });
  for (const command of ['check', 'plan', 'backfill']) {
    const { code, stderr } = await run(command, 'job.yaml');
    expect(code).toBe(2);
    expect(stderr).toContain("the column 'amount' is in the part files");
    expect(stderr).toContain('give the folder another name');
  }
  expect((await listLake(path.join(folder, 'lake'))).visible).toEqual([]);
  // As a job that ran before this was refused: the column comes later.
  await writeFile(path.join(folder, 'in', 'rows.ndjson'), '{"id":1,"country":"DE"}\n');
  await putJob([], { source: '{ type: ndjson, on_new_field: evolve }', sink: bucket('Amount') });
  await backfill();
  await writeFile(path.join(folder, 'in', 'more.ndjson'), '{"id":2,"country":"DE","amount":1}\n');
  await backfill();
  await backfill();
  expect((await run('check', 'job.yaml')).code).toBe(0);
});
