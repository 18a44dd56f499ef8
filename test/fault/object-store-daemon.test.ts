/**
 * The real daemon with a real S3 server on both ends and its state there: killed at random moments, while the network
 * between them fails in every way it knows, and while the server is killed. Held against the oracle.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { FaultProxy, PROXY_FAULTS } from '../support/fault-proxy.ts';
import {
  GENERATED_COLUMNS,
  GENERATED_SCHEMA,
  generateRows,
  hourBucket,
  seededRandom,
  toNdjson,
} from '../support/generate.ts';
import { mirror } from '../support/mirror.ts';
import {
  expectExactlyOnce,
  expectNone,
  isFinishedLater,
  judge,
  listLake,
  VisibleParts,
} from '../support/oracle.ts';
import { sluice, startSluice } from '../support/program.ts';
import { hasS3Server } from '../support/s3-servers.ts';
import { useS3Server } from '../support/use-s3-server.ts';

/** Fewer on a developer's machine. */
const ROUNDS = process.env.CI === 'true' ? 30 : 3;
const COMPACTION_ROUNDS = process.env.CI === 'true' ? 12 : 3;
const MAX_COMPACTION_MS = 150_000;
const SEED = Number(process.env.SLUICE_SEED ?? 20261125);
const ROWS_PER_FILE = 300;

describe.skipIf(!hasS3Server('versitygw'))('the daemon on an object store', () => {
  const s3 = useS3Server('versitygw');
  let files = 0;
  beforeEach(() => {
    files = 0;
  });

  async function writeJob(endpoint: string, compaction = ''): Promise<string> {
    const file = path.join(s3.folder, 'job.yaml');
    await writeFile(
      file,
      `
version: 1
job: kill
state: s3://${s3.bucket}/state
parallelism: 2
memory: 4MiB
checkpoint: { interval: 300ms, retain: 2 }
source:
  path: s3://${s3.bucket}/in
  monitor_interval: 200ms
  format: { type: ndjson, schema: ${GENERATED_SCHEMA} }
event_time: { field: ts }
sink:
  path: s3://${s3.bucket}/lake
  format: { type: ndjson, compression: gzip }
  bucket: { type: datetime, time: event, pattern: "'dt='yyyy-MM-dd/'hour='HH" }
  rolling: { part_size: 64KiB, rollover_interval: 1s, inactivity_interval: 500ms }
  bucket_check_interval: 100ms
  ${compaction}
s3: { endpoint: '${endpoint}', retry_timeout: 60s }
`,
    );
    return file;
  }

  async function feed(count: number): Promise<void> {
    for (let i = 0; i < count; i++, files++) {
      const rows = generateRows({ seed: SEED, rows: ROWS_PER_FILE, first: files * ROWS_PER_FILE });
      await s3.store.put(
        { bucket: s3.bucket, key: `in/${files % 7}/${files}.ndjson` },
        Buffer.from(toNdjson(rows)),
        {
          ifAbsent: false,
          metadata: {},
          final: false,
        },
      );
    }
  }

  async function lookAt() {
    const lake = { inputs: [path.join(s3.folder, 'in')], lake: path.join(s3.folder, 'lake') };
    await mirror(s3.store, s3.bucket, 'lake', lake.lake);
    await mirror(s3.store, s3.bucket, 'in', path.join(s3.folder, 'in'));
    return {
      ...lake,
      columns: GENERATED_COLUMNS,
      bucketOf: hourBucket,
      allowHidden: (file: string) => file === '.sluice-kill.json',
    };
  }

  async function expectEverythingOnce(job: string): Promise<void> {
    for (let i = 0; i < 2; i++) {
      const { code, stderr } = await sluice(['backfill', job]);
      expect(code, stderr).toBe(0);
      expect(stderr).not.toMatch(/NodeVersionSupport|sluicetestsecret/);
    }
    const { partRows } = await expectExactlyOnce(await lookAt());
    expect(partRows).toBe(files * ROWS_PER_FILE);
    expect((await s3.store.listUploads(s3.bucket, 'lake/', null)).uploads).toEqual([]);
  }

  it(`D45: ${ROUNDS} kills at random moments, every row once`, async () => {
    const random = seededRandom(SEED);
    const job = await writeJob(s3.server.endpoint);
    const parts = new VisibleParts(path.join(s3.folder, 'lake'));
    for (let round = 0; round < ROUNDS; round++) {
      await feed(4);
      const daemon = startSluice(['run', job]);
      // Some die while they start, most at work.
      await Promise.race([delay(800 + random() * 3000), daemon.ended]);
      daemon.child.kill('SIGKILL');
      const { signal, stderr } = await daemon.ended;
      expect(signal, stderr).toBe('SIGKILL');
      const lake = await lookAt();
      expectNone(await parts.observe(), `round ${round}`);
      const { violations } = await judge({ ...lake, mode: 'ids' });
      // Rows are still on their way, and what the dead daemon hid is the next one's to deal with.
      const wrong = violations.filter(({ kind }) => kind !== 'lost row' && kind !== 'stray hidden file');
      expectNone(wrong, `round ${round}`);
    }
    await expectEverythingOnce(job);
    expectNone(await parts.observe(), 'at the end');
  });

  it('killed again and again while it compacts, every row once', async () => {
    const random = seededRandom(SEED + 2);
    const job = await writeJob(
      s3.server.endpoint,
      'compaction: { target_size: 256KiB, max_small_parts: 4, quiet: 500ms }',
    );
    let merged = 0;
    const startMs = performance.now();
    // On, until one has met a merged part, however slow the machine.
    for (
      let round = 0;
      round < COMPACTION_ROUNDS || (merged === 0 && performance.now() - startMs < MAX_COMPACTION_MS);
      round++
    ) {
      await feed(4);
      const daemon = startSluice(['run', job]);
      await Promise.race([
        delay(1500 + random() * 3000 + Math.max(0, round - COMPACTION_ROUNDS) * 1000),
        daemon.ended,
      ]);
      daemon.child.kill('SIGKILL');
      const { signal, stderr } = await daemon.ended;
      expect(signal, stderr).toBe('SIGKILL');
      const lake = await lookAt();
      const { violations } = await judge({ ...lake, mode: 'ids' });
      expectNone(
        violations.filter((violation) => !isFinishedLater(violation)),
        `round ${round}`,
      );
      merged += (await listLake(lake.lake)).visible.filter((part) => /-c-\d+\./.test(part)).length;
    }
    expect(merged, 'no round met a merged part').toBeGreaterThan(0);
    await expectEverythingOnce(job);
  });

  it('a network that fails in every way between two requests of three', async () => {
    const random = seededRandom(SEED + 1);
    const proxy = await FaultProxy.start(s3.server.endpoint);
    try {
      const job = await writeJob(proxy.endpoint);
      await feed(12);
      // A long row of failures would only show that the time limit works.
      proxy.choose = () =>
        random() < 0.25 ? PROXY_FAULTS[Math.floor(random() * PROXY_FAULTS.length)]! : null;
      const { code, stderr } = await sluice(['backfill', job]);
      expect(code, stderr).toBe(0);
      for (const fault of PROXY_FAULTS) expect(proxy.happened.get(fault) ?? 0, fault).toBeGreaterThan(0);
      proxy.choose = () => null;
      await expectEverythingOnce(job);
    } finally {
      await proxy.close();
    }
  });

  it('the server is killed and comes back on the same data', async () => {
    const job = await writeJob(s3.server.endpoint);
    await feed(6);
    const daemon = startSluice(['run', job]);
    for (let i = 0; i < 3; i++) {
      await delay(1500);
      await feed(3);
      s3.server.kill();
      await delay(300);
      s3.server.restart();
    }
    daemon.child.kill('SIGTERM');
    const { code, stderr } = await daemon.ended;
    expect(code, stderr).toBe(0);
    await expectEverythingOnce(job);
  });

  it('a bucket that is not there and keys that are wrong are told as such, and never a secret', async () => {
    const job = await writeJob(s3.server.endpoint);
    const wrong = await sluice(['backfill', job], { env: { AWS_SECRET_ACCESS_KEY: 'not-the-secret' } });
    expect(wrong.code, wrong.stderr).toBe(4);
    expect(wrong.stderr).toMatch(/ACCESS_DENIED/);
    expect(wrong.stderr + wrong.stdout).not.toContain('not-the-secret');
    s3.bucket = 'no-such-bucket';
    const missing = await sluice(['backfill', await writeJob(s3.server.endpoint)]);
    expect(missing.code, missing.stderr).toBe(4);
    expect(missing.stderr).toMatch(/NOT_FOUND.*no-such-bucket/);
  });
});
