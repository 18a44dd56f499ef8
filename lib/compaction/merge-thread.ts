/** Entry of the compaction thread. */
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../core/clock.ts';
import { SluiceError } from '../core/errors.ts';
import { killAtFailpoint } from '../core/failpoint.ts';
import { openFileSystem } from '../storage/open-file-system.ts';
import type { FromMergeThread, MergeThreadData } from './merge-host.ts';
import { type MergeRequest, mergeParts } from './merge-parts.ts';

const port = parentPort;
if (port === null) throw new SluiceError('INTERNAL', 'the compaction entry was started outside a thread');
const { config, runId, failpoint } = workerData as MergeThreadData;
if (failpoint !== null) killAtFailpoint(failpoint);
const fileSystem = openFileSystem({ runId, s3: config.s3 });
const send = (message: FromMergeThread) => port.postMessage(message);

port.on('message', (request: MergeRequest) => {
  mergeParts(request, config, fileSystem, systemClock).then(
    (answer) => send({ type: 'merged', answer }),
    (error: unknown) => send({ type: 'failed', error: SluiceError.from(error).toMessage() }),
  );
});
