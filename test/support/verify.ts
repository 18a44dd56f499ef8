/** `sluice verify` of a job on the local disk. */
import type { CompiledJob } from '../../lib/core/compiled-job.ts';
import { localFileSystem } from '../../lib/storage/local/local-file-system.ts';
import { type VerifyOptions, type VerifyReport, verifyJob } from '../../lib/verify/verify-job.ts';

export function verifyLocal(
  job: CompiledJob,
  options: Pick<VerifyOptions, 'acceptMissing' | 'deep'> = {},
): Promise<VerifyReport> {
  return verifyJob({ job, fileSystem: localFileSystem('00bb'), ...options });
}

/** `code file`, sorted. */
export function findingsOf({ findings }: VerifyReport): string[] {
  return findings
    .map(({ code, path }) => `${code} ${path === null ? '-' : path.slice(path.lastIndexOf('/') + 1)}`)
    .sort();
}
