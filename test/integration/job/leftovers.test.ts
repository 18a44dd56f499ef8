/** What a job does beside its work with the hidden files of runs that died. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SluiceError } from '../../../lib/core/errors.ts';
import type { JobEvent } from '../../../lib/pipeline/progress.ts';
import type { FileSystem } from '../../../lib/storage/file-system.ts';
import { localFileSystem } from '../../../lib/storage/local/local-file-system.ts';
import { runInline } from '../../support/inline-job.ts';
import { testJob } from '../../support/job.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-leftovers-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Runs a job once, and leaves beside its part what a run that died in the middle of another one would have left. */
async function jobWithLeftover() {
  const job = testJob(folder);
  await writeFile(path.join(folder, 'in', 'a.ndjson'), '{"id":1}\n');
  await runInline(job);
  const [part] = await readdir(job.sink.path, { recursive: true }).then((names) =>
    names.filter((name) => path.basename(name).startsWith('part-')),
  );
  const { dir, base } = path.parse(path.join(job.sink.path, part ?? ''));
  const leftover = path.join(dir, `.${base.replace('-0-0', '-0-1')}.inprogress.0123abcd`);
  await writeFile(leftover, 'half a part');
  return { job, leftover };
}

/** The local disk, on which removing a file takes `remove`. */
const removingBy = (leftover: string, remove: () => Promise<void>) => (runId: string) => {
  const disk: FileSystem = localFileSystem(runId);
  const removeNow = disk.remove.bind(disk);
  disk.remove = async (file) => {
    if (file === leftover) await remove();
    return removeNow(file);
  };
  return disk;
};

it('warns of those that it cannot remove, and finishes', async () => {
  const { job, leftover } = await jobWithLeftover();
  await writeFile(path.join(folder, 'in', 'b.ndjson'), '{"id":2}\n');
  const events: JobEvent[] = [];
  const refuse = async () => {
    throw new SluiceError('ACCESS_DENIED', 'not yours');
  };
  const fileSystem = removingBy(leftover, refuse);
  const summary = await runInline(job, { fileSystem, onEvent: (event) => events.push(event) });
  expect(summary).toMatchObject({ rows: 1 });
  expect(events).toContainEqual({
    type: 'warning',
    code: 'leftovers',
    message: 'leftovers of dead runs stay: not yours',
  });
});

it('removes none any more once the job has failed and another run may begin', async () => {
  const { job, leftover } = await jobWithLeftover();
  const steps: string[] = [];
  const fileSystem = removingBy(leftover, async () => {
    // Far longer than it takes to let go of the job.
    for (let turn = 0; turn < 10_000; turn++) await nextTurn();
    steps.push('removed');
  });
  const failure = new SluiceError('ACCESS_DENIED', 'no thread to be had');
  const ended = runInline(job, {
    fileSystem,
    startSubtask: () => {
      throw failure;
    },
  }).finally(() => steps.push('ended'));
  await expect(ended).rejects.toBe(failure);
  expect(steps).toEqual(['removed', 'ended']);
});
