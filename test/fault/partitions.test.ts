/** Partitions announced by a job that is killed: a success file says what is visible, never more, and in the end all of it. */
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
import { expectExactlyOnce, listLake, readTable } from '../support/oracle.ts';
import { type Running, sluice, startSluice } from '../support/program.ts';

const ROUNDS = process.env.CI === 'true' ? 20 : 5;
const SEED = Number(process.env.SLUICE_SEED ?? 20261127);

let folder: string;
let running: Running | null = null;
let first = 0;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-partitions-'));
  await mkdir(path.join(folder, 'in'));
  first = 0;
});
afterEach(async () => {
  running?.child.kill('SIGKILL');
  await running?.ended;
  await rm(folder, { recursive: true });
});

async function writeJob(trigger: string): Promise<string> {
  const file = path.join(folder, 'job.yaml');
  await writeFile(
    file,
    `
version: 1
job: partitions
state: ./state
parallelism: 2
checkpoint: { interval: 100ms, retain: 2 }
source:
  path: ./in
  monitor_interval: 50ms
  format: { type: ndjson, schema: ${GENERATED_SCHEMA} }
event_time: { field: ts, max_out_of_orderness: 10m, idle_timeout: 200ms }
sink:
  path: ./lake
  format: { type: ndjson }
  bucket: { type: datetime, time: event, pattern: "'dt='yyyy-MM-dd/'hour='HH" }
  rolling: { max_rows: 15, rollover_interval: 1s }
  partition_commit:
    trigger: ${trigger}
    policies: [{ type: success_file }]
`,
  );
  return file;
}

async function feed(name: string, rows: number): Promise<void> {
  await writeRows(path.join(folder, 'in', `${name}.ndjson`), generateRows({ seed: SEED, rows, first }));
  first += rows;
}

interface Announced {
  readonly rows: number;
  readonly parts: number;
  readonly checkpoint: number;
}

/** What success files say, and what there is, by bucket. The files are read first: what they tell of is there by then. */
async function look(): Promise<Map<string, { said: Announced | null; rows: number; parts: number }>> {
  const lake = path.join(folder, 'lake');
  const said = new Map<string, Announced>();
  for (const file of await readdir(lake, { recursive: true }).catch(() => []))
    if (path.basename(file) === '_SUCCESS')
      said.set(path.dirname(file), JSON.parse(await readFile(path.join(lake, file), 'utf8')));
  const buckets = new Map<string, { said: Announced | null; rows: number; parts: number }>();
  for (const part of (await listLake(lake)).visible) {
    const bucket = path.dirname(part);
    const before = buckets.get(bucket) ?? { said: said.get(bucket) ?? null, rows: 0, parts: 0 };
    const { length } = await readTable(path.join(lake, part));
    buckets.set(bucket, { ...before, rows: before.rows + length, parts: before.parts + 1 });
  }
  for (const bucket of said.keys())
    expect(buckets.has(bucket), `${bucket} is announced and empty`).toBe(true);
  return buckets;
}

async function newestCheckpoint(): Promise<number> {
  const names = await readdir(path.join(folder, 'state/partitions/checkpoints')).catch(() => []);
  return Math.max(0, ...names.flatMap((name) => /^(\d+)\.checkpoint$/.exec(name)?.[1] ?? []).map(Number));
}

async function ok(args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await sluice(args);
  expect(code, `${stdout}${stderr}`).toBe(0);
}

async function expectAnnounced(): Promise<Map<string, Announced>> {
  await expectExactlyOnce({
    ...{ inputs: [path.join(folder, 'in')], lake: path.join(folder, 'lake') },
    ...{ columns: GENERATED_COLUMNS, bucketOf: hourBucket },
    allowHidden: (file) => path.basename(file) === '_SUCCESS',
  });
  const announced = new Map<string, Announced>();
  for (const [bucket, { said, rows, parts }] of await look()) {
    expect(said, bucket).toMatchObject({ rows, parts });
    announced.set(bucket, said!);
  }
  return announced;
}

describe.each(['partition_time', 'process_time'])('partition commits by %s', (trigger) => {
  it('of a job that is killed again and again name exactly what is there; late rows are announced again', async () => {
    const job = await writeJob(trigger);
    const random = seededRandom(SEED);
    let announcedBefore = false;
    for (let round = 0; round < ROUNDS; round++) {
      const before = await newestCheckpoint();
      const daemon = startSluice(['run', job]);
      running = daemon;
      let dead = false;
      void daemon.ended.then(() => {
        dead = true;
      });
      for (let file = 0; !dead && (file < 4 || (await newestCheckpoint()) < before + 4); file++) {
        await feed(`${round}-${file}`, 40);
        await delay(random() * 150);
      }
      daemon.child.kill('SIGKILL');
      const { signal, stderr } = await daemon.ended;
      expect(signal, stderr).toBe('SIGKILL');
      for (const [bucket, { said, rows, parts }] of await look()) {
        expect(said?.rows ?? 0, `${bucket}: more announced than is there`).toBeLessThanOrEqual(rows);
        expect(said?.parts ?? 0).toBeLessThanOrEqual(parts);
        announcedBefore ||= said !== null;
      }
    }
    expect(announcedBefore, 'something was announced while it ran').toBe(true);
    await ok(['backfill', job]);
    const announced = await expectAnnounced();
    await feed('late', 60);
    await ok(['backfill', job]);
    const again = await expectAnnounced();
    const grown = [...again].filter(
      ([bucket, { checkpoint }]) => checkpoint > (announced.get(bucket)?.checkpoint ?? 0),
    );
    expect(grown.length).toBeGreaterThan(0);
    // Nothing new: nothing is announced again.
    await ok(['backfill', job]);
    expect(await expectAnnounced()).toEqual(again);
  });
});
