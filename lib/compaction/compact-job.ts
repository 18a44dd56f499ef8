/** `sluice compact`: brings every bucket of a job's lake to its target size, while the job does not run. */
import type { Checkpoint } from '../commit/checkpoint.ts';
import { CheckpointStore } from '../commit/checkpoint-store.ts';
import { Committer } from '../commit/committer.ts';
import { holdJob } from '../commit/hold-job.ts';
import type { JobState } from '../commit/job-state.ts';
import { swapEntries } from '../commit/ledger/entry.ts';
import { appendToLedger } from '../commit/ledger/ledger.ts';
import { NO_COMPACTION, type Swap } from '../commit/swap.ts';
import type { Clock } from '../core/clock.ts';
import type { CompactionSpec, CompiledJob } from '../core/compiled-job.ts';
import { SluiceError } from '../core/errors.ts';
import { type Ids, newRunId } from '../core/ids.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { openFileSystem } from '../storage/open-file-system.ts';
import { openPublication } from '../tables/open-publication.ts';
import { createCompaction } from './create-compaction.ts';
import { inlineMerging } from './merge-host.ts';
import { ledgerOf } from './proven-parts.ts';

export interface CompactOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly signal?: AbortSignal;
  readonly onSwap?: (swap: Swap) => void;
  readonly onWarning?: (message: string) => void;
  /** Parts that could not be merged; the others are. */
  readonly onFailed?: (error: SluiceError) => void;
}

export interface CompactSummary {
  /** Snake case: this is what `--json` prints. */
  readonly merged_parts: number;
  readonly into_parts: number;
  readonly bytes_out: number;
}

/** @throws SluiceError JOB_RUNNING while the job runs; JOB_INVALID, USAGE; state and storage errors as a start */
export async function compactJob(job: CompiledJob, options: CompactOptions): Promise<CompactSummary> {
  const { clock, ids } = options;
  const spec = job.sink.compaction;
  if (spec === null)
    throw new SluiceError('JOB_INVALID', `the job file of '${job.name}' has no sink.compaction`, {
      hint: 'add `compaction: { target_size: 128MiB, daemon: false }` to its sink',
    });
  const runId = newRunId(ids);
  const fileSystem = openFileSystem({
    ...{ runId, s3: job.s3, clock, ids },
    onWarning: (message) => options.onWarning?.(message),
  });
  try {
    // Before anything is written, as holding a job that never ran would.
    if ((await new CheckpointStore(fileSystem, job.statePath).load()) === null)
      throw new SluiceError('USAGE', `job '${job.name}' has never run: there is nothing to merge`);
  } catch (error) {
    await fileSystem.close();
    throw error;
  }
  return holdJob(job, { fileSystem, runId, clock, ids }, (state) =>
    compact(job, spec, state, { ...options, fileSystem, runId }),
  );
}

async function compact(
  job: CompiledJob,
  spec: CompactionSpec,
  { base, store }: JobState,
  options: CompactOptions & { readonly fileSystem: FileSystem; readonly runId: string },
): Promise<CompactSummary> {
  const { fileSystem, clock, ids, runId, signal } = options;
  const committer = new Committer(fileSystem.recoverableWriter, base.committables);
  const publication = await openPublication(job, base, { fileSystem, committer, clock, ids });
  await publication.publish(base);
  const done = { merged_parts: 0, into_parts: 0, bytes_out: 0 };
  const compaction = createCompaction(job, spec, inlineMerging(fileSystem, clock), {
    jobId: base.jobId,
    runId,
    restored: base.compaction ?? NO_COMPACTION,
    fileSystem,
    clock,
    counts: (path) => publication.counts(path),
    ledger: ledgerOf(base.jobId, store, fileSystem),
    onSwapped: (swap) => {
      done.merged_parts += swap.sources.length;
      done.into_parts++;
      done.bytes_out += swap.file.lengthBytes;
      options.onSwap?.(swap);
    },
    onWarning: (message) => options.onWarning?.(message),
    onFailed: (error) => options.onFailed?.(error),
  });
  let last = base;
  /** Everything of the job stays as it was; what was promised before was done above. */
  const checkpoint = async () => {
    const id = last.id + 1;
    const { ledger } = last;
    const swapped = swapEntries(publication.takeSwapped());
    const segments = { fileSystem, segmentsFolder: store.segmentsFolder, runId };
    const next: Checkpoint = {
      ...last,
      id,
      createdMs: clock.now(),
      committables: [],
      compaction: compaction.capture(),
      ...(ledger === undefined ? {} : { ledger: await appendToLedger(ledger, id, swapped, segments) }),
      replaced: publication.replaced,
      table: publication.tableState(id),
    };
    await store.write(next, job.checkpoint.retain);
    last = next;
    const { parts, refused } = await publication.publish(next);
    compaction.settle(parts, refused);
    await store.collectSegments();
  };
  const stop = () => void compaction.stop();
  signal?.addEventListener('abort', stop);
  try {
    while (await compaction.finish()) await checkpoint();
    const promised = last.committables.length + (last.compaction?.swaps.length ?? 0);
    if (promised > 0) await checkpoint();
  } finally {
    signal?.removeEventListener('abort', stop);
    await compaction.stop();
  }
  return done;
}
