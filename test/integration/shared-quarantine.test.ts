/** Two jobs that keep their bad records in one folder. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../lib/core/clock.ts';
import type { CompiledJob } from '../../lib/core/compiled-job.ts';
import { replayJob } from '../../lib/pipeline/replay.ts';
import { localFileSystem } from '../../lib/storage/local/local-file-system.ts';
import { runInline } from '../support/inline-job.ts';
import { inlineSubtasks } from '../support/inline-subtasks.ts';
import { ndjsonOutput, rollingBySizeAndTime, schemaOf, testJob } from '../support/job.ts';
import { verifyLocal } from '../support/verify.ts';
import { visibleFiles } from '../support/visible-files.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-shared-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Of one good and one bad record. */
async function jobOf(name: string): Promise<CompiledJob> {
  const own = path.join(folder, name);
  await mkdir(path.join(own, 'in'), { recursive: true });
  await writeFile(path.join(own, 'in', 'a.ndjson'), `{"id":"${name}","n":1}\n{"id":"${name}","n":"no"}\n`);
  return testJob(own, {
    source: { schema: schemaOf({ id: 'string', n: 'int64' }), onBadRecord: 'quarantine' },
    sink: { format: ndjsonOutput, bucket: { type: 'base_path' } },
    quarantine: {
      path: path.join(folder, 'quarantine'),
      format: ndjsonOutput as Extract<typeof ndjsonOutput, { type: 'ndjson' }>,
      rolling: rollingBySizeAndTime(),
    },
  });
}

const lakeOf = async ({ sink }: CompiledJob) => {
  const texts = (await visibleFiles(sink.path)).map((part) => readFile(path.join(sink.path, part), 'utf8'));
  return (await Promise.all(texts)).join('');
};

it('replays its own only, and neither is a stranger to the other', async () => {
  const [one, other] = [await jobOf('one'), await jobOf('other')];
  await runInline(one);
  await runInline(other);
  expect(await verifyLocal(one)).toMatchObject({ ok: true });
  const mended = { ...one, source: { ...one.source, schema: schemaOf({ id: 'string', n: 'string' }) } };
  const summary = await replayJob(mended, localFileSystem('0000000a'), {
    startSubtask: (config, receive) =>
      inlineSubtasks(localFileSystem(config.runId), systemClock)(config, receive),
  });
  expect(summary).toMatchObject({ parts_replayed: 1, rows: 1 });
  expect(await lakeOf(one)).not.toContain('other');
  expect(await lakeOf(other)).toBe('{"id":"other","n":1}\n');
  expect(await visibleFiles(path.join(folder, 'quarantine'))).toContainEqual(
    expect.stringMatching(/^quarantine-/),
  );
  expect(await verifyLocal(other)).toMatchObject({ ok: true, findings: [] });
});
