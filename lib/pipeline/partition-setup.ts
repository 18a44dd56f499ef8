/** Event time and partition commits from a job's description. */
import { parsePartition } from '../../bucketing/index.ts';
import type { Checkpoint } from '../commit/checkpoint.ts';
import { PartitionCommits } from '../commit/partitions/partition-commits.ts';
import { createPartitionCommitPolicy } from '../commit/partitions/policies/create-policy.ts';
import { createPartitionTrigger, type PartitionTrigger } from '../commit/partitions/trigger.ts';
import { Watermarks } from '../commit/watermarks.ts';
import type { Clock } from '../core/clock.ts';
import type { CompiledJob } from '../core/compiled-job.ts';
import { SluiceError } from '../core/errors.ts';
import type { EventTimes } from '../core/event-times.ts';
import type { PartFileInfo } from '../core/rolling-policy.ts';
import type { PartitionCommitSpec } from '../core/specs.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { bucketTimesOf } from './sink-setup.ts';

export interface PartitionCallbacks {
  readonly onChange: () => void;
  readonly onWarning: (message: string) => void;
  readonly onBroken: (error: unknown) => void;
}

/** null where the job has no event time. A replay does not move it: the source goes on afterwards where it stood. */
export function restoreWatermarks(job: CompiledJob, base: Checkpoint, clock: Clock): Watermarks | null {
  if (job.eventTime === null) return null;
  return new Watermarks(job.watermarks, clock, base.eventTime ?? null, base.lane === 'replay');
}

/** null where the job does not announce partitions. @throws SluiceError JOB_INVALID */
export async function createPartitionCommits(
  job: CompiledJob,
  base: Checkpoint,
  fileSystem: FileSystem,
  clock: Clock,
  callbacks: PartitionCallbacks,
): Promise<PartitionCommits | null> {
  const spec = job.sink.partitionCommit;
  if (spec === null) return null;
  const { path } = job.sink;
  const policies = [];
  for (const each of spec.policies) {
    policies.push({
      name: each.type,
      policy: await createPartitionCommitPolicy(each, path, fileSystem, clock),
    });
  }
  return new PartitionCommits({
    ...callbacks,
    trigger: triggerOf(job, spec),
    policies,
    retry: spec.retry,
    clock,
    describe: ({ bucketId, rows, parts, checkpoint }) => ({
      job: job.name,
      jobId: base.jobId,
      partition: bucketId,
      path: `${path}/${bucketId}`,
      keys: parsePartition(bucketId),
      rows,
      parts,
      checkpoint,
    }),
    restored: base.partitions ?? null,
    replay: base.lane === 'replay',
  });
}

/** @throws SluiceError PARTITION_COMMIT_FAILED: whoever waits for the end of a backfill waits for its partitions */
export function proveAnnounced(partitions: PartitionCommits | null): void {
  if (partitions === null || partitions.failed.length === 0) return;
  const [first] = partitions.state.promised.filter(({ error }) => error !== null);
  throw new SluiceError(
    'PARTITION_COMMIT_FAILED',
    `${partitions.failed.length} partitions could not be announced: ${first?.error ?? partitions.failed[0]}`,
    { hint: 'all rows are visible; the next start of the job announces these partitions' },
  );
}

/** For subtasks: parts that have to be closed with a checkpoint. */
export function partsDue(job: CompiledJob): ((part: PartFileInfo, times: EventTimes) => boolean) | null {
  const spec = job.sink.partitionCommit;
  if (spec === null) return null;
  const isDue = triggerOf(job, spec);
  return ({ bucketId, creationTimeMs }, times) => isDue(bucketId, creationTimeMs, times);
}

function triggerOf(job: CompiledJob, spec: PartitionCommitSpec): PartitionTrigger {
  const times = bucketTimesOf(job);
  return createPartitionTrigger(spec, (bucketId) => times?.(bucketId)?.startMs ?? null);
}
