/**
 * Every named step of the protocol, with a crash at it: the first, second and fifth time it is reached. The dead run
 * does nothing more (every later step throws, too), the next one starts from what is on disk, and in the end every row
 * is in exactly one visible part.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { collectGarbage } from '../../lib/commit/gc/collect-garbage.ts';
import { inlineMerging } from '../../lib/compaction/merge-host.ts';
import { systemClock } from '../../lib/core/clock.ts';
import type { AfterCommit, CompiledJob } from '../../lib/core/compiled-job.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import { setFailpointHook } from '../../lib/core/failpoint.ts';
import type { OutputFormatSpec } from '../../lib/core/specs.ts';
import { localFileSystem } from '../../lib/storage/local/local-file-system.ts';
import { lockOwner } from '../../lib/storage/local/process-lock.ts';
import type { Finding } from '../../lib/verify/finding.ts';
import { crashAt } from '../support/crash.ts';
import { readDeltaLog } from '../support/delta-log.ts';
import { GENERATED_COLUMNS, generateRows, hourBucket, writeRows } from '../support/generate.ts';
import { runInline } from '../support/inline-job.ts';
import {
  NO_LIMITS,
  ndjsonOutput,
  parquetOutput,
  rollingBySizeAndTime,
  schemaOf,
  testJob,
} from '../support/job.ts';
import { readManifests } from '../support/manifests.ts';
import { expectExactlyOnce, listLake } from '../support/oracle.ts';
import { verifyLocal } from '../support/verify.ts';

/** Every failpoint there is; a tidy test holds this list against the code. */
const FAILPOINTS = [
  'clean.after',
  'clean.before',
  'checkpoint.complete',
  'checkpoint.snapshots.complete',
  'checkpoint.write.after',
  'checkpoint.write.before',
  'commit.after',
  'commit.before',
  'commit.folders.synced',
  'commit.link.after',
  'commit.link.before',
  'commit.unlink.after',
  'compaction.merged',
  'compaction.published',
  'compaction.swap.after',
  'compaction.swap.before',
  'exclusive.link.before',
  'ledger.written',
  'move.link.after',
  'part.close.after',
  'part.close.before',
  'part.persist.after',
  'part.write.after',
  'partition.commit.after',
  'partition.commit.before',
  'partition.policy.after',
  'replace.rename.before',
  'segment.written',
  'sink.snapshot.after',
  'subtask.batch.after',
  'table.checkpoint.after',
  'table.checkpoint.before',
  'table.commit.after',
  'table.commit.before',
  'table.entry.after',
  'table.entry.before',
];

/** A Delta log holds Parquet only; jobs of the other format keep manifests. */
const needsDelta = (failpoint: string) => /^table\.(?:checkpoint|entry)/.test(failpoint);

const GENERATED = schemaOf({
  id: 'string',
  ts: 'timestamp(ms)',
  n: 'int64',
  price: 'float64',
  ok: 'boolean',
  country: 'string',
  note: 'string',
  tags: 'list<string>',
});
const FILES = 4;
const ROWS_PER_FILE = 1200;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-failpoint-'));
});
afterEach(async () => {
  setFailpointHook(null);
  await rm(folder, { recursive: true });
});

/** The input as it was before the first run: files that were read are moved away (`after_commit`). */
async function fillInput(): Promise<void> {
  for (const name of ['in', 'done', 'lake', 'state'])
    await rm(path.join(folder, name), { recursive: true, force: true });
  for (let file = 0; file < FILES; file++) {
    const rows = generateRows({ seed: 7, rows: ROWS_PER_FILE, first: file * ROWS_PER_FILE });
    await writeRows(path.join(folder, 'in', `${file}.ndjson${file === 3 ? '.gz' : ''}`), rows);
  }
}

function run(job: CompiledJob) {
  return runInline(job, {
    startMerging: (config, runId) => inlineMerging(localFileSystem(runId), systemClock)(config, runId),
  });
}

/** @param roomy rows stay in memory, and so go into segments; otherwise they are flushed into part files at once */
function job(
  format: OutputFormatSpec,
  parallelism: number,
  roomy: boolean,
  afterCommit: AfterCommit = { kind: 'move', folder: path.join(folder, 'done') },
): CompiledJob {
  return testJob(folder, {
    parallelism,
    // Every batch or so: the run has many checkpoints, and parts that outlive them.
    checkpoint: { intervalMs: 1, retain: 2 },
    memoryBytes: roomy ? 64 * 1024 * 1024 : 256 * 1024,
    source: {
      schema: GENERATED,
      afterCommit,
      // Checkpoints between the files, however slow the machine's timers are.
      limits: roomy ? { ...NO_LIMITS, filesPerCheckpoint: 1 } : NO_LIMITS,
    },
    eventTime: { column: 'ts', unit: 'ms' },
    sink: {
      format: format.type === 'parquet' && !roomy ? { ...format, rowGroupBytes: 64 * 1024 } : format,
      bucket: { type: 'datetime', time: 'event', pattern: "'dt='yyyy-MM-dd/'hour='HH", zone: 'UTC' },
      rolling: rollingBySizeAndTime({ partSizeBytes: 60_000 }),
      partitionCommit: {
        trigger: 'partition_time',
        delayMs: 3_600_000,
        policies: [{ type: 'success_file', name: '_SUCCESS' }],
        retry: { attempts: 3, minBackoffMs: 1, maxBackoffMs: 10 },
      },
      compaction: {
        daemon: true,
        targetBytes: 250_000,
        maxSmallParts: 3,
        quietMs: 60_000,
        bytesPerSecond: 1e9,
        keepReplacedMs: 0,
        sortBy: [],
      },
      table: format.type === 'parquet' ? { type: 'delta', checkpointEvery: 2 } : { type: 'manifest' },
    },
  });
}

/** What verify has to say; nothing where the job died before it had a state. */
async function findings(compiled: CompiledJob): Promise<readonly Finding[]> {
  try {
    return (await verifyLocal(compiled)).findings;
  } catch (thrown) {
    if (SluiceError.from(thrown).code === 'USAGE') return [];
    throw thrown;
  }
}

/** What the success files say, together: each row announced, and none counted twice. */
async function announcedRows(): Promise<number> {
  let rows = 0;
  for (const file of await readdir(path.join(folder, 'lake'), { recursive: true })) {
    if (path.basename(file) !== '_SUCCESS') continue;
    rows += Number(JSON.parse(await readFile(path.join(folder, 'lake', file), 'utf8')).rows);
  }
  return rows;
}

/** Lists of the lake's parts that belong there; the log's own writer tidies up what was half written of it, a day later. */
const isTableFile = (file: string) =>
  path.basename(file) === '_SUCCESS' ||
  file.startsWith('_delta_log/') ||
  /^_manifest\/.*\/manifest-[0-9a-f]{8}$/.test(file);

/** The table says what the folders say. */
async function expectTable(format: OutputFormatSpec): Promise<void> {
  const lake = path.join(folder, 'lake');
  const { visible } = await listLake(lake);
  if (format.type === 'parquet') {
    const { files, rows } = await readDeltaLog(lake);
    expect([...files.keys()].sort()).toEqual(visible);
    expect(rows).toBe(FILES * ROWS_PER_FILE);
  } else expect(await readManifests(lake)).toEqual(visible);
}

describe('crash at every failpoint', () => {
  for (const format of [ndjsonOutput, parquetOutput]) {
    for (const name of FAILPOINTS) {
      if (format.type !== 'parquet' && needsDelta(name)) continue;
      it(`${format.type}: ${name}`, async () => {
        let reached = 0;
        for (const nth of [1, 2, 5]) {
          await fillInput();
          const compiled = job(format, nth === 2 ? 2 : 1, nth === 1);
          const crashed = crashAt(name, nth);
          await run(compiled).catch((error: unknown) => {
            if (!crashed()) throw error;
          });
          if (crashed()) reached++;
          setFailpointHook(null);
          // The ledger is that of the newest checkpoint, whatever was under way.
          expect(await findings(compiled), `after the crash, ${nth}`).toEqual([]);
          await run(compiled);
          await run(compiled);
          expect(await findings(compiled), `in the end, ${nth}`).toEqual([]);
          const { partRows } = await expectExactlyOnce({
            inputs: [path.join(folder, 'done')],
            lake: path.join(folder, 'lake'),
            columns: GENERATED_COLUMNS,
            bucketOf: hourBucket,
            allowHidden: isTableFile,
          });
          expect(partRows).toBe(FILES * ROWS_PER_FILE);
          expect(await readdir(path.join(folder, 'in'))).toEqual([]);
          expect(await announcedRows()).toBe(FILES * ROWS_PER_FILE);
          await expectTable(format);
        }
        expect(reached, 'the failpoint was reached').toBeGreaterThanOrEqual(1);
      });
    }
  }
});

/** Recovery from a checkpoint, as an operator does it who removes the newer ones: how it ends. */
async function recoverFrom(compiled: CompiledJob, id: number): Promise<string> {
  const checkpoints = path.join(compiled.statePath, 'checkpoints');
  for (const name of await readdir(checkpoints))
    if (Number.parseInt(name, 10) > id) await rm(path.join(checkpoints, name));
  return run(compiled).then(
    () => 'recovered',
    (error: unknown) => SluiceError.from(error).code,
  );
}

async function retainedIds(compiled: CompiledJob): Promise<number[]> {
  const names = await readdir(path.join(compiled.statePath, 'checkpoints')).catch(() => []);
  return names.flatMap((name) => /^(\d+)\.checkpoint$/.exec(name)?.[1] ?? []).map(Number);
}

function collect(compiled: CompiledJob, options: { dryRun?: boolean } = {}) {
  return collectGarbage({
    job: compiled,
    fileSystem: localFileSystem('00000000'),
    clock: systemClock,
    lockOwner: () => lockOwner(compiled.statePath),
    dryRun: options.dryRun ?? false,
    minAgeMs: 0,
  });
}

describe('gc after a crash at every failpoint', () => {
  let removed = 0;
  for (const [index, name] of FAILPOINTS.entries()) {
    const format = index % 2 === 0 && !needsDelta(name) ? ndjsonOutput : parquetOutput;
    it(`${format.type}: ${name}: recovery from any retained checkpoint ends as without gc`, async () => {
      const saved = `${folder}.saved`;
      const copy = async (from: string, to: string) => {
        await rm(to, { recursive: true, force: true });
        // Hard links are copied as such: a part between link and unlink has two names.
        await promisify(execFile)('cp', ['-a', from, to]);
      };
      // A checkpoint that is not the newest can want files that a newer one had deleted.
      const compiled = job(format, 2, format.type === 'ndjson', { kind: 'keep' });
      await fillInput();
      const crashed = crashAt(name, 3);
      await run(compiled).catch((error: unknown) => {
        if (!crashed()) throw error;
      });
      setFailpointHook(null);
      await copy(folder, saved);
      try {
        const wanted = (await collect(compiled, { dryRun: true })).files.filter(
          ({ verdict }) => verdict.kind === 'orphan',
        );
        const report = await collect(compiled);
        removed += report.files.filter(({ outcome }) => outcome === 'removed').length;
        expect(report.files.filter(({ outcome }) => outcome === 'removed').map((file) => file.path)).toEqual(
          wanted.map((file) => file.path),
        );
        expect((await collect(compiled)).files.filter(({ verdict }) => verdict.kind === 'orphan')).toEqual(
          [],
        );
        const collected = `${folder}.collected`;
        await copy(folder, collected);
        const ids = await retainedIds(compiled);
        for (const id of ids) {
          await copy(saved, folder);
          const without = await recoverFrom(compiled, id);
          await copy(collected, folder);
          expect(await recoverFrom(compiled, id), `from checkpoint ${id}`).toBe(without);
          if (id === ids.at(-1)) expect(without).toBe('recovered');
        }
        await rm(collected, { recursive: true });
        await run(compiled);
        await expectExactlyOnce({
          inputs: [path.join(folder, 'in')],
          lake: path.join(folder, 'lake'),
          columns: GENERATED_COLUMNS,
          bucketOf: hourBucket,
          allowHidden: isTableFile,
        });
      } finally {
        await rm(saved, { recursive: true, force: true });
      }
    });
  }
  it('had something to remove', () => {
    expect(removed).toBeGreaterThan(20);
  });
});
