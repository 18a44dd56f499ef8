/** Entry of a subtask's thread. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../core/clock.ts';
import { useCodeCache } from '../core/code-cache.ts';
import { rethrow, SluiceError } from '../core/errors.ts';
import { killAtFailpoint } from '../core/failpoint.ts';
import type { FromSubtask, ToSubtask } from './messages.ts';
import type { SubtaskConfig } from './subtask-config.ts';
import type { ThreadData } from './subtask-host.ts';

async function run(port: MessagePort, files: MessagePort, workDone: () => void): Promise<void> {
  const send = (message: FromSubtask) => {
    if (message.type === 'ended') workDone();
    port.postMessage(message);
  };
  // What comes while formats load waits: an assignment and a snapshot at most.
  const early: ToSubtask[] = [];
  let receive = (message: ToSubtask) => {
    early.push(message);
  };
  const configured = new Promise<SubtaskConfig>((resolve) => {
    let first = true;
    port.on('message', (message: SubtaskConfig | ToSubtask) => {
      if (first) resolve(message as SubtaskConfig);
      else receive(message as ToSubtask);
      first = false;
    });
  });
  const [{ startSubtask }, { openFileSystem }, { DelegatingWriter }] = await Promise.all([
    import('./subtask-start.ts'),
    import('../storage/open-file-system.ts'),
    import('../storage/local/delegating-writer.ts'),
  ]);
  const config = await configured;
  try {
    const fileSystem = openFileSystem({
      runId: config.runId,
      s3: config.job.s3,
      localWriter: new DelegatingWriter(config.runId, files),
      onWarning: (message) =>
        send({ type: 'warning', subtask: config.subtask, code: 'storage-retried', message }),
    });
    const running = await startSubtask(config, fileSystem, systemClock, send);
    receive = (message) => running.receive(message);
    for (const message of early.splice(0)) running.receive(message);
    await running.done;
    await fileSystem.close();
  } catch (error) {
    send({ type: 'failed', subtask: config.subtask, error: SluiceError.from(error).toMessage() });
  }
  port.close();
}

if (parentPort === null) throw new SluiceError('INTERNAL', 'the subtask entry was started outside a thread');
const { failpoint, files } = workerData as ThreadData;
if (failpoint !== null) killAtFailpoint(failpoint);
run(parentPort, files, useCodeCache('subtask')).catch(rethrow);
