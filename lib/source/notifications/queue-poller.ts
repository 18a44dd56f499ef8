/**
 * Receives messages from an SQS queue. They are removed once the look that they asked for is over: what crashes before
 * gets them again. What is no message about objects stays in the queue, because it may be somebody else's.
 */
import type { NotificationSpec } from '../../core/specs.ts';
import type { MessageQueue, QueueMessage } from '../../storage/message-queue.ts';
import { readEventMessage } from './event-message.ts';
import type { ReceiverOptions } from './notifications.ts';

const LONG_POLL_SECONDS = 20;
/** Taken in one go: as many as one look takes. */
const MAX_MESSAGES = 1000;

/** @throws SluiceError where the queue cannot be reached */
export async function pollQueue(
  spec: Extract<NotificationSpec, { type: 'sqs' }>,
  options: ReceiverOptions,
): Promise<void> {
  const { sdkMessageQueue } = await import('../../storage/sqs/sdk-message-queue.ts');
  const queue = sdkMessageQueue(spec);
  try {
    while (!options.signal.aborted) await takeSome(queue, spec.queueUrl, options);
  } finally {
    queue.close();
  }
}

/** One round: what is there is received, looked at, and removed. */
async function takeSome(
  queue: MessageQueue,
  name: string,
  { warnings, onHint, signal, onReady }: ReceiverOptions,
): Promise<void> {
  const read: QueueMessage[] = [];
  const paths: string[] = [];
  let received = await queue.receive(LONG_POLL_SECONDS, signal);
  onReady();
  for (let taken = 0; received.length > 0; ) {
    taken += received.length;
    for (const message of received) {
      const event = readEventMessage(message.body);
      if (event.kind === 'unreadable') {
        warnings.warn(
          'notification-unreadable',
          `a message in ${name} is not about objects and stays there: ${JSON.stringify(message.body.slice(0, 100))}`,
        );
        continue;
      }
      read.push(message);
      for (const path of event.paths) paths.push(path);
    }
    if (taken >= MAX_MESSAGES || paths.length >= MAX_MESSAGES) break;
    received = await queue.receive(0, signal);
  }
  if (read.length === 0) return;
  if (paths.length > 0 && !(await onHint(paths))) return;
  await queue.remove(read, signal);
}
