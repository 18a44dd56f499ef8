/** Tables of a lake (Delta log, manifests) while its job is killed: what readers of a table see at any moment. */
import { execFile, spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readDeltaLog } from '../support/delta-log.ts';
import { GENERATED_SCHEMA, generateRows, seededRandom, writeRows } from '../support/generate.ts';
import { readManifests } from '../support/manifests.ts';
import { listLake, readTable } from '../support/oracle.ts';
import { type Running, sluice, startSluice } from '../support/program.ts';
import { PYTHON } from '../support/python.ts';
import { until } from '../support/until.ts';

const ROUNDS = process.env.CI === 'true' ? 20 : 5;
const SEED = Number(process.env.SLUICE_SEED ?? 20261126);
const READER = path.resolve(import.meta.dirname, '../support/read_delta.py');
/** An interpreter that has the Python package `deltalake`, another implementation of the format. */
const DELTALAKE =
  PYTHON !== null && spawnSync(PYTHON, ['-c', 'import deltalake, pyarrow']).status === 0 ? PYTHON : null;

let folder: string;
let first = 0;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-tables-'));
  await mkdir(path.join(folder, 'in'));
  first = 0;
});
let running: Running | null = null;
afterEach(async () => {
  running?.child.kill('SIGKILL');
  await running?.ended;
  await rm(folder, { recursive: true });
});

/** A daemon that does not outlive its test. */
function startDaemon(job: string): Running {
  running = startSluice(['run', job]);
  return running;
}

async function writeJob(table: string | null, keepReplaced = '1s'): Promise<string> {
  const file = path.join(folder, 'job.yaml');
  await writeFile(
    file,
    `
version: 1
job: tables
state: ./state
parallelism: 2
checkpoint: { interval: 100ms, retain: 2 }
source:
  path: ./in
  monitor_interval: 50ms
  format: { type: ndjson, on_new_field: evolve, schema: ${GENERATED_SCHEMA} }
sink:
  path: ./lake
  bucket: { type: fields, fields: [country, {hour: 'ts:hour'}] }
  rolling: { on_checkpoint: true }
  compaction: { target_size: 256KiB, max_small_parts: 4, quiet: 500ms, keep_replaced: ${keepReplaced} }
  ${table === null ? '' : `table: ${table}`}
`,
  );
  return file;
}

async function feed(name: string, rows: number, more: object = {}): Promise<void> {
  const generated = generateRows({ seed: SEED, rows, first, hours: 2 }).map((row) => ({ ...row, ...more }));
  await writeRows(path.join(folder, 'in', `${name}.ndjson`), generated);
  first += rows;
}

const lake = () => path.join(folder, 'lake');

async function idsOf(parts: Iterable<string>): Promise<string[]> {
  const ids: string[] = [];
  for (const part of parts)
    for (const { id } of await readTable(path.join(lake(), part))) ids.push(String(id));
  return ids;
}

async function readWithDeltalake(): Promise<{ version: number; rows: number; ids: number }> {
  const { stdout } = await promisify(execFile)(DELTALAKE ?? '', [READER, lake()]);
  return JSON.parse(stdout);
}

async function ok(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await sluice(args);
  expect(code, `${stdout}${stderr}`).toBe(0);
  return stdout;
}

async function newestCheckpoint(): Promise<number> {
  const names = await readdir(path.join(folder, 'state/tables/checkpoints')).catch(() => []);
  return Math.max(0, ...names.flatMap((name) => /^(\d+)\.checkpoint$/.exec(name)?.[1] ?? []).map(Number));
}

/** Feeds a daemon for a while, then kills it. */
async function runAndKill(job: string, round: number, random: () => number): Promise<void> {
  const before = await newestCheckpoint();
  const daemon = startDaemon(job);
  let dead = false;
  void daemon.ended.then(() => {
    dead = true;
  });
  const files = 5 + Math.floor(random() * 6);
  for (let file = 0; file < files && !dead; file++) {
    await feed(`${round}-${file}`, 20, round === 2 ? { extra: file } : {});
    await delay(random() * 150);
  }
  // Not before it is at work, however slow the machine.
  for (let more = 0; !dead && (await newestCheckpoint()) < before + 4; more++) {
    await feed(`${round}-more-${more}`, 3);
    await delay(100);
  }
  await delay(random() * 800);
  daemon.child.kill('SIGKILL');
  const { signal, stderr } = await daemon.ended;
  expect(signal, stderr).toBe('SIGKILL');
}

describe('a Delta table', () => {
  it('whose job is killed again and again has each row once, and never the half of a commit', async () => {
    const job = await writeJob('{ type: delta, checkpoint_every: 5 }');
    const random = seededRandom(SEED);
    let rowsBefore = 0;
    let compacted = false;
    for (let round = 0; round < ROUNDS; round++) {
      await runAndKill(job, round, random);
      const log = await readDeltaLog(lake()).catch((error: NodeJS.ErrnoException) => {
        // Killed before it made the table.
        if (round === 0 && error.code === 'ENOENT') return null;
        throw error;
      });
      if (log === null) continue;
      const ids = await idsOf(log.files.keys());
      expect(new Set(ids).size, `round ${round}: rows twice`).toBe(ids.length);
      expect(ids.length).toBe(log.rows);
      expect(ids.length).toBe(log.appended.reduce((sum, rows) => sum + rows, 0));
      expect(ids.length).toBeGreaterThanOrEqual(rowsBefore);
      rowsBefore = ids.length;
      compacted ||= [...log.files.keys()].some((file) => /-c-\d+\.parquet$/.test(file));
      if (DELTALAKE !== null)
        expect(await readWithDeltalake()).toEqual({
          version: log.version,
          rows: ids.length,
          ids: ids.length,
        });
    }
    await ok(['backfill', job]);
    const log = await readDeltaLog(lake());
    expect(new Set(await idsOf(log.files.keys())).size).toBe(first);
    expect(log.rows).toBe(first);
    expect(log.columns.map(({ name }) => name)).toContain('extra');
    expect(log.partitionColumns).toEqual(['country', 'hour']);
    expect(log.checkpoints.length).toBeGreaterThan(0);
    expect(compacted || [...log.files.keys()].some((file) => /-c-\d+\.parquet$/.test(file))).toBe(true);
    await ok(['verify', job]);
    // Once the time of the replaced parts is over, the folders hold what the table does.
    await delay(1100);
    await ok(['compact', job]);
    await ok(['compact', job]);
    expect((await listLake(lake())).visible).toEqual([...(await readDeltaLog(lake())).files.keys()].sort());
  });

  it.skipIf(DELTALAKE === null)(
    'is read by another implementation in a loop while it grows: rows only come',
    async () => {
      const job = await writeJob('{ type: delta, checkpoint_every: 3 }', '1m');
      const daemon = startDaemon(job);
      let seen = { version: -1, rows: 0, ids: 0 };
      let reads = 0;
      await feed('0', 50);
      const hasRows = () =>
        readDeltaLog(lake()).then(
          (log) => log.rows > 0,
          () => false,
        );
      await until('rows in the table', hasRows);
      for (let file = 1; file < 12; file++) {
        await feed(`${file}`, 30);
        const now = await readWithDeltalake();
        expect(now.ids).toBe(now.rows);
        expect(now.rows).toBeGreaterThanOrEqual(seen.rows);
        expect(now.version).toBeGreaterThanOrEqual(seen.version);
        seen = now;
        reads++;
      }
      daemon.child.kill('SIGTERM');
      expect((await daemon.ended).code).toBe(0);
      await ok(['backfill', job]);
      expect(await readWithDeltalake()).toMatchObject({ rows: first, ids: first });
      expect(reads).toBe(11);
    },
  );

  it('switched on late, off, and on again: the parts of meanwhile are taken in', async () => {
    for (const [round, table] of [null, '{ type: delta }', null, '{ type: delta }'].entries()) {
      const job = await writeJob(table, '0s');
      await feed(`${round}`, 60);
      await ok(['backfill', job]);
    }
    const log = await readDeltaLog(lake());
    expect([...log.files.keys()].sort()).toEqual((await listLake(lake())).visible);
    expect(log.rows).toBe(first);
  });

  it('whose log was removed by hand has all parts again with the next start', async () => {
    const job = await writeJob('{ type: delta }', '0s');
    await feed('a', 60);
    await ok(['backfill', job]);
    await rm(path.join(lake(), '_delta_log'), { recursive: true });
    await feed('b', 60);
    await ok(['backfill', job]);
    const log = await readDeltaLog(lake());
    expect([...log.files.keys()].sort()).toEqual((await listLake(lake())).visible);
    expect(log.rows).toBe(first);
  });

  it('that is newer than the state is left alone: a state of before would give its numbers to other parts', async () => {
    const job = await writeJob('{ type: delta }');
    await feed('a', 60);
    await ok(['backfill', job]);
    await cp(path.join(folder, 'state'), path.join(folder, 'backup'), { recursive: true });
    for (const name of ['b', 'c']) {
      await feed(name, 60);
      await ok(['backfill', job]);
    }
    const before = await listLake(lake());
    await rename(path.join(folder, 'state'), path.join(folder, 'newest'));
    await rename(path.join(folder, 'backup'), path.join(folder, 'state'));
    for (const command of ['backfill', 'compact']) {
      const { code, stderr } = await sluice([command, job]);
      expect(stderr).toContain('STATE_CORRUPT');
      expect(stderr).toContain('the state is older than the table');
      expect(code).toBe(5);
    }
    expect(await listLake(lake()), 'nothing was written').toEqual(before);
    await rm(path.join(folder, 'state'), { recursive: true });
    await rename(path.join(folder, 'newest'), path.join(folder, 'state'));
    await ok(['backfill', job]);
    expect((await readDeltaLog(lake())).rows).toBe(first);
  });

  it('is refused where it cannot be', async () => {
    const job = await writeJob('{ type: delta }');
    await feed('a', 10);
    await mkdir(path.join(lake(), '_delta_log'), { recursive: true });
    const protocol = { protocol: { minReaderVersion: 3, minWriterVersion: 7 } };
    await writeFile(path.join(lake(), '_delta_log', `${'0'.repeat(20)}.json`), JSON.stringify(protocol));
    const { code, stderr } = await sluice(['backfill', job]);
    expect(code).toBe(4);
    expect(stderr).toContain('TABLE_UNSUITABLE');
    expect((await listLake(lake())).visible, 'nothing was written').toEqual([]);
  });
});

describe('manifests', () => {
  it('that were removed by hand list all parts again with the next start', async () => {
    const job = await writeJob('{ type: manifest }', '0s');
    await feed('a', 60);
    await ok(['backfill', job]);
    await rm(path.join(lake(), '_manifest'), { recursive: true });
    await feed('b', 60);
    await ok(['backfill', job]);
    expect(await readManifests(lake())).toEqual((await listLake(lake())).visible);
  });

  /** Reads every part that the lists name, at once. */
  const listedIds = async () => idsOf(await readManifests(lake()));

  it('give whoever reads them each row exactly once at each moment, while parts are merged and the job is killed', async () => {
    const job = await writeJob('{ type: manifest }', '1m');
    const ddl = ['ddl', job, '--engine', 'duckdb', '--schema', 'lake', '--json'];
    const { statements }: { statements: string[] } = JSON.parse(await ok(ddl));
    const [look, ...make] = statements;
    const duckdb = await (await DuckDBInstance.create(':memory:')).connect();
    let seen = new Set<string>();
    let rowsSeen = 0;
    let looks = 0;
    let merged = false;
    const observe = async () => {
      const ids = await listedIds();
      const now = new Set(ids);
      expect(now.size, 'rows twice').toBe(ids.length);
      for (const id of seen) expect(now.has(id), `${id} is gone`).toBe(true);
      seen = now;
      merged ||= (await readManifests(lake())).some((part) => /-c-\d+\.parquet$/.test(part));
      await duckdb.run(look!);
      if (looks === 0) for (const statement of make) await duckdb.run(statement);
      const answer = await duckdb.runAndReadAll('SELECT count(*), count(DISTINCT id) FROM lake.tables');
      const [rows, distinct] = answer.getRowsJson()[0]!.map(Number);
      expect(distinct).toBe(rows);
      expect(rows).toBeGreaterThanOrEqual(Math.max(rowsSeen, now.size));
      rowsSeen = rows!;
      looks++;
    };
    for (let round = 0; round < 3; round++) {
      const daemon = startDaemon(job);
      for (let file = 0; file < 6; file++) {
        await feed(`${round}-${file}`, 20);
        await until('rows', async () => (await listedIds().catch(() => [])).length > 0);
        await observe();
      }
      daemon.child.kill('SIGKILL');
      expect((await daemon.ended).signal).toBe('SIGKILL');
      await observe();
    }
    await ok(['backfill', job]);
    await observe();
    expect(seen.size).toBe(first);
    expect(rowsSeen).toBe(first);
    expect(merged).toBe(true);
    await ok(['verify', job]);
    // Merged ones are there for those who planned before; the next start that finds them old removes them.
    expect((await listLake(lake())).visible.length).toBeGreaterThan((await readManifests(lake())).length);
  });
});
