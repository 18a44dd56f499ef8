/**
 * A replay brings rows into partitions that were announced: they are announced again, with all their rows, whatever
 * kill -9 comes in between and whoever goes on afterwards.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listLake, readTable } from '../support/oracle.ts';
import { sluice } from '../support/program.ts';

const ROWS = 600;
const HOURS = 4;
/** Every 5th record has a number that is none, in the first two hours only. */
const isBad = (id: number) => id % 5 === 2 && hourOf(id) < 2;
const hourOf = (id: number) => Math.floor((id * HOURS) / ROWS);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-replay-'));
  await mkdir(path.join(folder, 'in'));
  const lines = Array.from({ length: ROWS }, (_, id) => {
    const ts = `2026-11-22T0${hourOf(id)}:${String(id % 60).padStart(2, '0')}:00Z`;
    return `${JSON.stringify({ id, ts, n: isBad(id) ? `no ${id}` : id })}\n`;
  });
  await writeFile(path.join(folder, 'in/a.ndjson'), lines.join(''));
});
afterEach(() => rm(folder, { recursive: true }));

/** @param type of `n`; under `string` everything fits */
async function writeJob(type: 'int64' | 'string'): Promise<string> {
  const file = path.join(folder, 'job.yaml');
  await writeFile(
    file,
    `
version: 1
job: replayed
state: ./state
parallelism: 1
checkpoint: { interval: 20ms, retain: 2 }
source:
  path: ./in
  monitor_interval: 50ms
  format:
    type: ndjson
    on_bad_record: quarantine
    schema: [{ name: id, type: int64 }, { name: ts, type: timestamp(ms) }, { name: n, type: ${type} }]
event_time: { field: ts }
quarantine: { path: ./quarantine, format: { type: ndjson } }
sink:
  path: ./lake
  format: { type: ndjson }
  bucket: { type: datetime, time: event, pattern: "'dt='yyyy-MM-dd/'hour='HH" }
  rolling: { max_rows: 7 }
  partition_commit:
    trigger: partition_time
    delay: 1h
    policies: [{ type: success_file }]
`,
  );
  return file;
}

interface Partition {
  /** What `_SUCCESS` says. */
  readonly said: { readonly rows: number; readonly parts: number; readonly checkpoint: number } | null;
  readonly rows: number;
  readonly parts: number;
}

/** By hour. The success files are read first: what they tell of is there by then. */
async function look(): Promise<Partition[]> {
  const lake = path.join(folder, 'lake');
  const said = new Map<string, Partition['said']>();
  for (const file of await readdir(lake, { recursive: true }))
    if (path.basename(file) === '_SUCCESS')
      said.set(path.dirname(file), JSON.parse(await readFile(path.join(lake, file), 'utf8')));
  const { visible } = await listLake(lake);
  const partitions: Partition[] = [];
  for (let hour = 0; hour < HOURS; hour++) {
    const bucket = `dt=2026-11-22/hour=0${hour}`;
    const parts = visible.filter((part) => path.dirname(part) === bucket);
    let rows = 0;
    for (const part of parts) rows += (await readTable(path.join(lake, part), {})).length;
    partitions.push({ said: said.get(bucket) ?? null, rows, parts: parts.length });
  }
  return partitions;
}

async function ok(...args: string[]): Promise<void> {
  const { code, stdout, stderr } = await sluice(args);
  expect(code, `${stdout}${stderr}`).toBe(0);
}

const ALL = Array.from({ length: ROWS }, (_, id) => id);
const rowsIn = (hour: number, counts: (id: number) => boolean) =>
  ALL.filter((id) => hourOf(id) === hour && counts(id)).length;

describe('partitions that a replay adds to', () => {
  it.each([
    ['checkpoint.write.after:4', 'replay'],
    ['commit.before:1', 'backfill'],
    ['commit.link.after:1', 'replay'],
    ['commit.after:1', 'backfill'],
    ['partition.commit.before:1', 'replay'],
    ['partition.policy.after:1', 'replay'],
    ['partition.commit.after:1', 'backfill'],
    [null, 'replay'],
  ])('kill -9 at %s, then %s', async (point, next) => {
    await ok('backfill', await writeJob('int64'));
    const before = await look();
    for (const [hour, { said, rows, parts }] of before.entries()) {
      expect(rows).toBe(rowsIn(hour, (id) => !isBad(id)));
      expect(said).toMatchObject({ rows, parts });
    }
    const job = await writeJob('string');
    if (point !== null) {
      const { signal, stderr } = await sluice(['replay', job], { env: { SLUICE_FAILPOINT: point } });
      expect(signal, stderr).toBe('SIGKILL');
      for (const { said, rows } of await look()) expect(said!.rows).toBeLessThanOrEqual(rows);
      await ok(next, job);
    }
    if (next !== 'replay') {
      // Whatever the replay had brought in by then is announced by the job itself.
      for (const { said, rows, parts } of await look()) expect(said).toMatchObject({ rows, parts });
    }
    await ok('replay', job);
    const after = await look();
    for (const [hour, { said, rows, parts }] of after.entries()) {
      expect(rows).toBe(rowsIn(hour, () => true));
      expect(said).toMatchObject({ rows, parts });
      if (hour < 2) expect(said!.checkpoint).toBeGreaterThan(before[hour]!.said!.checkpoint);
      else expect(said).toEqual(before[hour]!.said);
    }
    await ok('verify', job);
    if (point !== null) return;
    await ok('replay', job);
    expect(await look()).toEqual(after);
  });
});
