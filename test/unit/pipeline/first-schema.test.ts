/** What a first start makes of the files that there are. */
import { expect, test } from 'vitest';
import { sampleSource } from '../../../lib/pipeline/first-schema.ts';
import { csvInputSpec, testJob } from '../../support/job.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryFileSystem } from '../../support/memory-file-system.ts';

const SECOND_NS = 1_000_000_000n;
const NOW_MS = Date.UTC(2026, 0, 1);

/** The type of `n` where the last record of the file is `-`, without a line end. */
async function typeOfCut(source: { modified?: 'append'; minAgeMs?: number }, ageSeconds: bigint) {
  const clock = new ManualClock(NOW_MS);
  const fileSystem = new MemoryFileSystem(clock);
  const format = { ...csvInputSpec, quotedNewlines: false };
  fileSystem.put('/job/in/a.csv', 'n\n1\n-', BigInt(NOW_MS) * 1_000_000n - ageSeconds * SECOND_NS);
  const job = testJob('/job', { source: { schema: 'infer', format, ...source } });
  const sampled = await sampleSource(job, fileSystem, clock);
  return sampled?.schema.fields[0]?.type.kind;
}

test('the last record of a file counts, though no line end stands behind it', async () => {
  expect(await typeOfCut({}, 0n)).toBe('string');
  expect(await typeOfCut({ minAgeMs: 5000 }, 10n)).toBe('string');
});

test('not where more may come behind it', async () => {
  expect(await typeOfCut({ modified: 'append' }, 10n)).toBe('int64');
  expect(await typeOfCut({ minAgeMs: 5000 }, 1n)).toBe('int64');
});
