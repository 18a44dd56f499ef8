/** A daemon that goes by event time: parts closed by the watermark, late rows, restarts. */
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readStatus } from '../../lib/commit/status.ts';
import { systemClock } from '../../lib/core/clock.ts';
import type { CompiledJob } from '../../lib/core/compiled-job.ts';
import type { WatermarkSpec } from '../../lib/core/specs.ts';
import type { TransformStep } from '../../lib/core/transform-spec.ts';
import { runJob } from '../../lib/pipeline/job-runner.ts';
import type { JobSummary } from '../../lib/pipeline/progress.ts';
import { replayJob } from '../../lib/pipeline/replay.ts';
import { localFileSystem } from '../../lib/storage/local/local-file-system.ts';
import { parseExpression } from '../../lib/transform/expression/parse.ts';
import { inlineSubtasks } from '../support/inline-subtasks.ts';
import { csvInputSpec, rollingBySizeAndTime, schemaOf, testJob } from '../support/job.ts';
import { readQuarantine } from '../support/quarantine.ts';
import { until } from '../support/until.ts';
import { verifyLocal } from '../support/verify.ts';
import { visibleFiles } from '../support/visible-files.ts';

const NEVER_MS = 3_600_000;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-event-time-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(() => rm(folder, { recursive: true }));

function job(watermarks: Partial<WatermarkSpec> = {}): CompiledJob {
  return testJob(folder, {
    checkpoint: { intervalMs: 50, retain: 2 },
    eventTime: { column: 'ts', unit: 'ms' },
    watermarks: {
      maxOutOfOrdernessMs: 0,
      idleTimeoutMs: null,
      late: 'keep',
      allowedLatenessMs: 0,
      ...watermarks,
    },
    source: { schema: schemaOf({ id: 'int64', ts: 'timestamp(ms)' }), monitorIntervalMs: 20 },
    sink: {
      bucket: { type: 'datetime', time: 'event', pattern: "'hour='yyyy-MM-dd-HH", zone: 'UTC' },
      rolling: rollingBySizeAndTime({
        rolloverIntervalMs: NEVER_MS,
        inactivityIntervalMs: NEVER_MS,
        watermarkDelayMs: 60_000,
      }),
    },
  });
}

/** Runs the daemon while `during` runs. */
async function whileRunning(compiled: CompiledJob, during: () => Promise<void>): Promise<JobSummary> {
  const stop = new AbortController();
  const running = runJob(compiled, {
    mode: 'continuously',
    signal: stop.signal,
    startSubtask: (config, receive) =>
      inlineSubtasks(localFileSystem(config.runId), systemClock)(config, receive),
  });
  await Promise.race([during(), running]);
  stop.abort();
  return running;
}

async function put(name: string, ...rows: [id: number, time: string][]): Promise<void> {
  const lines = rows.map(([id, time]) => `${JSON.stringify({ id, ts: `2026-11-22T${time}Z` })}\n`);
  await writeFile(path.join(folder, `.${name}`), lines.join(''));
  await rename(path.join(folder, `.${name}`), path.join(folder, 'in', `${name}.ndjson`));
}

/** Ids by hour, of what is visible. */
async function visible(): Promise<Record<string, number[]>> {
  const found: Record<string, number[]> = {};
  for (const file of await visibleFiles(path.join(folder, 'lake'))) {
    const hour = path.dirname(file).slice(-2);
    const text = await readFile(path.join(folder, 'lake', file), 'utf8');
    const ids = text
      .trimEnd()
      .split('\n')
      .map((line) => Number(JSON.parse(line).id));
    found[hour] = [...(found[hour] ?? []), ...ids].sort((a, b) => a - b);
  }
  return found;
}

const seen = (expected: Record<string, number[]>) =>
  expect.poll(visible, { timeout: 20_000, interval: 20 }).toEqual(expected);
const status = async (compiled: CompiledJob) =>
  (await readStatus(compiled, localFileSystem('0000'), systemClock)).checkpoint;
const doneRows = (compiled: CompiledJob, rows: number) =>
  expect.poll(async () => (await status(compiled))?.totals.rows, { timeout: 20_000 }).toBe(rows);

describe('rolling.watermark', () => {
  it('closes a part once the watermark is past the end of its bucket and the delay; late rows make another', async () => {
    const compiled = job();
    await whileRunning(compiled, async () => {
      await put('a', [1, '10:10:00'], [2, '10:59:59'], [3, '11:00:59']);
      await doneRows(compiled, 3);
      expect(await visible()).toEqual({});
      await put('b', [4, '11:01:00.001']);
      await seen({ 10: [1, 2] });
      await put('late', [5, '10:30:00']);
      await seen({ 10: [1, 2, 5] });
    });
    const after = await status(compiled);
    expect(after?.totals.late).toBe(1);
    expect(after?.watermarkMs).toBe(Date.parse('2026-11-22T11:01:00.000Z'));
    expect(after?.openParts.map(({ bucket, rows }) => [bucket, rows])).toEqual([['hour=2026-11-22-11', 2]]);
  });

  it('waits for rows out of order as far as they may be', async () => {
    const compiled = job({ maxOutOfOrdernessMs: 600_000 });
    await whileRunning(compiled, async () => {
      await put('a', [1, '10:10:00'], [2, '11:09:00']);
      await doneRows(compiled, 2);
      await put('b', [3, '10:59:00']);
      await doneRows(compiled, 3);
      expect(await visible()).toEqual({});
      await put('c', [4, '11:11:00.001']);
      await seen({ 10: [1, 3] });
    });
    expect((await status(compiled))?.totals.late).toBe(0);
  });
});

describe('late: drop', () => {
  it('leaves late rows out and counts them, after a restart too, which never takes the watermark back', async () => {
    const compiled = job({ late: 'drop', allowedLatenessMs: 120_000 });
    await whileRunning(compiled, async () => {
      await put('a', [1, '10:10:00'], [2, '11:01:30']);
      await seen({ 10: [1] });
      await put('b', [3, '10:20:00']);
      await seen({ 10: [1, 3] });
      await put('c', [4, '11:02:00.001']);
      // A row is counted by the checkpoint it is in, and its time may first be known to the one after that.
      await expect
        .poll(async () => (await status(compiled))?.watermarkMs, { timeout: 20_000 })
        .toBe(Date.parse('2026-11-22T11:02:00.000Z'));
      await put('d', [5, '10:30:00']);
      await doneRows(compiled, 5);
    });
    const summary = await whileRunning(compiled, async () => {
      await put('e', [6, '10:40:00'], [7, '11:03:00'], [8, '13:00:00']);
      await seen({ 10: [1, 3], 11: [2, 4, 7] });
    });
    expect(summary.late).toBe(1);
    expect((await status(compiled))?.totals).toMatchObject({ rows: 8, late: 2 });
  });
});

describe('late: quarantine', () => {
  it('keeps late rows as they stand in the file, and a replay brings them into the lake', async () => {
    const compiled: CompiledJob = {
      ...job({ late: 'quarantine' }),
      quarantine: {
        path: path.join(folder, 'quarantine'),
        format: { type: 'ndjson', compression: 'none', dialect: 'standard' },
        rolling: rollingBySizeAndTime({}),
      },
    };
    const summary = await whileRunning(compiled, async () => {
      await put('a', [1, '10:10:00'], [2, '11:01:30']);
      await seen({ 10: [1] });
      // In one batch: late ones on both sides of a row that is not.
      await put('b', [3, '10:20:00'], [4, '11:02:00'], [5, '10:30:00'], [6, '10:40:00']);
      await until('both files are read', async () => {
        const totals = (await status(compiled))?.totals;
        return totals?.rows === 3 && totals.quarantined === 3;
      });
    });
    expect(summary).toMatchObject({ rows: 3, quarantined: 3, late: 3 });
    const kept = await readQuarantine(path.join(folder, 'quarantine'));
    const text = await readFile(path.join(folder, 'in', 'b.ndjson'), 'utf8');
    expect(kept.map((record) => record.text)).toEqual([0, 2, 3].map((line) => text.split('\n')[line]));
    expect(kept.map(({ reason, line, complete }) => [reason, line, complete])).toEqual([
      ['late', 1, true],
      ['late', 3, true],
      ['late', 4, true],
    ]);
    expect(await verifyLocal(compiled)).toMatchObject({
      findings: [],
      source: { records: 6, rows: 3, quarantined: 3 },
    });
    await replayJob(compiled, localFileSystem('00aa'), {
      startSubtask: (config, receive) =>
        inlineSubtasks(localFileSystem(config.runId), systemClock)(config, receive),
    });
    expect(await visible()).toEqual({ 10: [1, 3, 5, 6], 11: [2, 4] });
    expect(await readQuarantine(path.join(folder, 'quarantine'))).toEqual([]);
    expect(await verifyLocal(compiled)).toMatchObject({ findings: [], lake: { rows: 6 } });
  });

  const FILTER = 'keep';
  const renamed: TransformStep = { kind: 'rename', names: { ts: 'at' } };
  /** What becomes of a row is told by its number alone: bad, left out by the filter, late, or written. */
  const isBad = (id: number) => id % 11 === 3;
  const isKept = (id: number) => id % 3 !== 1;
  const isLate = (id: number) => id % 4 === 2;
  const ROWS = 20_000;

  it.each([
    ['lines that are copied', 'ndjson', []],
    ['rows that are written anew, by a renamed column, with lineage', 'ndjson', [renamed]],
    ['CSV', 'csv', []],
  ] as const)('with a filter: %s', async (_, format, more) => {
    const parsed = await parseExpression(FILTER);
    if (!parsed.ok) throw new Error(parsed.message);
    const base = job({ late: 'quarantine' });
    const compiled: CompiledJob = {
      ...base,
      transform: [{ kind: 'filter', text: FILTER, expression: parsed.expression }, ...more],
      eventTime: { column: more.length === 0 ? 'ts' : 'at', unit: 'ms' },
      source: {
        ...base.source,
        ...(format === 'csv' ? { format: csvInputSpec } : {}),
        schema: schemaOf({ id: 'int64', keep: 'boolean', ts: 'timestamp(ms)' }),
        onBadRecord: 'quarantine',
        lineage: more.length === 0 ? [] : ['offset', 'line'],
      },
      quarantine: {
        path: path.join(folder, 'quarantine'),
        format: { type: 'ndjson', compression: 'none', dialect: 'standard' },
        rolling: rollingBySizeAndTime({}),
      },
    };
    const lineOf = (id: number, time: string) => {
      const [number, keep] = [isBad(id) ? 'none' : String(id), String(isKept(id))];
      const ts = `2026-11-22T${time}Z`;
      return format === 'csv'
        ? `${number},${keep},${ts}\n`
        : `{"id":${isBad(id) ? '"none"' : id},"keep":${keep},"ts":"${ts}"}\n`;
    };
    const header = format === 'csv' ? 'id,keep,ts\n' : '';
    const write = async (name: string, lines: readonly string[]) => {
      await writeFile(path.join(folder, `.${name}`), header + lines.join(''));
      await rename(path.join(folder, `.${name}`), path.join(folder, 'in', `${name}.${format}`));
    };
    const ids = Array.from({ length: ROWS }, (_, id) => id + 100);
    const good = ids.filter((id) => !isBad(id));
    const late = good.filter((id) => isKept(id) && isLate(id));
    const written = good.filter((id) => isKept(id) && !isLate(id));
    const lines = ids.map((id) => lineOf(id, isLate(id) ? '10:30:00' : '11:02:00'));
    await whileRunning(compiled, async () => {
      // Numbers 0 and 2 are kept.
      await write('a', [lineOf(0, '10:10:00'), lineOf(2, '11:01:30')]);
      await seen({ 10: [0] });
      await write('b', lines);
      await until('both files are read', async () => {
        const totals = (await status(compiled))?.totals;
        const { rows = 0, quarantined = 0, filtered = 0 } = totals ?? {};
        return rows + quarantined + filtered === ROWS + 2;
      });
    });
    const totals = {
      rows: written.length + 2,
      quarantined: late.length + ids.filter(isBad).length,
      filtered: good.filter((id) => !isKept(id)).length,
    };
    expect((await status(compiled))?.totals).toMatchObject(totals);
    const kept = await readQuarantine(path.join(folder, 'quarantine'));
    expect(kept.map(({ text, reason, line }) => [reason, line, text]).sort()).toEqual(
      ids
        .flatMap((id, i) => {
          const reason = isBad(id) ? 'type_mismatch' : late.includes(id) ? 'late' : null;
          const line = i + 1 + (format === 'csv' ? 1 : 0);
          return reason === null ? [] : [[reason, line, lines[i]!.trimEnd()]];
        })
        .sort(),
    );
    expect(await verifyLocal(compiled)).toMatchObject({
      findings: [],
      source: { records: ROWS + 2, ...totals },
    });

    await replayJob(compiled, localFileSystem('00aa'), {
      startSubtask: (config, receive) =>
        inlineSubtasks(localFileSystem(config.runId), systemClock)(config, receive),
    });
    expect(await visible()).toEqual({ 10: [0, ...late], 11: [2, ...written] });
    // The bad ones again, and nothing else.
    expect(await readQuarantine(path.join(folder, 'quarantine'))).toHaveLength(ids.filter(isBad).length);
    expect(await verifyLocal(compiled)).toMatchObject({
      findings: [],
      lake: { rows: late.length + written.length + 2 },
    });
  });
});

describe('a replay', () => {
  const replay = (compiled: CompiledJob) =>
    replayJob(compiled, localFileSystem('00aa'), {
      startSubtask: (config, receive) =>
        inlineSubtasks(localFileSystem(config.runId), systemClock)(config, receive),
    });

  /** @param id of the records; under `int64` those with another one are quarantined */
  function announcing(id: 'int64' | 'string', late: WatermarkSpec['late']): CompiledJob {
    const plain = job({ late });
    return {
      ...plain,
      quarantine: {
        path: path.join(folder, 'quarantine'),
        format: { type: 'ndjson', compression: 'none', dialect: 'standard' },
        rolling: rollingBySizeAndTime({}),
      },
      source: {
        ...plain.source,
        schema: schemaOf({ id, ts: 'timestamp(ms)' }),
        onBadRecord: 'quarantine',
      },
      sink: {
        ...plain.sink,
        partitionCommit: {
          trigger: 'partition_time',
          delayMs: 3_600_000,
          policies: [{ type: 'success_file', name: '_SUCCESS' }],
          retry: { attempts: 3, minBackoffMs: 10, maxBackoffMs: 10 },
        },
      },
    };
  }

  /** Rows that success files tell of, by hour. */
  async function announced(): Promise<Record<string, number>> {
    const found: Record<string, number> = {};
    const names = await readdir(path.join(folder, 'lake'), { recursive: true });
    for (const name of names.filter((each) => path.basename(each) === '_SUCCESS')) {
      const { rows } = JSON.parse(await readFile(path.join(folder, 'lake', name), 'utf8')) as {
        rows: number;
      };
      found[path.dirname(name).slice(-2)] = rows;
    }
    return found;
  }

  it.each(['keep', 'drop'] as const)(
    'announces again what its rows went to and not what the source still fills; late rows come in (late: %s)',
    async (late) => {
      const first = announcing('int64', late);
      await whileRunning(first, async () => {
        await put('a', [1, '10:10:00'], [2, '11:30:00']);
        await writeFile(
          path.join(folder, 'in', 'bad.ndjson'),
          ['10:20:00', '11:40:00', '15:00:00']
            .map((time, i) => `{"id":"x${i}","ts":"2026-11-22T${time}Z"}\n`)
            .join(''),
        );
        await expect.poll(announced, { timeout: 20_000, interval: 20 }).toEqual({ 10: 1 });
        await until('all are read', async () => {
          const totals = (await status(first))?.totals;
          return totals?.rows === 2 && totals.quarantined === 3;
        });
      });
      const { watermarkMs } = (await status(first))!;
      const wider = announcing('string', late);
      expect(await replay(wider)).toMatchObject({ rows: 3, quarantined: 0, parts_replayed: 1 });
      expect(Object.entries(await visible()).map(([hour, ids]) => [hour, ids.length])).toEqual([
        ['10', 2],
        ['11', 2],
        ['15', 1],
      ]);
      expect(await announced()).toEqual({ 10: 2 });
      expect((await status(wider))!.watermarkMs).toBe(watermarkMs);
      await whileRunning(wider, async () => {
        const row = '{"id":"3","ts":"2026-11-22T12:00:00.001Z"}\n';
        await writeFile(path.join(folder, 'in', 'b.ndjson'), row);
        await expect.poll(announced, { timeout: 20_000, interval: 20 }).toEqual({ 10: 2, 11: 2 });
      });
      expect(await verifyLocal(wider)).toMatchObject({ findings: [] });
    },
  );
});
