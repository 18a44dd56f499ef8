/** Tells an HTTP endpoint of each partition: POST with the partition as JSON. */
import pLimit from 'p-limit';
import type { CommittedPartition, PartitionCommitPolicy } from '../../../core/partition-commit.ts';
import type { WebhookPolicySpec } from '../../../core/specs.ts';

const CONCURRENT_CALLS = 4;

/** Any 2xx is success. `Idempotency-Key` is the same when an announcement is repeated. */
export function webhookPolicy(spec: WebhookPolicySpec): PartitionCommitPolicy {
  const call = async (partition: CommittedPartition, signal: AbortSignal): Promise<void> => {
    const response = await fetch(spec.url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'Idempotency-Key': idempotencyKey(partition),
        ...spec.headers,
      },
      body: JSON.stringify({ event: 'partition-committed', ...partition }),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(spec.timeoutMs)]),
    });
    if (response.ok) {
      await response.body?.cancel();
      return;
    }
    throw new Error(`${spec.url} answered ${response.status} ${(await response.text()).slice(0, 200)}`);
  };
  return {
    async commit(partitions, signal) {
      const limit = pLimit(CONCURRENT_CALLS);
      await Promise.all(partitions.map((partition) => limit(() => call(partition, signal))));
    },
  };
}

/** A header takes ASCII only, and partition names may hold anything. */
function idempotencyKey({ jobId, checkpoint, partition }: CommittedPartition): string {
  return `${jobId}-${checkpoint}-${encodeURIComponent(partition)}`;
}
