import type { CompiledJob } from '../../core/compiled-job.ts';

/** Names of files that a job writes and replaces in its buckets: `_SUCCESS`. */
export function replacedFiles({ sink }: CompiledJob): string[] {
  return (sink.partitionCommit?.policies ?? []).flatMap((policy) =>
    policy.type === 'success_file' ? policy.name : [],
  );
}
