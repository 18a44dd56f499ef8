/** Rows that have no bucket are bad records like others: left out and counted, quarantined as they stand, or the end. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../lib/core/clock.ts';
import type { CompiledJob } from '../../lib/core/compiled-job.ts';
import { setFailpointHook } from '../../lib/core/failpoint.ts';
import type { InputFormatSpec } from '../../lib/core/specs.ts';
import { replayJob } from '../../lib/pipeline/replay.ts';
import { localFileSystem } from '../../lib/storage/local/local-file-system.ts';
import { runInline } from '../support/inline-job.ts';
import { inlineSubtasks } from '../support/inline-subtasks.ts';
import {
  csvInputSpec,
  ndjsonOutput,
  parquetOutput,
  rollingBySizeAndTime,
  schemaOf,
  testJob,
} from '../support/job.ts';
import { listLake, readTable } from '../support/oracle.ts';
import { readQuarantine } from '../support/quarantine.ts';
import { verifyLocal } from '../support/verify.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-bucketless-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(() => rm(folder, { recursive: true }));

const ROWS = 20_000;
/** Every 997th has a time that is none; every 1009th is no record at all; some have no time. */
const hasNoBucket = (id: number) => id % 997 === 500;
const isMalformed = (id: number) => id % 1009 === 700 && !hasNoBucket(id);
const timeOf = (id: number) =>
  hasNoBucket(id) ? `yesterday ${id}` : id % 1500 === 3 ? null : `2026-11-${10 + (id % 9)}T10:00:00.000Z`;
const IDS = Array.from({ length: ROWS }, (_, id) => id);

const ndjsonLine = (id: number) =>
  isMalformed(id)
    ? `{"id":${id},`
    : JSON.stringify({ id, ts: timeOf(id), note: id % 50 === 0 ? 'zwölf' : 'n' });
const csvLine = (id: number) =>
  isMalformed(id) ? `${id},a,b,c,d` : `${id},${timeOf(id) ?? ''},${id % 3 === 0 ? '"two\nlines"' : 'n'}`;

const NDJSON: InputFormatSpec = { type: 'ndjson', compression: 'auto' };

function job(
  format: InputFormatSpec,
  onBadRecord: 'fail' | 'skip' | 'quarantine',
  options: Partial<CompiledJob['source']> = {},
): CompiledJob {
  return testJob(folder, {
    parallelism: 2,
    source: {
      format,
      onBadRecord,
      schema: schemaOf({ id: 'int64', ts: 'string', note: 'string' }),
      splitSizeBytes: 200_000,
      ...options,
    },
    eventTime: { column: 'ts', unit: 'ms' },
    quarantine:
      onBadRecord === 'quarantine'
        ? {
            path: path.join(folder, 'quarantine'),
            format: { type: 'ndjson', compression: 'none', dialect: 'standard' },
            rolling: rollingBySizeAndTime({}),
          }
        : null,
    sink: {
      format: parquetOutput,
      bucket: { type: 'datetime', time: 'event', pattern: "'dt='yyyy-MM-dd", zone: 'UTC' },
    },
  });
}

async function writeInput(name: string): Promise<void> {
  const lines = name.includes('csv') ? ['id,ts,note', ...IDS.map(csvLine)] : IDS.map(ndjsonLine);
  const text = `${lines.join('\n')}\n`;
  await writeFile(path.join(folder, 'in', name), name.endsWith('.gz') ? gzipSync(text) : text);
}

async function lakeIds(): Promise<number[]> {
  const { visible } = await listLake(path.join(folder, 'lake'));
  const ids: number[] = [];
  for (const part of visible)
    for (const row of await readTable(path.join(folder, 'lake', part), {})) ids.push(Number(row.id));
  return ids.sort((a, b) => a - b);
}

const GOOD = IDS.filter((id) => !hasNoBucket(id) && !isMalformed(id));

describe('quarantined as they stand in the file', () => {
  for (const [name, format] of [
    ['a.ndjson', NDJSON],
    ['a.ndjson.gz', NDJSON],
    ['a.csv', csvInputSpec],
    ['a.csv.gz', csvInputSpec],
  ] as const) {
    it(name, async () => {
      await writeInput(name);
      const made = job(format, 'quarantine');
      await runInline(made);
      expect(await lakeIds()).toEqual(GOOD);
      const kept = await readQuarantine(path.join(folder, 'quarantine'));
      const homeless = kept.filter(({ reason }) => reason === 'no_bucket');
      const lineOf = name.includes('csv') ? csvLine : ndjsonLine;
      const utf8 = (text: string) => Buffer.from(text, 'latin1').toString();
      expect(homeless.map(({ text }) => utf8(text)).sort()).toEqual(
        IDS.filter(hasNoBucket).map(lineOf).sort(),
      );
      const whole = await linesOf(name);
      for (const { text, offset, line, column, complete } of homeless) {
        expect({ column, complete }).toEqual({ column: 'ts', complete: true });
        expect(whole.subarray(offset, offset + text.length).toString('latin1')).toBe(text);
        expect(line).toBe(whole.subarray(0, offset).toString('latin1').split('\n').length);
      }
      expect(kept.length - homeless.length).toBe(IDS.filter(isMalformed).length);
      expect(await verifyLocal(made)).toMatchObject({
        findings: [],
        source: { records: ROWS, rows: GOOD.length, quarantined: kept.length },
      });

      // Read again by the same job, they have no bucket still, and keep the place where they were read first.
      await replayJob(made, localFileSystem('00aa'), {
        startSubtask: (config, receive) =>
          inlineSubtasks(localFileSystem(config.runId), systemClock)(config, receive),
      });
      const again = await readQuarantine(path.join(folder, 'quarantine'));
      const stable = (records: typeof kept) =>
        records
          .map(({ reason, text, file, offset, line }) => JSON.stringify([reason, text, file, offset, line]))
          .sort();
      expect(stable(again)).toEqual(stable(kept));
      expect(await verifyLocal(made)).toMatchObject({ findings: [] });
    });
  }

  async function linesOf(name: string): Promise<Buffer> {
    const lines = name.includes('csv') ? ['id,ts,note', ...IDS.map(csvLine)] : IDS.map(ndjsonLine);
    return Buffer.from(`${lines.join('\n')}\n`);
  }

  it('lines that pass through', async () => {
    await writeInput('a.ndjson');
    const made = job(NDJSON, 'quarantine');
    await runInline({ ...made, sink: { ...made.sink, format: ndjsonOutput } });
    expect(await lakeIds()).toEqual(GOOD);
    const kept = await readQuarantine(path.join(folder, 'quarantine'));
    expect(kept.filter(({ reason }) => reason === 'no_bucket')).toHaveLength(IDS.filter(hasNoBucket).length);
  });

  it('Parquet has no bytes of a record: it is kept as such, and not whole', async () => {
    const wide = path.join(folder, 'wide');
    await writeInput('a.ndjson');
    const { eventTime, ...plain } = job(NDJSON, 'skip');
    await runInline({
      ...plain,
      eventTime: null,
      name: 'wide',
      statePath: path.join(folder, 'state', 'wide'),
      sink: { ...plain.sink, path: wide, bucket: { type: 'base_path' } },
    });
    const made = job({ type: 'parquet', compression: 'auto' }, 'quarantine', { paths: [wide] });
    await runInline(made);
    expect(await lakeIds()).toEqual(GOOD);
    const kept = await readQuarantine(path.join(folder, 'quarantine'));
    expect(kept).toHaveLength(IDS.filter(hasNoBucket).length);
    expect(kept[0]).toMatchObject({ reason: 'no_bucket', complete: false, text: '' });
    expect(await verifyLocal(made)).toMatchObject({ findings: [] });
  });
});

describe('through a crash', () => {
  afterEach(() => setFailpointHook(null));

  for (const name of [
    'subtask.batch.after',
    'sink.snapshot.after',
    'checkpoint.write.after',
    'commit.before',
  ]) {
    it(name, async () => {
      await writeInput('a.csv');
      const made = {
        ...job(csvInputSpec, 'quarantine'),
        checkpoint: { intervalMs: 1, retain: 2 },
        parallelism: 1,
      };
      // Parts are published once, at the end.
      let left = name === 'commit.before' ? 1 : 2;
      setFailpointHook((reached) => {
        if (left > 0 && reached === name) left--;
        if (left === 0) throw new Error(`crash at ${name}`);
      });
      await expect(runInline(made)).rejects.toThrow(/crash at/);
      setFailpointHook(null);
      await runInline(made);
      expect(await lakeIds()).toEqual(GOOD);
      expect(await readQuarantine(path.join(folder, 'quarantine'))).toHaveLength(ROWS - GOOD.length);
      expect(await verifyLocal(made)).toMatchObject({ findings: [], source: { records: ROWS } });
    });
  }
});

describe('otherwise', () => {
  it('skip leaves them out and counts them', async () => {
    await writeInput('a.ndjson');
    const made = job(NDJSON, 'skip');
    const summary = await runInline(made);
    expect(await lakeIds()).toEqual(GOOD);
    expect(summary).toMatchObject({ rows: GOOD.length, rejected: ROWS - GOOD.length });
    expect(await verifyLocal(made)).toMatchObject({ findings: [], source: { records: ROWS } });
  });

  it('fail stops the job, and nothing of the batch is there', async () => {
    await writeFile(
      path.join(folder, 'in', 'a.ndjson'),
      '{"id":1,"ts":"2026-11-10"}\n{"id":2,"ts":"never"}\n',
    );
    await expect(runInline(job(NDJSON, 'fail'))).rejects.toMatchObject({
      code: 'BAD_RECORD',
      message: expect.stringContaining(`${path.join(folder, 'in', 'a.ndjson')}, in a record behind byte 0: `),
    });
    expect((await listLake(path.join(folder, 'lake'))).visible).toEqual([]);
  });

  it('they count against the limits', async () => {
    await writeInput('a.ndjson');
    const limited = (maxRecords: number) =>
      job(NDJSON, 'quarantine', { badRecordLimits: { maxRecords, maxRatio: null } });
    await expect(runInline(limited(20))).rejects.toMatchObject({ code: 'TOO_MANY_BAD_RECORDS' });
    await runInline(limited(ROWS - GOOD.length));
    expect(await lakeIds()).toEqual(GOOD);
    expect(await readQuarantine(path.join(folder, 'quarantine'))).toHaveLength(ROWS - GOOD.length);
  });

  it('a name of a folder that leads out of the lake, from an assigner of the job’s own', async () => {
    const module = path.join(folder, 'assigner.mjs');
    await writeFile(
      module,
      'export const createBucketAssigner = () => ({ getBucketId: (record) => record.note });\n',
    );
    await writeFile(
      path.join(folder, 'in', 'a.ndjson'),
      '{"id":1,"note":"a"}\n{"id":2,"note":"../../x"}\n{"id":3,"note":"b"}\n',
    );
    const made = job(NDJSON, 'quarantine');
    const custom = {
      ...made,
      eventTime: null,
      sink: { ...made.sink, bucket: { type: 'custom' as const, module, options: null } },
    };
    await runInline(custom);
    expect(await lakeIds()).toEqual([1, 3]);
    expect(await readQuarantine(path.join(folder, 'quarantine'))).toMatchObject([
      { reason: 'no_bucket', line: 2, text: '{"id":2,"note":"../../x"}' },
    ]);
  });
});
