/** A policy from its description. All but the success file are loaded when a job has them. */
import type { Clock } from '../../../core/clock.ts';
import type { PartitionCommitPolicy } from '../../../core/partition-commit.ts';
import type { PartitionPolicySpec } from '../../../core/specs.ts';
import type { FileSystem } from '../../../storage/file-system.ts';
import { successFilePolicy } from './success-file.ts';

/** @throws SluiceError JOB_INVALID where a custom one cannot be loaded */
export async function createPartitionCommitPolicy(
  spec: PartitionPolicySpec,
  sinkPath: string,
  fileSystem: FileSystem,
  clock: Clock,
): Promise<PartitionCommitPolicy> {
  switch (spec.type) {
    case 'success_file':
      return successFilePolicy(fileSystem, spec.name);
    case 'metastore':
      return (await import('./hive-metastore.ts')).hiveMetastorePolicy(spec, sinkPath);
    case 'trino':
    case 'presto':
      return (await import('./statement-policy.ts')).statementPolicy(spec, sinkPath, clock);
    case 'webhook':
      return (await import('./webhook.ts')).webhookPolicy(spec);
    case 'command':
      return (await import('./command.ts')).commandPolicy(spec);
    case 'custom':
      return (await import('./custom.ts')).loadPartitionCommitPolicy(spec.module, spec.options);
  }
}
