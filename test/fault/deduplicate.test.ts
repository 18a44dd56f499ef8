/**
 * kill -9 of a daemon that de-duplicates. One file, so that the order of rows is known: what is in the lake in the end is what
 * a list of the last so many keys gives for the file, as if nothing had happened, and verify accounts for every record.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CheckpointStore } from '../../lib/commit/checkpoint-store.ts';
import { localFileSystem } from '../../lib/storage/local/local-file-system.ts';
import { seededRandom } from '../support/generate.ts';
import { listLake, readTable } from '../support/oracle.ts';
import { sluice, startSluice } from '../support/program.ts';
import { until } from '../support/until.ts';

const ROUNDS = process.env.CI === 'true' ? 20 : 5;
const LINES = 60_000;
const WINDOW = 500;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-deduplicate-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(() => rm(folder, { recursive: true }));

const jobFile = (bytesPerSecond: string) => `
version: 1
job: once
state: ./state
parallelism: 1
checkpoint: { interval: 50ms, retain: 2 }
source:
  path: ./in
  split_size: 16KiB
  format: { type: ndjson, schema: [{ name: id, type: int64 }, { name: seq, type: int64 }] }
  ${bytesPerSecond}
transform:
  - deduplicate: { key: [id], window: { rows: ${WINDOW} } }
sink:
  path: ./lake
  format: { type: ndjson }
  bucket: { type: base_path }
`;

/** In process: a command would take so long that the file is read whole meanwhile. */
async function rowsWritten(): Promise<number> {
  const newest = await new CheckpointStore(
    localFileSystem('0000'),
    path.join(folder, 'state', 'once'),
  ).load();
  return newest?.totals.rows ?? 0;
}

/** Sequence numbers of the rows that stay. */
function expected(ids: readonly number[]): number[] {
  const window: number[] = [];
  const kept: number[] = [];
  for (const [seq, id] of ids.entries()) {
    if (window.includes(id)) continue;
    window.push(id);
    if (window.length > WINDOW) window.shift();
    kept.push(seq);
  }
  return kept;
}

it('the same rows stay, however often it is killed', { timeout: 300_000 }, async () => {
  const random = seededRandom(20261126);
  const ids = Array.from({ length: LINES }, () => Math.floor(random() * 1500));
  await writeFile(
    path.join(folder, 'in', 'a.ndjson'),
    ids.map((id, seq) => `{"id":${id},"seq":${seq}}\n`).join(''),
  );
  const job = path.join(folder, 'job.yaml');
  await writeFile(job, jobFile('limits: { bytes_per_second: 50KiB }'));
  let rows = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const daemon = startSluice(['run', 'job.yaml'], { cwd: folder });
    const before = rows;
    await until('a checkpoint has new rows', async () => {
      rows = await rowsWritten();
      return rows > before;
    });
    daemon.child.kill('SIGKILL');
    await daemon.ended;
  }
  await writeFile(job, jobFile(''));
  const { code, stdout, stderr } = await sluice(['backfill', '--json', 'job.yaml'], { cwd: folder });
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout).duplicates, 'the kills came before the end').toBeGreaterThan(0);
  const kept: number[] = [];
  for (const part of (await listLake(path.join(folder, 'lake'))).visible)
    for (const row of await readTable(path.join(folder, 'lake', part), {})) kept.push(Number(row.seq));
  const wanted = expected(ids);
  expect(kept.sort((a, b) => a - b)).toEqual(wanted);
  const verified = await sluice(['verify', '--json', 'job.yaml'], { cwd: folder });
  expect(verified.code, verified.stdout).toBe(0);
  const duplicates = LINES - wanted.length;
  expect(JSON.parse(verified.stdout).source).toMatchObject({
    records: LINES,
    rows: wanted.length,
    filtered: duplicates,
  });
  const status = await sluice(['status', '--json', 'job.yaml'], { cwd: folder });
  expect(JSON.parse(status.stdout).checkpoint.totals).toMatchObject({ filtered: duplicates, duplicates });
});
