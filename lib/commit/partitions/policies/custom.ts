/** A policy of the user's. */
import { SluiceError } from '../../../core/errors.ts';
import { createExtension, hasMethod } from '../../../core/extension-module.ts';
import type { PartitionCommitPolicy } from '../../../core/partition-commit.ts';

/**
 * Loads `{ type: custom, module, options }`: the module exports `createPartitionCommitPolicy(options)`, which gives a
 * PartitionCommitPolicy (or a promise of one), or such an object itself.
 * @param module absolute path
 * @throws SluiceError JOB_INVALID
 */
export async function loadPartitionCommitPolicy(
  module: string,
  options: unknown,
): Promise<PartitionCommitPolicy> {
  const policy = await createExtension(module, 'createPartitionCommitPolicy', options);
  if (hasMethod(policy, 'commit')) return policy as PartitionCommitPolicy;
  throw new SluiceError('JOB_INVALID', `${module} gives no partition commit policy`, {
    details: { module },
    hint: 'a policy has commit(partitions, signal)',
  });
}
