/** Amazon SQS, or a server that speaks its protocol, as a MessageQueue. Credentials come as for object stores. */
import '../sdk-notice.ts';
import {
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SQSClient,
  type SQSClientConfig,
} from '@aws-sdk/client-sqs';
import type { NotificationSpec } from '../../core/specs.ts';
import type { MessageQueue } from '../message-queue.ts';
import { objectStoreError } from '../s3/errors.ts';

/** SQS's own limit, for both requests. */
const BATCH = 10;
const CONNECT_TIMEOUT_MS = 10_000;
/** Beyond the 20 s that a server waits for a message. */
const REQUEST_TIMEOUT_MS = 30_000;

export function sdkMessageQueue(spec: Extract<NotificationSpec, { type: 'sqs' }>): MessageQueue {
  const { queueUrl: QueueUrl, endpoint, region, profile } = spec;
  const silent = () => {};
  const config: SQSClientConfig = {
    // Whoever receives tries again, and says so.
    maxAttempts: 1,
    endpoint: endpoint ?? new URL(QueueUrl).origin,
    logger: { debug: silent, info: silent, warn: silent, error: silent },
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
  };
  if (region !== null) config.region = region;
  if (profile !== null) config.profile = profile;
  const client = new SQSClient(config);
  const failed = (thrown: unknown) => {
    throw objectStoreError(`cannot use the queue ${QueueUrl}`, thrown);
  };
  return {
    async receive(waitSeconds, abortSignal) {
      const command = new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: BATCH,
        WaitTimeSeconds: waitSeconds,
      });
      const { Messages: messages = [] } = await client.send(command, { abortSignal }).catch(failed);
      return messages.map(({ Body: body = '', ReceiptHandle: receipt = '' }) => ({ body, receipt }));
    },
    async remove(messages, abortSignal) {
      for (let from = 0; from < messages.length; from += BATCH) {
        const Entries = messages
          .slice(from, from + BATCH)
          .map(({ receipt }, id) => ({ Id: String(id), ReceiptHandle: receipt }));
        await client
          .send(new DeleteMessageBatchCommand({ QueueUrl, Entries }), { abortSignal })
          .catch(failed);
      }
    },
    close: () => client.destroy(),
  };
}
