/** A subtask fails at a checkpoint, and another one answers when nobody waits any more. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../../lib/core/clock.ts';
import { SluiceError } from '../../../lib/core/errors.ts';
import type { FromSubtask } from '../../../lib/pipeline/messages.ts';
import type { StartSubtask } from '../../../lib/pipeline/subtask-host.ts';
import { localFileSystem } from '../../../lib/storage/local/local-file-system.ts';
import { runInline } from '../../support/inline-job.ts';
import { inlineSubtasks } from '../../support/inline-subtasks.ts';
import { testJob } from '../../support/job.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-late-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(() => rm(folder, { recursive: true }));

it('ends with what failed, not with the answer that came too late', async () => {
  await writeFile(path.join(folder, 'in', 'a.ndjson'), '{"id":1}\n');
  const broken = new SluiceError('ACCESS_DENIED', 'the disk of subtask 0 is gone');
  const late: FromSubtask[] = [];
  const startSubtask: StartSubtask = (config, receive) => {
    const start = inlineSubtasks(localFileSystem(config.runId), systemClock);
    const host = start(config, (message) => {
      if (message.type !== 'snapshot') return receive(message);
      late.push(message);
      if (late.length === 2)
        setImmediate(() => receive({ type: 'failed', subtask: 0, error: broken.toMessage() }));
    });
    return {
      send: host.send,
      terminate: () => {
        // The job has failed, and waits for what it has to close.
        for (const message of late.splice(0)) receive(message);
        return host.terminate();
      },
    };
  };
  await expect(runInline(testJob(folder, { parallelism: 2 }), { startSubtask })).rejects.toMatchObject({
    code: 'ACCESS_DENIED',
    message: broken.message,
  });
});
