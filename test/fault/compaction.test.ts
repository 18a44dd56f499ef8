/** Compaction of a real lake: killed, switched on and off, and looked at by a lister that never stops. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  GENERATED_COLUMNS,
  GENERATED_SCHEMA,
  generateRows,
  hourBucket,
  seededRandom,
  writeRows,
} from '../support/generate.ts';
import { expectExactlyOnce, expectNone, isFinishedLater, judge, listLake } from '../support/oracle.ts';
import { endStarted, sluice, startSluice } from '../support/program.ts';
import { until } from '../support/until.ts';

const ROUNDS = process.env.CI === 'true' ? 20 : 4;
const SEED = Number(process.env.SLUICE_SEED ?? 20261125);
const ON = '{ target_size: 256KiB, max_small_parts: 4, quiet: 500ms }';
const BY_COMMAND = '{ target_size: 256KiB, daemon: false }';

let folder: string;
let first = 0;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-compaction-'));
  await mkdir(path.join(folder, 'in'));
  first = 0;
});
afterEach(async () => {
  await endStarted();
  await rm(folder, { recursive: true });
});

async function writeJob(format: string, compaction: string | null): Promise<string> {
  const file = path.join(folder, 'job.yaml');
  await writeFile(
    file,
    `
version: 1
job: compaction
state: ./state
parallelism: 1
memory: 4MiB
checkpoint: { interval: 100ms, retain: 2 }
source:
  path: ./in
  monitor_interval: 50ms
  format: { type: ndjson, schema: ${GENERATED_SCHEMA} }
event_time: { field: ts }
sink:
  path: ./lake
  format: ${format}
  bucket: { type: datetime, time: event, pattern: "'dt='yyyy-MM-dd/'hour='HH" }
  rolling: { on_checkpoint: true }
  ${compaction === null ? '' : `compaction: ${compaction}`}
`,
  );
  return file;
}

async function feed(name: string, rows: number): Promise<void> {
  await writeRows(path.join(folder, 'in', `${name}.ndjson`), generateRows({ seed: SEED, rows, first }));
  first += rows;
}

const lake = () => ({
  inputs: [path.join(folder, 'in')],
  lake: path.join(folder, 'lake'),
  columns: GENERATED_COLUMNS,
  bucketOf: hourBucket,
});

async function newestCheckpoint(): Promise<number> {
  const names = await readdir(path.join(folder, 'state/compaction/checkpoints')).catch(() => []);
  return Math.max(0, ...names.flatMap((name) => /^(\d+)\.checkpoint$/.exec(name)?.[1] ?? []).map(Number));
}

async function ok(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await sluice(args);
  expect(code, `${stdout}${stderr}`).toBe(0);
  return stdout;
}

describe('compaction', () => {
  for (const format of ['{ type: parquet }', '{ type: ndjson, compression: gzip }']) {
    it(`D47: ${format}: killed again and again with compaction on, every row once`, async () => {
      const job = await writeJob(format, ON);
      const random = seededRandom(SEED);
      for (let round = 0; round < ROUNDS; round++) {
        const before = await newestCheckpoint();
        const daemon = startSluice(['run', job]);
        let dead = false;
        void daemon.ended.then(() => {
          dead = true;
        });
        const files = 6 + Math.floor(random() * 10);
        for (let file = 0; file < files && !dead; file++) {
          await feed(`${round}-${file}`, 20);
          await delay(random() * 150);
        }
        // Not before it is at work, however slow the machine.
        for (let more = 0; !dead && (await newestCheckpoint()) < before + 4; more++) {
          await feed(`${round}-more-${more}`, 3);
          await delay(100);
        }
        daemon.child.kill('SIGKILL');
        const { signal, stderr } = await daemon.ended;
        expect(signal, stderr).toBe('SIGKILL');
        const { violations } = await judge({ ...lake(), mode: 'ids' });
        expectNone(
          violations.filter((violation) => !isFinishedLater(violation)),
          `round ${round}`,
        );
      }
      await ok(['backfill', job]);
      const { partRows, parts } = await expectExactlyOnce(lake());
      expect(partRows).toBe(first);
      const buckets = new Set((await listLake(lake().lake)).visible.map((part) => path.dirname(part)));
      expect(parts, 'one part a bucket: there is too little for two').toBe(buckets.size);
    });
  }

  it.each(['compaction.merged', 'compaction.published', 'compaction.swap.after:2'])(
    'sluice compact, killed at %s, is finished by the next start',
    async (failpoint) => {
      const job = await writeJob('{ type: parquet }', BY_COMMAND);
      for (let file = 0; file < 3; file++) {
        await feed(`${file}`, 30);
        await ok(['backfill', job]);
      }
      const { parts: before } = await expectExactlyOnce(lake());
      const killed = await startSluice(['compact', job], { env: { SLUICE_FAILPOINT: failpoint } }).ended;
      expect(killed.signal).toBe('SIGKILL');
      await ok(['backfill', job]);
      await expectExactlyOnce(lake());
      const report: unknown = JSON.parse(await ok(['compact', job, '--json']));
      expect(report).toMatchObject({ job: 'compaction' });
      const { parts, partRows } = await expectExactlyOnce(lake());
      expect(partRows).toBe(90);
      expect(parts).toBeLessThan(before);
      expect(JSON.parse(await ok(['compact', job, '--json']))).toMatchObject({
        merged_parts: 0,
        into_parts: 0,
      });
    },
  );

  it('D48: never on, then on, then off, then left out: every row once', async () => {
    for (const [round, compaction] of [null, ON, BY_COMMAND, ON, null].entries()) {
      const job = await writeJob('{ type: ndjson, compression: none }', compaction);
      await feed(`${round}`, 50);
      if (round === 3) {
        // The checkpoint has promised swaps, and what follows knows nothing of compaction.
        const killed = await startSluice(['backfill', job], {
          env: { SLUICE_FAILPOINT: 'compaction.swap.before' },
        }).ended;
        expect(killed.signal, killed.stderr).toBe('SIGKILL');
      } else await ok(['backfill', job]);
    }
    const { partRows } = await expectExactlyOnce(lake());
    expect(partRows).toBe(250);
  });

  it('a daemon without input merges what has been quiet for long enough', async () => {
    const job = await writeJob('{ type: parquet }', BY_COMMAND);
    for (const file of ['0', '1']) {
      await feed(file, 60);
      await ok(['backfill', job]);
    }
    const { parts: before } = await expectExactlyOnce(lake());
    const buckets = new Set((await listLake(lake().lake)).visible.map((part) => path.dirname(part)));
    expect(before).toBeGreaterThan(buckets.size);
    await writeJob('{ type: parquet }', '{ target_size: 256KiB, max_small_parts: 100, quiet: 4s }');
    const daemon = startSluice(['run', job]);
    // Nothing comes: all that happens is that time passes.
    const merged = async () => (await listLake(lake().lake)).visible.length === buckets.size;
    await until('one part a bucket', merged);
    daemon.child.kill('SIGTERM');
    expect((await daemon.ended).code).toBe(0);
    expect((await expectExactlyOnce(lake())).parts).toBe(buckets.size);
  });

  it('is refused while the job runs, and without a section in the job file', async () => {
    const job = await writeJob('{ type: parquet }', BY_COMMAND);
    await feed('a', 10);
    const daemon = startSluice(['run', job]);
    const stateNames = () => readdir(path.join(folder, 'state/compaction')).catch(() => []);
    await until('the lock', async () => (await stateNames()).some((name) => /^lock\.\d/.test(name)));
    const refused = await sluice(['compact', job]);
    daemon.child.kill('SIGTERM');
    await daemon.ended;
    expect(refused.code, refused.stderr).toBe(6);
    await writeJob('{ type: parquet }', null);
    expect((await sluice(['compact', job])).code).toBe(2);
  });

  it('a lister in a loop never misses a row; it may see those of the swap under way twice', async () => {
    const job = await writeJob('{ type: ndjson, compression: none }', BY_COMMAND);
    for (let file = 0; file < 6; file++) {
      await feed(`${file}`, 60);
      await ok(['backfill', job]);
    }
    const all = first;
    const compacting = startSluice(['compact', job]);
    let dead = false;
    void compacting.ended.then(() => {
      dead = true;
    });
    let looks = 0;
    let vanished = 0;
    for (; !dead || looks === 0; looks++) {
      const { visible } = await listLake(lake().lake);
      const ids: string[] = [];
      let whole = true;
      for (const part of visible) {
        const text = await readFile(path.join(lake().lake, part), 'utf8').catch(() => null);
        // Listed, and gone when it is opened: such a reader fails, and reads again.
        if (text === null) whole = false;
        for (const line of text?.trimEnd().split('\n') ?? [])
          ids.push((JSON.parse(line) as { id: string }).id);
      }
      if (!whole) vanished++;
      else expect(new Set(ids).size, 'rows missing').toBe(all);
    }
    expect((await compacting.ended).code).toBe(0);
    expect(looks).toBeGreaterThan(vanished);
    await expectExactlyOnce(lake());
  });
});
