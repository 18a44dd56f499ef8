/** A job's Delta table in Trino, while the job grows it, compacts it and is killed. */
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDeltaLog } from '../support/delta-log.ts';
import { type Running, sluice, startSluice } from '../support/program.ts';
import { until } from '../support/until.ts';
import { type DeltaEngine, missingDelta, startDelta } from './delta-engine.ts';
import { EVENT_SCHEMA, type Event, events } from './events.ts';

const missing = missingDelta();
const ROWS = 600;

describe.skipIf(missing !== null)(
  `Trino reads a Delta table of a job${missing === null ? '' : ` (skipped: ${missing})`}`,
  () => {
    let folder: string;
    let job: string;
    let trino: DeltaEngine;
    /** A name of its own: an engine that runs already may know the table of an earlier run. */
    let name: string;
    let daemon: Running | null = null;
    const fed: Event[] = [];

    beforeAll(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'sluice-delta-'));
      name = path.basename(folder).replaceAll('-', '_').toLowerCase();
      await mkdir(path.join(folder, 'in'));
      job = path.join(folder, 'job.yaml');
      await writeFile(
        job,
        `version: 1
job: events
state: ./state
checkpoint: { interval: 500ms }
source:
  path: ./in
  monitor_interval: 200ms
  format: { type: ndjson, on_new_field: evolve, schema: ${EVENT_SCHEMA} }
sink:
  path: ./lake
  bucket: { type: fields, fields: [country, { hour: 'ts:hour' }] }
  rolling: { on_checkpoint: true }
  compaction: { target_size: 1MiB, max_small_parts: 3, quiet: 2s, keep_replaced: 10m }
  table: { type: delta, checkpoint_every: 4 }
`,
      );
      trino = await startDelta();
    });
    afterAll(async () => {
      daemon?.child.kill('SIGKILL');
      await daemon?.ended;
      await rm(folder, { recursive: true, force: true });
    });

    async function feed(file: number, more: object = {}): Promise<void> {
      const rows = events(ROWS, file + 1).map((event, i) => ({ ...event, id: file * ROWS + i, ...more }));
      const text = rows.map((row) => `${JSON.stringify(row).replace(/"n":"(-?\d+)"/, '"n":$1')}\n`).join('');
      await writeFile(path.join(folder, 'hidden'), text);
      await rename(path.join(folder, 'hidden'), path.join(folder, 'in', `${file}.ndjson`));
      fed.push(...rows);
    }

    async function ok(args: readonly string[]): Promise<string> {
      const { code, stdout, stderr } = await sluice(args);
      expect(code, `${stdout}${stderr}`).toBe(0);
      return stdout;
    }

    const counted = async () => {
      const [row = []] = await trino.query(
        `SELECT count(*), count(DISTINCT id) FROM delta."default".${name}`,
      );
      return row.map(Number);
    };

    it('is registered by the statement of sluice ddl, and never has a row twice or less than before', async () => {
      await feed(0);
      await ok(['backfill', job]);
      const { statements }: { statements: string[] } = JSON.parse(
        await ok(['ddl', job, '--engine', 'trino', '--table', name, '--json']),
      );
      await trino.query(...statements);
      expect(await counted()).toEqual([ROWS, ROWS]);
      let before = ROWS;
      for (let round = 1; round <= 3; round++) {
        daemon = startSluice(['run', job]);
        await feed(round, round === 2 ? { extra: 'e' } : {});
        const version = async () => (await readDeltaLog(path.join(folder, 'lake'))).version;
        const first = await version();
        await until('the table grows', async () => (await version()) > first);
        const [rows = 0, ids] = await counted();
        expect(ids).toBe(rows);
        expect(rows).toBeGreaterThanOrEqual(before);
        before = rows;
        daemon.child.kill('SIGKILL');
        expect((await daemon.ended).signal).toBe('SIGKILL');
        const [after, distinct] = await counted();
        expect(distinct).toBe(after);
        expect(after).toBeGreaterThanOrEqual(before);
      }
      await ok(['backfill', job]);
      expect(await counted()).toEqual([fed.length, fed.length]);
    });

    it('has every value, nulls of older parts and partition values as they were', async () => {
      const rows = await trino.query(
        `SELECT id, cast(to_unixtime(ts) * 1000 AS bigint), n, price, note, country, hour, extra, place.name FROM delta."default".${name}`,
      );
      const found = rows.sort((a, b) => Number(a[0]) - Number(b[0]));
      expect(
        found.map((row) => row.map((cell, i) => (i === 3 && cell !== null ? Number(cell) : cell))),
      ).toEqual(
        fed.map((event) => [
          ...[String(event.id), String(Date.parse(event.ts)), event.n, event.price, event.note],
          ...[event.country === '' ? null : event.country, event.ts.slice(11, 13)],
          ...['extra' in event ? 'e' : null, event.place?.name ?? null],
        ]),
      );
      const { files, checkpoints } = await readDeltaLog(path.join(folder, 'lake'));
      expect(checkpoints.length).toBeGreaterThan(0);
      expect(
        [...files.keys()].some((file) => /-c-\d+\.parquet$/.test(file)),
        'compacted',
      ).toBe(true);
      // Statistics skip files: a filter finds all that is there.
      const wanted = fed.filter(({ id }) => id >= 700 && id < 900).length;
      expect(
        await trino.query(`SELECT count(*) FROM delta."default".${name} WHERE id BETWEEN 700 AND 899`),
      ).toEqual([[String(wanted)]]);
    });
  },
);
