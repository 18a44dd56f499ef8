/** A policy from its description. */
import type { Clock } from '../../../core/clock.ts';
import type { PartitionCommitPolicy } from '../../../core/partition-commit.ts';
import type { PartitionPolicySpec } from '../../../core/specs.ts';
import type { FileSystem } from '../../../storage/file-system.ts';
import { commandPolicy } from './command.ts';
import { loadPartitionCommitPolicy } from './custom.ts';
import { hiveMetastorePolicy } from './hive-metastore.ts';
import { statementPolicy } from './statement-policy.ts';
import { successFilePolicy } from './success-file.ts';
import { webhookPolicy } from './webhook.ts';

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
      return hiveMetastorePolicy(spec, sinkPath);
    case 'trino':
    case 'presto':
      return statementPolicy(spec, sinkPath, clock);
    case 'webhook':
      return webhookPolicy(spec);
    case 'command':
      return commandPolicy(spec);
    case 'custom':
      return loadPartitionCommitPolicy(spec.module, spec.options);
  }
}
