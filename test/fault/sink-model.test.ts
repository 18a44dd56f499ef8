/**
 * The sink, compaction and gc against a model of a few lines, driven by random {write, tick, merge, checkpoint, lost
 * checkpoint, acknowledge, crash, collect}. The model knows one thing: rows are exactly those written before the newest
 * durable checkpoint, plus what was written since by the process that lives; and a visible part goes only when it was
 * merged into another one.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Checkpoint, NO_TOTALS } from '../../lib/commit/checkpoint.ts';
import { Committer } from '../../lib/commit/committer.ts';
import { removeLeftovers } from '../../lib/commit/leftovers.ts';
import { Publication } from '../../lib/commit/publication.ts';
import { type CompactionState, NO_COMPACTION } from '../../lib/commit/swap.ts';
import { Compaction } from '../../lib/compaction/compaction.ts';
import { inlineMerging } from '../../lib/compaction/merge-host.ts';
import type { RollingPolicy } from '../../lib/core/rolling-policy.ts';
import { DEFAULT_S3 } from '../../lib/core/specs.ts';
import { localFileSystem } from '../../lib/storage/local/local-file-system.ts';
import { type Checkpointed, neverRoll, policy, SinkHarness, sizeAndTime } from '../support/sink-harness.ts';

type Step =
  | { readonly kind: 'write'; readonly bucket: number; readonly rows: number }
  | { readonly kind: 'tick'; readonly ms: number }
  /** Taken and durable. */
  | { readonly kind: 'checkpoint' }
  /** Taken by the sink, and the process died before it was durable. */
  | { readonly kind: 'lost-checkpoint' }
  /** The newest durable checkpoint's promises are kept. */
  | { readonly kind: 'acknowledge' }
  /** Small parts become one, which the next checkpoint promises. */
  | { readonly kind: 'merge' }
  /** gc beside the process that lives. */
  | { readonly kind: 'collect' }
  | { readonly kind: 'crash' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      bucket: fc.nat(3),
      rows: fc.integer({ min: 1, max: 40 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('tick' as const), ms: fc.nat(50) }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'checkpoint' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'lost-checkpoint' as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'acknowledge' as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'merge' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'collect' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'crash' as const }) },
);

const policies: Readonly<Record<string, RollingPolicy>> = {
  never: neverRoll,
  'size and time': sizeAndTime({ size: 200, age: 60, inactivity: 20 }),
  'on checkpoint': policy({ shouldRollOnCheckpoint: () => true }),
};

const JOB_ID = '0a1b2c3d';

/** A checkpoint with what it holds of compaction. */
interface Durable extends Checkpointed {
  readonly compaction: CompactionState;
}

/** What merges beside a sink. It dies with it. */
function startCompaction(harness: SinkHarness, restored: CompactionState): Compaction {
  const fileSystem = localFileSystem(harness.runId);
  const merging = {
    format: { type: 'text', compression: 'none', column: null },
    ...{ staging: null, s3: DEFAULT_S3, targetBytes: 4000, sortBy: [], bytesPerSecond: 1e12 },
  } as const;
  return new Compaction({
    ...{
      sinkPath: `${harness.folder}/lake`,
      prefix: 'part',
      jobId: JOB_ID,
      fileSystem,
      clock: harness.clock,
    },
    ...{ targetBytes: 4000, maxSmallParts: 2, quietMs: 100, restored },
    host: inlineMerging(fileSystem, harness.clock)(merging, harness.runId),
    onWarning: (message) => {
      throw new Error(message);
    },
  });
}

async function publishSwaps(harness: SinkHarness, { id, compaction }: Durable): Promise<void> {
  const fileSystem = localFileSystem(harness.runId);
  const publication = new Publication({
    ...{ fileSystem, clock: harness.clock, sinkPath: `${harness.folder}/lake`, jobId: JOB_ID },
    committer: new Committer(fileSystem.recoverableWriter, []),
    ...{ table: null, keepReplacedMs: 0, restored: [] },
  });
  await publication.publish({ id, schema: null, compaction });
}

/** Removes what neither the checkpoint nor the process that lives can need. */
async function collect(harness: SinkHarness, newest: Durable | null): Promise<void> {
  const fileSystem = localFileSystem(harness.runId);
  const needed: Checkpoint[] =
    newest === null
      ? []
      : [
          {
            ...{ id: newest.id, jobId: JOB_ID, jobName: 'job', runId: harness.runId, createdMs: 0 },
            ...{ fingerprint: {}, schema: null, enumerator: null, discovery: [], totals: NO_TOTALS },
            subtasks: [{ splits: [], sink: newest.state }],
            committables: newest.promised,
            compaction: newest.compaction,
          },
        ];
  const leftovers = { jobName: 'job', jobId: JOB_ID, runId: harness.runId, needed, replaced: [] };
  await removeLeftovers(fileSystem, [`${harness.folder}/lake`], leftovers, async () => {});
}

async function run(steps: readonly Step[], rolling: RollingPolicy, flushBytes: number): Promise<number> {
  const harness = await SinkHarness.open({ policy: rolling, flushBytes, memoryBytes: 16 * 1024 });
  let merges = 0;
  try {
    let compaction = startCompaction(harness, NO_COMPACTION);
    /** Rows in the newest durable checkpoint, and those since. */
    let durable: string[] = [];
    let since: string[] = [];
    let newest: Durable | null = null;
    let id = 0;
    let next = 0;
    const seen = new Map<string, string>();
    const restart = async () => {
      since = [];
      await (newest === null ? harness.restart() : harness.restart(newest));
      if (newest !== null) await swap(newest);
      compaction = startCompaction(harness, newest?.compaction ?? NO_COMPACTION);
    };
    /** Parts that were merged are gone by right. */
    const swap = async (durable: Durable) => {
      await publishSwaps(harness, durable);
      for (const { sources } of durable.compaction.swaps) {
        merges++;
        for (const source of sources) {
          const [bucket, name] = source.split('/').slice(-2);
          seen.delete(`${bucket}/${/-((?:c-)?\d+)\.txt$/.exec(name ?? '')?.[1]}`);
        }
      }
    };
    const take = async (closeAll = false) => {
      const taken = await harness.snapshot(++id, closeAll);
      newest = { ...taken, compaction: compaction.capture() };
      durable = [...durable, ...since];
      since = [];
      return newest;
    };
    const acknowledge = async (of: Durable) => {
      const published = await harness.notify(of.id);
      await swap(of);
      compaction.settle(published, []);
      newest = { ...of, compaction: { ...of.compaction, swaps: [] } };
    };
    const observe = async () => {
      const contents = await harness.contents();
      for (const [file, text] of seen) expect(contents[file], `${file} changed or vanished`).toBe(text);
      const promised = new Set(durable);
      for (const [file, text] of Object.entries(contents)) {
        seen.set(file, text);
        for (const row of text.split(',')) {
          expect(
            promised.has(`${file.split('/')[0]}:${row}`),
            `${row} is visible and in no durable checkpoint`,
          ).toBe(true);
        }
      }
    };
    for (const action of steps) {
      switch (action.kind) {
        case 'write': {
          const records = Array.from({ length: action.rows }, () => `b${action.bucket}:${next++}`);
          await harness.writeBatch(records);
          since.push(...records);
          break;
        }
        case 'tick':
          await harness.tick(action.ms);
          break;
        case 'checkpoint':
          await take();
          break;
        case 'merge':
          await compaction.finish();
          break;
        case 'collect':
          await collect(harness, newest);
          break;
        case 'lost-checkpoint':
          await harness.snapshot(++id);
          compaction.capture();
          await restart();
          break;
        case 'acknowledge':
          if (newest !== null) await acknowledge(newest);
          await observe();
          break;
        case 'crash':
          await restart();
          await observe();
          break;
      }
    }
    await acknowledge(await take(true));
    await observe();
    while (await compaction.finish()) await acknowledge(await take());
    await observe();
    await compaction.stop();
    await collect(harness, newest);
    expect(await harness.hidden()).toEqual([]);
    const rows = Object.entries(await harness.contents()).flatMap(([file, text]) =>
      text.split(',').map((row) => `${file.split('/')[0]}:${row}`),
    );
    expect(rows.sort()).toEqual([...durable].sort());
    return merges;
  } finally {
    await harness.dispose();
  }
}

describe('sink model', () => {
  for (const [name, rolling] of Object.entries(policies)) {
    for (const flushBytes of [64, 1 << 20]) {
      it(`rows are visible exactly once: policy ${name}, ${flushBytes === 64 ? 'flushed at once' : 'kept in segments'}`, async () => {
        let merges = 0;
        await fc.assert(
          fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 50, size: 'max' }), async (steps) => {
            merges += await run(steps, rolling, flushBytes);
          }),
          { numRuns: 40 },
        );
        // What is never closed leaves one part a bucket.
        expect(merges).toBeGreaterThan(rolling === neverRoll ? -1 : 3);
      });
    }
  }
});
