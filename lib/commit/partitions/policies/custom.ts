/** A policy of the user's. */
import { SluiceError } from '../../../core/errors.ts';
import { hasMethod, loadExtension } from '../../../core/extension-module.ts';
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
  const found = await loadExtension(module, 'createPartitionCommitPolicy');
  let policy: unknown = found;
  if (typeof found === 'function') {
    try {
      policy = await found(options);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new SluiceError('JOB_INVALID', `createPartitionCommitPolicy of ${module} failed: ${why}`, {
        cause,
      });
    }
  }
  if (hasMethod(policy, 'commit')) return policy as PartitionCommitPolicy;
  throw new SluiceError('JOB_INVALID', `${module} gives no partition commit policy`, {
    details: { module },
    hint: 'a policy has commit(partitions, signal)',
  });
}
