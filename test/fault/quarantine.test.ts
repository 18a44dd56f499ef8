/**
 * Quarantine with a crash at every step: each record is in the lake or in the quarantine, once; a replay brings those
 * that fit by now into the lake, once, whatever happens while it runs.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../lib/core/clock.ts';
import type { CompiledJob } from '../../lib/core/compiled-job.ts';
import { setFailpointHook } from '../../lib/core/failpoint.ts';
import type { QuarantineSpec } from '../../lib/core/specs.ts';
import { runJob } from '../../lib/pipeline/job-runner.ts';
import { replayJob } from '../../lib/pipeline/replay.ts';
import type { RunOptions } from '../../lib/pipeline/run-options.ts';
import { localFileSystem } from '../../lib/storage/local/local-file-system.ts';
import { crashAt } from '../support/crash.ts';
import { inlineSubtasks } from '../support/inline-subtasks.ts';
import { ndjsonOutput, parquetOutput, rollingBySizeAndTime, schemaOf, testJob } from '../support/job.ts';
import { listLake, readTable } from '../support/oracle.ts';
import { hiddenFiles, readQuarantine } from '../support/quarantine.ts';
import { verifyLocal } from '../support/verify.ts';

const FILES = 3;
const ROWS = 400;
/** Every 7th record has a number that is none. */
const isBad = (id: number) => id % 7 === 3;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-quarantine-'));
  await mkdir(path.join(folder, 'in'));
  for (let file = 0; file < FILES; file++) {
    const lines = Array.from({ length: ROWS }, (_, i) => {
      const id = file * ROWS + i;
      return `{"id":${id},"n":${isBad(id) ? `"no ${id}"` : id * 2}}\n`;
    });
    await writeFile(path.join(folder, 'in', `${file}.ndjson`), lines.join(''));
  }
});
afterEach(async () => {
  setFailpointHook(null);
  await rm(folder, { recursive: true });
});

const options: Omit<RunOptions, 'mode'> = {
  startSubtask: (config, receive) =>
    inlineSubtasks(localFileSystem(config.runId), systemClock)(config, receive),
};

function job(format: QuarantineSpec['format'], n: string, parallelism = 1): CompiledJob {
  return testJob(folder, {
    parallelism,
    checkpoint: { intervalMs: 1, retain: 2 },
    memoryBytes: 1024 * 1024,
    source: {
      schema: schemaOf({ id: 'int64', n }),
      onBadRecord: 'quarantine',
      splitSizeBytes: 4096,
    },
    sink: { format: ndjsonOutput },
    quarantine: {
      path: path.join(folder, 'quarantine'),
      format,
      rolling: rollingBySizeAndTime({ partSizeBytes: 20_000 }),
    },
  });
}

async function lakeIds(): Promise<number[]> {
  const { visible } = await listLake(path.join(folder, 'lake'));
  const rows = [];
  for (const part of visible) rows.push(...(await readTable(path.join(folder, 'lake', part), {})));
  return rows.map((row) => Number(row.id)).sort((a, b) => a - b);
}

const ALL = Array.from({ length: FILES * ROWS }, (_, id) => id);

async function expectEachOnce(): Promise<void> {
  expect(await lakeIds()).toEqual(ALL.filter((id) => !isBad(id)));
  const kept = await readQuarantine(path.join(folder, 'quarantine'));
  const ids = kept.map(({ text }) => Number((JSON.parse(text) as { id: number }).id));
  expect(ids.sort((a, b) => a - b)).toEqual(ALL.filter(isBad));
  for (const record of kept) {
    const { id } = JSON.parse(record.text) as { id: number };
    expect(record).toMatchObject({
      reason: 'type_mismatch',
      column: 'n',
      file: `${Math.floor(id / ROWS)}.ndjson`,
      line: (id % ROWS) + 1,
      complete: true,
    });
  }
}

describe('quarantine, crash at every step', () => {
  const points = [
    'checkpoint.snapshots.complete',
    'checkpoint.write.after',
    'checkpoint.write.before',
    'commit.after',
    'commit.before',
    'commit.link.after',
    'part.close.after',
    'part.persist.after',
    'segment.written',
    'sink.snapshot.after',
    'subtask.batch.after',
  ];
  for (const format of [ndjsonOutput, parquetOutput] as const) {
    for (const name of points) {
      it(`${format.type}: ${name}`, async () => {
        if (format.type !== 'ndjson' && format.type !== 'parquet') return;
        for (const nth of [1, 3]) {
          for (const each of ['lake', 'state', 'quarantine'])
            await rm(path.join(folder, each), { recursive: true, force: true });
          const first = job(format, 'int64', nth === 3 ? 2 : 1);
          const crashed = crashAt(name, nth);
          await runJob(first, { ...options, mode: 'once' }).catch((error: unknown) => {
            if (!crashed()) throw error;
          });
          setFailpointHook(null);
          await runJob(first, { ...options, mode: 'once' });
          await expectEachOnce();
          expect(await verifyLocal(first)).toMatchObject({ findings: [], source: { records: FILES * ROWS } });

          // The column gets wider: everything fits now. The replay dies at the same place, and is started again.
          const wider = job(format, 'string', nth === 3 ? 2 : 1);
          const fileSystem = localFileSystem('00aa');
          const crashedAgain = crashAt(name, nth);
          await replayJob(wider, fileSystem, options).catch((error: unknown) => {
            if (!crashedAgain()) throw error;
          });
          setFailpointHook(null);
          expect((await verifyLocal(wider)).findings).toEqual([]);
          await replayJob(wider, fileSystem, options);
          await runJob(wider, { ...options, mode: 'once' });
          expect(await lakeIds()).toEqual(ALL);
          expect(await verifyLocal(wider)).toMatchObject({
            findings: [],
            source: { records: ALL.length, replayed: ALL.filter(isBad).length },
            lake: { rows: ALL.length },
          });
          expect(await readQuarantine(path.join(folder, 'quarantine'))).toEqual([]);
          expect(await readQuarantine(path.join(folder, 'quarantine', '_replayed'))).toHaveLength(
            ALL.filter(isBad).length,
          );
          expect(await hiddenFiles(path.join(folder, 'quarantine'))).toEqual([]);
        }
      });
    }
  }

  it('parts left open in another format are closed, and the next ones are of the new one', async () => {
    const stopping = new AbortController();
    const slow: RunOptions = { ...options, mode: 'continuously', signal: stopping.signal };
    const crashed = crashAt('subtask.batch.after', 6);
    await runJob(job(ndjsonOutput as QuarantineSpec['format'], 'int64'), slow).catch((error: unknown) => {
      if (!crashed()) throw error;
    });
    setFailpointHook(null);
    await runJob(job(parquetOutput as QuarantineSpec['format'], 'int64'), { ...options, mode: 'once' });
    await expectEachOnce();
  });
});
