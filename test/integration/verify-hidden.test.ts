/** `sluice verify` of what no reader sees: open parts, promised ones, and the segments that a start goes on from. */
import { appendFile, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Checkpoint, openPartsOf } from '../../lib/commit/checkpoint.ts';
import { CheckpointStore } from '../../lib/commit/checkpoint-store.ts';
import { compactJob } from '../../lib/compaction/compact-job.ts';
import { systemClock } from '../../lib/core/clock.ts';
import type { CompiledJob } from '../../lib/core/compiled-job.ts';
import { setFailpointHook } from '../../lib/core/failpoint.ts';
import { localFileSystem } from '../../lib/storage/local/local-file-system.ts';
import { countingIds } from '../support/counting-ids.ts';
import { runInline, startInline } from '../support/inline-job.ts';
import {
  ndjsonOutput,
  rollingBySizeAndTime,
  schemaOf,
  type TestJobOptions,
  testJob,
} from '../support/job.ts';
import { until } from '../support/until.ts';
import { findingsOf, verifyLocal } from '../support/verify.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-verify-hidden-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(async () => {
  setFailpointHook(null);
  await rm(folder, { recursive: true });
});

const ROWS = 400;

async function put(file: number, rows = ROWS): Promise<void> {
  const note = 'x'.repeat(1000);
  const lines = Array.from({ length: rows }, (_, i) => `{"id":${file * ROWS + i},"note":"${note}"}\n`);
  await writeFile(path.join(folder, 'in', `${file}.ndjson`), lines.join(''));
}

const job = (options: TestJobOptions = {}): CompiledJob =>
  testJob(folder, {
    checkpoint: { intervalMs: 20, retain: 1 },
    ...options,
    source: { schema: schemaOf({ id: 'int64', note: 'string' }), monitorIntervalMs: 10, ...options.source },
    sink: { format: ndjsonOutput, ...options.sink },
  });

const store = () => new CheckpointStore(localFileSystem('00bb'), path.join(folder, 'state', 'job'));
const newest = async (): Promise<Checkpoint> => (await store().load())!;

const segment = (name: string) => path.join(folder, 'state', 'job', 'segments', name);

/** A part with some rows in its hidden file, and others in a segment. */
async function leaveOpen(made: CompiledJob): Promise<Checkpoint> {
  await put(0);
  const daemon = startInline(made);
  const open = async () => openPartsOf((await store().load()) ?? { subtasks: [] })[0];
  await until('rows in the hidden file', async () => ((await open())?.file ?? null) !== null);
  await put(1, 10);
  await until('rows in a segment', async () => (await open())!.tails.length > 0);
  await daemon.stop();
  const checkpoint = await newest();
  expect(openPartsOf(checkpoint)[0]).toMatchObject({ rows: ROWS + 10 });
  expect(findingsOf(await verifyLocal(made))).toEqual([]);
  return checkpoint;
}

describe('an open part', () => {
  it('whose hidden file is shorter than its checkpoint left it, or gone', async () => {
    const made = job();
    const [part] = openPartsOf(await leaveOpen(made));
    const { hiddenPath, lengthBytes } = part!.file!;
    await appendFile(hiddenPath, 'what a run wrote behind its last checkpoint');
    expect(findingsOf(await verifyLocal(made))).toEqual([]);
    await truncate(hiddenPath, lengthBytes - 1);
    expect(findingsOf(await verifyLocal(made))).toEqual([`hidden_changed ${path.basename(hiddenPath)}`]);
    await rm(hiddenPath);
    const report = await verifyLocal(made);
    expect(findingsOf(report)).toEqual([`hidden_missing ${path.basename(hiddenPath)}`]);
    expect(report.ok).toBe(false);
  });

  it('whose segment of rows is cut, or gone', async () => {
    const made = job();
    const name = openPartsOf(await leaveOpen(made))[0]!.tails.at(-1)!.segment;
    const { length } = await readFile(segment(name));
    await truncate(segment(name), length - 1);
    expect(findingsOf(await verifyLocal(made))).toEqual([`segment_changed ${name}`]);
    await rm(segment(name));
    expect(findingsOf(await verifyLocal(made))).toEqual([`segment_missing ${name}`]);
  });

  it('while the daemon writes it, with a checkpoint every few milliseconds: nothing is found', async () => {
    const rolling = rollingBySizeAndTime({ onCheckpoint: true });
    const made = job({ checkpoint: { intervalMs: 1, retain: 1 }, sink: { rolling } });
    const daemon = startInline(made);
    try {
      await until('a state', () => daemon.events.length > 0);
      const taken = () => daemon.events.filter(({ type }) => type === 'checkpoint').length;
      for (let file = 0; taken() < 12; file++) {
        await put(file, 50);
        expect(findingsOf(await verifyLocal(made))).toEqual([]);
      }
    } finally {
      await daemon.stop();
    }
  });
});

it('the segment that tells which files were taken', async () => {
  const made = job();
  await put(0);
  await runInline(made);
  const { segment: name } = (await newest()).discovery[0]!;
  await rm(segment(name));
  expect(findingsOf(await verifyLocal(made))).toEqual([`segment_missing ${name}`]);
});

describe('a promised part', () => {
  async function killedAt(name: string, work: () => Promise<unknown>): Promise<void> {
    setFailpointHook((reached) => {
      if (reached === name) throw new Error('killed');
    });
    await expect(work()).rejects.toThrow('killed');
    setFailpointHook(null);
  }

  it('whose hidden file has another length, or is gone and the part is not visible', async () => {
    const made = job();
    await put(0);
    await killedAt('commit.link.before', () => runInline(made));
    const { file } = (await newest()).committables[0]!;
    const hidden = path.basename(file.hiddenPath);
    expect(await verifyLocal(made)).toMatchObject({ findings: [], lake: { pending_parts: 1 } });
    const bytes = await readFile(file.hiddenPath);
    for (const length of [bytes.length - 1, bytes.length + 1]) {
      await truncate(file.hiddenPath, length);
      expect(findingsOf(await verifyLocal(made))).toEqual([`hidden_changed ${hidden}`]);
    }
    await rm(file.hiddenPath);
    expect(findingsOf(await verifyLocal(made))).toEqual([`part_missing ${path.basename(file.finalPath)}`]);
    await writeFile(file.finalPath, bytes);
    expect(findingsOf(await verifyLocal(made))).toEqual([]);
  });

  it('that others are merged into: a start cannot go on without it', async () => {
    const compaction = {
      ...{ daemon: false, targetBytes: 1 << 24, maxSmallParts: 2, quietMs: 0 },
      ...{ bytesPerSecond: 1 << 30, keepReplacedMs: 0, sortBy: [] },
    };
    const made = job({ sink: { compaction } });
    for (let file = 0; file < 3; file++) {
      await put(file, 10);
      await runInline(made);
    }
    await killedAt('compaction.swap.before', () =>
      compactJob(made, { clock: systemClock, ids: countingIds() }),
    );
    const { file } = (await newest()).compaction!.swaps[0]!;
    const hidden = path.basename(file.hiddenPath);
    expect(findingsOf(await verifyLocal(made))).toEqual([]);
    await truncate(file.hiddenPath, file.lengthBytes - 1);
    expect(findingsOf(await verifyLocal(made))).toEqual([`hidden_changed ${hidden}`]);
    await rm(file.hiddenPath);
    expect(findingsOf(await verifyLocal(made))).toEqual([`hidden_missing ${hidden}`]);
  });
});
