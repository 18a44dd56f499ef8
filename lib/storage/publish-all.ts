import type { PendingFile } from './recoverable-writer.ts';

/**
 * Publishes files, so many at a time, each taken when its turn comes: with all of them waiting at once, 10,000 took
 * 40 MB more. What fails is thrown only when nothing is under way any more: whoever commits again must not meet ourselves.
 */
export async function publishAll(
  files: readonly PendingFile[],
  concurrency: number,
  publish: (file: PendingFile) => Promise<void>,
): Promise<void> {
  const rest = files.values();
  const publishRest = async () => {
    for (const file of rest) await publish(file);
  };
  const results = await Promise.allSettled(Array.from({ length: concurrency }, publishRest));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
