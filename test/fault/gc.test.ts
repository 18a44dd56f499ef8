/** `sluice gc` beside the real daemon, which is killed and started again under it. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { collectGarbage, type GarbageReport } from '../../lib/commit/gc/collect-garbage.ts';
import { readJobFile } from '../../lib/config/read-job.ts';
import { systemClock } from '../../lib/core/clock.ts';
import { localFileSystem } from '../../lib/storage/local/local-file-system.ts';
import { lockOwner } from '../../lib/storage/local/process-lock.ts';
import {
  GENERATED_COLUMNS,
  GENERATED_SCHEMA,
  generateRows,
  hourBucket,
  writeRows,
} from '../support/generate.ts';
import { expectExactlyOnce } from '../support/oracle.ts';
import { endStarted, sluice, startSluice } from '../support/program.ts';

/** Where the daemon dies: with hidden files, segments and half a checkpoint that nothing names. */
const DEATHS = [
  'part.write.after:9',
  'sink.snapshot.after:8',
  'checkpoint.write.before:5',
  'commit.link.after:7',
  'part.close.after:5',
];

const MAX_FILES = 60;
const MAX_LOOKS = 300;

let folder: string;
let jobFile: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-gc-'));
  await mkdir(path.join(folder, 'in'));
  jobFile = path.join(folder, 'job.yaml');
  await writeFile(
    jobFile,
    `
version: 1
job: gc
state: ./state
parallelism: 2
memory: 4MiB
checkpoint: { interval: 50ms, retain: 2 }
source:
  path: ./in
  monitor_interval: 50ms
  format: { type: ndjson, schema: ${GENERATED_SCHEMA} }
event_time: { field: ts }
sink:
  path: ./lake
  format: { type: parquet, row_group_size: 64KiB }
  bucket: { type: datetime, time: event, pattern: "'dt='yyyy-MM-dd/'hour='HH" }
  rolling: { part_size: 64KiB, rollover_interval: 300ms, inactivity_interval: 200ms }
  bucket_check_interval: 50ms
`,
  );
});
afterEach(async () => {
  await endStarted();
  await rm(folder, { recursive: true });
});

it('removes orphans beside the daemon, and every row is there once in the end', async () => {
  const fileSystem = localFileSystem('00000000');
  const { job } = await readJobFile(jobFile, { fileSystem, environment: {}, parallelism: 2 });
  let first = 0;
  const feed = async (file: string) => {
    await writeRows(path.join(folder, 'in', `${file}.ndjson`), generateRows({ seed: 3, rows: 200, first }));
    first += 200;
  };
  const seen = new Map<string, number>();
  const collect = async (): Promise<GarbageReport> => {
    const report = await collectGarbage({
      job,
      fileSystem,
      clock: systemClock,
      lockOwner: () => lockOwner(job.statePath),
      dryRun: false,
      minAgeMs: 0,
    });
    for (const { verdict, outcome } of report.files) {
      const what = outcome === 'removed' ? 'removed' : verdict.kind;
      seen.set(what, (seen.get(what) ?? 0) + 1);
    }
    return report;
  };
  let stopped = false;
  for (const [round, failpoint] of DEATHS.entries()) {
    const daemon = startSluice(['run', jobFile], { env: { SLUICE_FAILPOINT: failpoint } });
    let dead = false;
    void daemon.ended.then(() => {
      dead = true;
    });
    for (let file = 0, looks = 0; !dead; file++) {
      if (file < MAX_FILES) await feed(`${round}-${file}`);
      const { running, files } = await collect();
      if (running !== null) looks++;
      // Whether the step is reached so often is up to timers.
      if (looks === MAX_LOOKS) daemon.child.kill('SIGKILL');
      if (stopped || running === null || !files.some(({ verdict }) => verdict.kind === 'resumable')) continue;
      stopped = true;
      daemon.child.kill('SIGSTOP');
      const orphans = (await collect()).files.filter(
        ({ area, verdict }) => area === 'lake' && verdict.kind === 'orphan',
      );
      expect(orphans, 'of a process that does not answer').toEqual([]);
      daemon.child.kill('SIGCONT');
    }
    const { signal, stderr } = await daemon.ended;
    expect(signal, stderr).toBe('SIGKILL');
    await collect();
  }
  const report = await sluice(['gc', jobFile, '--min-age', '0', '--json']);
  expect(report.code, report.stderr).toBe(0);
  expect(JSON.parse(report.stdout)).toMatchObject({ job: 'gc', running: null });
  const { code, stderr } = await sluice(['backfill', jobFile]);
  expect(code, stderr).toBe(0);
  const { partRows } = await expectExactlyOnce({
    inputs: [path.join(folder, 'in')],
    lake: path.join(folder, 'lake'),
    columns: GENERATED_COLUMNS,
    bucketOf: hourBucket,
  });
  expect(partRows).toBe(first);
  expect(stopped).toBe(true);
  expect([...seen.keys()].sort()).toEqual(expect.arrayContaining(['removed', 'resumable']));
});
