/** How a job's checkpoints are published, from its description. */

import type { Checkpoint } from '../commit/checkpoint.ts';
import type { Committer } from '../commit/committer.ts';
import type { LakeTable } from '../commit/lake-table.ts';
import { Publication } from '../commit/publication.ts';
import type { Clock } from '../core/clock.ts';
import type { CompiledJob } from '../core/compiled-job.ts';
import type { Ids } from '../core/ids.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { ManifestTable } from './manifest-table.ts';

export interface PublicationCircumstances {
  readonly fileSystem: FileSystem;
  readonly committer: Committer;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** @throws SluiceError TABLE_UNSUITABLE, STATE_CORRUPT */
export async function openPublication(
  job: CompiledJob,
  base: Checkpoint,
  circumstances: PublicationCircumstances,
): Promise<Publication> {
  const { sink } = job;
  const of = sink.table === null ? null : await openTable(job, base, circumstances);
  // Not the checkpoint's own id where it is known better: in an object store each start claims one more, also those that
  // are refused here, and would count up to what the table was told.
  const told = base.table?.type === sink.table?.type ? base.table?.promise : undefined;
  return new Publication({
    ...circumstances,
    sinkPath: sink.path,
    jobId: base.jobId,
    table:
      sink.table === null || of === null
        ? null
        : { type: sink.table.type, of, knowsJob: await of.recognize(told ?? base.id) },
    keepReplacedMs: sink.compaction?.keepReplacedMs ?? 0,
    restored: base.replaced ?? [],
  });
}

async function openTable(
  { sink }: CompiledJob,
  { jobId }: Checkpoint,
  { fileSystem, clock, ids }: PublicationCircumstances,
): Promise<LakeTable> {
  if (sink.table?.type !== 'delta') return new ManifestTable({ fileSystem, path: sink.path, jobId });
  // An entry in the place of another writer's would take its rows out of the table.
  await fileSystem.proveConditionalWrites?.(sink.path);
  // Loaded where it is used: it brings a Parquet writer along.
  const { DeltaTable } = await import('./delta/delta-table.ts');
  return DeltaTable.open({
    fileSystem,
    clock,
    ids,
    path: sink.path,
    bucket: sink.bucket,
    jobId,
    checkpointEvery: sink.table.checkpointEvery,
  });
}
