/** What a start finds out about the table before it publishes anything. */
import { beforeEach, expect, test } from 'vitest';
import type { Checkpoint } from '../../../lib/commit/checkpoint.ts';
import { Committer } from '../../../lib/commit/committer.ts';
import { openPublication } from '../../../lib/tables/open-publication.ts';
import { TEST_JOB_ID, testCheckpoint } from '../../support/checkpoints.ts';
import { countingIds } from '../../support/counting-ids.ts';
import { parquetOutput, schemaOf, testJob } from '../../support/job.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryFileSystem } from '../../support/memory-file-system.ts';

const schema = schemaOf({ id: 'int64' });
const clock = new ManualClock();
let fileSystem: MemoryFileSystem;
beforeEach(() => {
  fileSystem = new MemoryFileSystem(clock);
  fileSystem.addFolder('/job/lake');
});

const job = testJob('/job', {
  sink: { format: parquetOutput, table: { type: 'delta', checkpointEvery: 10 } },
});
const start = async (base: Checkpoint) => {
  const committer = new Committer(fileSystem.recoverableWriter, []);
  const publication = await openPublication(job, base, { fileSystem, committer, clock, ids: countingIds() });
  await publication.prepare(schema);
  return publication;
};
const tell = (version: number) =>
  fileSystem.put(
    `/job/lake/_delta_log/${'1'.padStart(20, '0')}.json`,
    JSON.stringify({ txn: { appId: `sluice-${TEST_JOB_ID}`, version } }),
  );
const told = (id: number, promise: number) =>
  testCheckpoint(id, { schema, table: { type: 'delta', promise } });

test('a state that is older than the table is refused, however many starts have claimed it since', async () => {
  await start(testCheckpoint(1));
  tell(8);
  await start(told(8, 8));
  // A crash before the next checkpoint, and starts that each claimed one.
  await start(told(12, 8));
  for (const id of [5, 8, 20])
    await expect(start(told(id, 5)), `claimed as ${id}`).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
  // From before the job had the table: there is only its own number.
  await expect(start(testCheckpoint(7, { schema }))).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
  await start(testCheckpoint(8, { schema }));
});
