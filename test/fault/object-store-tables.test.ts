/**
 * Tables of a lake on a real object store: the program is killed with -9 around each step of the table, and what the log or
 * the lists say in the end is what is there, each row once. Entries of a Delta log are put only where there is none.
 */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { readDeltaLog } from '../support/delta-log.ts';
import {
  GENERATED_COLUMNS,
  GENERATED_SCHEMA,
  generateRows,
  hourBucket,
  toNdjson,
} from '../support/generate.ts';
import { parquetOutput } from '../support/job.ts';
import { readManifests } from '../support/manifests.ts';
import { mirror } from '../support/mirror.ts';
import { objectStoreJob, runOnce } from '../support/object-store-job.ts';
import { expectExactlyOnce, listLake } from '../support/oracle.ts';
import { sluice } from '../support/program.ts';
import { hasS3Server, type S3ServerName } from '../support/s3-servers.ts';
import { useS3Server } from '../support/use-s3-server.ts';

const ROWS_PER_FILE = 200;
const SEED = 5;
const ENTRY = /\/_delta_log\/\d{20}\.json$/;

const DELTA = [
  'table.commit.before:1',
  'table.entry.before:2',
  'table.entry.after:1',
  'table.commit.after:1',
];
const MANIFEST = ['table.commit.before:1', 'table.commit.after:1'];
const SWAPS = ['compaction.published:1', 'compaction.swap.after:1'];

const CASES: readonly [S3ServerName, 'delta' | 'manifest', readonly string[]][] = [
  ['versitygw', 'delta', [...DELTA, ...SWAPS]],
  ['versitygw', 'manifest', [...MANIFEST, ...SWAPS]],
  ['minio', 'delta', ['table.entry.after:1']],
  ['minio', 'manifest', ['table.commit.before:1']],
];

describe.each(CASES)('on %s, table: %s', (name, table, points) => {
  describe.skipIf(!hasS3Server(name))(`killed with -9`, () => {
    const s3 = useS3Server(name);
    let lake: string;
    let files: number;
    beforeEach(() => {
      lake = path.join(s3.folder, 'lake');
      files = 0;
    });

    async function writeJob(): Promise<string> {
      const file = path.join(s3.folder, 'job.yaml');
      await writeFile(
        file,
        `
version: 1
job: tables
state: s3://${s3.bucket}/state
parallelism: 1
checkpoint: { interval: 100ms, retain: 2 }
source: { path: 's3://${s3.bucket}/in', format: { type: ndjson, schema: ${GENERATED_SCHEMA} } }
event_time: { field: ts }
sink:
  path: s3://${s3.bucket}/lake
  format: { type: parquet }
  bucket: { type: datetime, time: event, pattern: "'dt='yyyy-MM-dd/'hour='HH" }
  rolling: { max_rows: 40 }
  compaction: { target_size: 1MiB, keep_replaced: 0s }
  table: { type: ${table} }
s3: { endpoint: '${s3.server.endpoint}' }
`,
      );
      return file;
    }

    async function feed(count: number): Promise<void> {
      for (let i = 0; i < count; i++, files++) {
        const rows = generateRows({ seed: SEED, rows: ROWS_PER_FILE, first: files * ROWS_PER_FILE });
        const options = { ifAbsent: false, metadata: {}, final: false };
        await s3.store.put(
          { bucket: s3.bucket, key: `in/${files}.ndjson` },
          Buffer.from(toNdjson(rows)),
          options,
        );
      }
    }

    /** Parts that the table has, relative to the lake. */
    async function tableParts(): Promise<string[]> {
      await mirror(s3.store, s3.bucket, 'lake', lake);
      if (!existsSync(path.join(lake, table === 'delta' ? '_delta_log' : '_manifest'))) return [];
      if (table === 'manifest') return readManifests(lake, `s3://${s3.bucket}/lake/`);
      return [...(await readDeltaLog(lake)).files.keys()].sort();
    }

    async function expectEverythingOnce(): Promise<void> {
      const parts = await tableParts();
      await mirror(s3.store, s3.bucket, 'in', path.join(s3.folder, 'in'));
      const { partRows } = await expectExactlyOnce({
        ...{ inputs: [path.join(s3.folder, 'in')], lake },
        ...{ columns: GENERATED_COLUMNS, bucketOf: hourBucket },
        allowHidden: (file) =>
          /^(\.sluice-tables\.json$|\.sluice-job\.json$|_delta_log\/|_manifest\/)/.test(file),
      });
      expect(partRows).toBe(files * ROWS_PER_FILE);
      expect(parts).toEqual((await listLake(lake)).visible);
      if (table === 'delta') expect((await readDeltaLog(lake)).rows).toBe(partRows);
      expect((await s3.store.listUploads(s3.bucket, 'lake/', null)).uploads).toEqual([]);
    }

    it.each(points)('at %s: the next start brings the table up to date', async (point) => {
      const job = await writeJob();
      await feed(2);
      const killed = await sluice(['backfill', job], { env: { SLUICE_FAILPOINT: point } });
      expect(killed.signal, killed.stderr).toBe('SIGKILL');
      // Nothing is in the table that is not there whole: the strict reader compares names and sizes.
      const parts = await tableParts();
      expect((await listLake(lake)).visible).toEqual(expect.arrayContaining(parts));
      await feed(1);
      const { code, stderr } = await sluice(['backfill', job]);
      expect(code, stderr).toBe(0);
      await expectEverythingOnce();
      expect((await tableParts()).some((part) => /-c-\d+\.parquet$/.test(part))).toBe(true);
    });

    it.runIf(table === 'delta')(
      'an entry is put only where there is none: another writer keeps its own',
      async () => {
        await feed(2);
        const compiled = objectStoreJob(s3.bucket, parquetOutput, {
          s3: s3.server.spec(),
          sink: { table: { type: 'delta', checkpointEvery: 50 } },
        });
        const put = s3.store.put.bind(s3.store);
        const conditions: boolean[] = [];
        let other: string | null = null;
        s3.store.put = async (ref, bytes, options) => {
          if (ENTRY.test(ref.key)) {
            conditions.push(options.ifAbsent);
            // Between the job's look at the log and its request.
            if (other === null && conditions.length === 2) {
              other = ref.key;
              const entry = Buffer.from('{"txn":{"appId":"other","version":1}}\n');
              await put(ref, entry, { ifAbsent: true, metadata: {}, final: false });
            }
          }
          return put(ref, bytes, options);
        };
        try {
          await runOnce(compiled, s3.store);
          await feed(1);
          await runOnce(compiled, s3.store);
          await feed(1);
          await runOnce(compiled, s3.store);
        } finally {
          s3.store.put = put;
        }
        expect(other).not.toBeNull();
        expect(conditions.length).toBeGreaterThan(2);
        expect(conditions).not.toContain(false);
        await expectEverythingOnce();
        const { version } = await readDeltaLog(lake);
        // Each request but the one that came too late made an entry, and so did the other writer.
        expect(version + 1).toBe(conditions.length);
      },
    );
  });
});
