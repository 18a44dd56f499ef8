/** The policy that runs a program: however that ends, it ends. A hang is told by the test's own limit. */
import { expect, it } from 'vitest';
import { commandPolicy } from '../../../lib/commit/partitions/policies/command.ts';
import type { CommittedPartition } from '../../../lib/core/partition-commit.ts';

const PARTITION: CommittedPartition = {
  ...{ job: 'j', jobId: '0a1b2c3d', partition: 'dt=1', path: '/lake/dt=1', keys: null },
  ...{ rows: 1, parts: 1, checkpoint: 1 },
};

const run = (script: string, timeoutMs: number) =>
  commandPolicy({ type: 'command', command: ['sh', '-c', script], timeoutMs }).commit(
    [PARTITION],
    new AbortController().signal,
  );

it('its time is over though a program that it started lives on', async () => {
  await expect(run('sleep 60; true', 300)).rejects.toThrow('was killed');
});

it('it ended well, and left a program behind', async () => {
  await run('sleep 60 & exit 0', 30_000);
});

it('it ended badly: its last words are told', async () => {
  await expect(run('echo no such table >&2; sleep 60 & exit 3', 30_000)).rejects.toThrow(
    'ended with status 3: no such table',
  );
});
