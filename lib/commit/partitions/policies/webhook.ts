/** Tells an HTTP endpoint of each partition: POST with the partition as JSON. */
import pLimit from 'p-limit';
import type { CommittedPartition, PartitionCommitPolicy } from '../../../core/partition-commit.ts';
import type { WebhookPolicySpec } from '../../../core/specs.ts';

const CONCURRENT_CALLS = 4;
/** Characters of an answer, for the message. */
const MAX_SAID = 200;

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
    // Not the whole URL: often its path is all the secret there is.
    const said = (await response.text()).replaceAll(/\s+/g, ' ').slice(0, MAX_SAID);
    throw new Error(`${new URL(spec.url).origin} answered ${response.status} ${said}`);
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
