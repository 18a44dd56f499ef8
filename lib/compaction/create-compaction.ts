/** A job's compaction from its description. */
import type { CompactionSpec, CompiledJob } from '../core/compiled-job.ts';
import { Compaction, type CompactionConfig } from './compaction.ts';
import type { StartMerging } from './merge-host.ts';

type Circumstances = Pick<
  CompactionConfig,
  'jobId' | 'restored' | 'fileSystem' | 'clock' | 'counts' | 'ledger' | 'onWarning' | 'onFailed' | 'onSwapped'
> & {
  readonly runId: string;
};

/** What merges beside a job that runs; null where it does not. */
export function compactionBeside(
  job: CompiledJob,
  start: StartMerging,
  circumstances: Circumstances,
): Compaction | null {
  const { compaction } = job.sink;
  return compaction?.daemon === true ? createCompaction(job, compaction, start, circumstances) : null;
}

export function createCompaction(
  { sink, s3 }: Pick<CompiledJob, 'sink' | 's3'>,
  spec: CompactionSpec,
  start: StartMerging,
  { runId, ...circumstances }: Circumstances,
): Compaction {
  const { targetBytes, maxSmallParts, quietMs, sortBy, bytesPerSecond } = spec;
  const host = start(
    { format: sink.format, staging: sink.staging, s3, targetBytes, sortBy, bytesPerSecond },
    runId,
  );
  return new Compaction({
    ...circumstances,
    sinkPath: sink.path,
    prefix: sink.partPrefix,
    targetBytes,
    maxSmallParts,
    quietMs,
    host,
  });
}
