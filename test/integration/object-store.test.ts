/** The program on real object stores: what the daemon's fault tests do not look at. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  CreateMultipartUploadCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListPartsCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../lib/core/clock.ts';
import { readObject } from '../../lib/storage/s3/read-piece.ts';
import { assumeRole } from '../support/assume-role.ts';
import { sluice, startSluice } from '../support/program.ts';
import { hasS3Server, S3_SERVERS } from '../support/s3-servers.ts';
import { until } from '../support/until.ts';
import { useS3Server } from '../support/use-s3-server.ts';

const RETRY = { clock: systemClock, random: Math.random, timeoutMs: 5000 };
const PARQUET = path.join(import.meta.dirname, '../golden/parquet/pyarrow-snappy.parquet');
const ROWS = 40;

// MinIO encrypts with a key of its own environment, and refuses encryption without one.
process.env.MINIO_KMS_SECRET_KEY ??= `sluice-key:${Buffer.alloc(32, 7).toString('base64')}`;

for (const name of S3_SERVERS) {
  describe.skipIf(!hasS3Server(name))(`jobs on ${name}`, () => {
    const s3 = useS3Server(name);

    async function feed(from: number): Promise<void> {
      for (let id = from; id < from + ROWS; id++)
        await s3.put(`in/${id}.ndjson`, Buffer.from(`{"id":${id}}\n`));
    }

    async function writeJob(over: { source?: string; sink?: string; s3?: string } = {}): Promise<string> {
      const file = path.join(s3.folder, 'job.yaml');
      const {
        source = '{ type: ndjson, schema: [{name: id, type: int64}] }',
        sink = '',
        s3: more = '',
      } = over;
      await writeFile(
        file,
        `version: 1
job: jobs
state: s3://${s3.bucket}/state
checkpoint: { interval: 500ms }
source: { path: s3://${s3.bucket}/in, monitor_interval: 500ms, format: ${source} }
sink: { path: s3://${s3.bucket}/lake, format: { type: ndjson }, bucket: { type: base_path }${sink} }
s3: { endpoint: '${s3.server.endpoint}', retry_timeout: 5s${more} }
`,
      );
      return file;
    }

    async function parts(): Promise<string[]> {
      const { objects } = await s3.store.list({ bucket: s3.bucket, prefix: 'lake/' });
      return objects.map(({ key }) => key).filter((key) => !key.startsWith('lake/.'));
    }

    async function rows(): Promise<number[]> {
      const ids: number[] = [];
      for (const key of await parts()) {
        const text = Buffer.from((await readObject(s3.store, { bucket: s3.bucket, key }, RETRY))!).toString();
        for (const line of text.trimEnd().split('\n')) ids.push(Number(JSON.parse(line).id));
      }
      return ids.sort((a, b) => a - b);
    }

    const upTo = (count: number) => Array.from({ length: count }, (_, id) => id);

    async function succeeds(...args: string[]) {
      const ended = await sluice(args);
      expect(ended.code, ended.stderr).toBe(0);
      return ended;
    }

    it('credentials that expire while a job runs and cannot be renewed end it; it goes on once they can', async () => {
      const granted = path.join(s3.folder, 'granted');
      const provider = path.join(s3.folder, 'provider.mjs');
      const config = path.join(s3.folder, 'aws-config');
      await writeFile(
        provider,
        `import { readFileSync } from 'node:fs';
readFileSync(${JSON.stringify(granted)});
const { KEY: AccessKeyId, SECRET: SecretAccessKey } = process.env;
const Expiration = new Date(Date.now() + 2000).toISOString();
console.log(JSON.stringify({ Version: 1, AccessKeyId, SecretAccessKey, Expiration }));
`,
      );
      await writeFile(
        config,
        `[profile job]\ncredential_process = ${process.execPath} ${provider}\nregion = us-east-1\n`,
      );
      const env = {
        AWS_CONFIG_FILE: config,
        AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
        AWS_ACCESS_KEY_ID: '',
        AWS_SECRET_ACCESS_KEY: '',
        KEY: s3.server.env.AWS_ACCESS_KEY_ID ?? '',
        SECRET: s3.server.env.AWS_SECRET_ACCESS_KEY ?? '',
      };
      const job = await writeJob({ s3: ', profile: job' });
      await feed(0);
      await writeFile(granted, '');
      const daemon = startSluice(['run', job], { env });
      onTestFinished(() => {
        daemon.child.kill('SIGKILL');
      });
      // The first one is the claim; the second holds what was read with these credentials.
      await until('a checkpoint', async () => {
        const { objects } = await s3.store.list({ bucket: s3.bucket, prefix: 'state/jobs/checkpoints/' });
        return objects.some(({ key }) => key >= 'state/jobs/checkpoints/0000000002');
      });
      await rm(granted);
      const { code, stderr } = await daemon.ended;
      expect(code, stderr).toBe(4);
      expect(stderr).toMatch(/ACCESS_DENIED/);
      expect(stderr).toMatch(/check the credentials/);
      expect(stderr).not.toContain(env.SECRET);
      await feed(ROWS);
      await writeFile(granted, '');
      expect((await sluice(['backfill', job], { env })).code).toBe(0);
      expect(await rows()).toEqual(upTo(2 * ROWS));
    });

    it('status, inspect and gc read a state in the store', async () => {
      const job = await writeJob();
      await feed(0);
      await succeeds('backfill', job);
      const status = await succeeds('status', job, '--json');
      expect(JSON.parse(status.stdout)).toMatchObject({ job: 'jobs' });
      const { objects } = await s3.store.list({ bucket: s3.bucket, prefix: 'state/jobs/checkpoints/' });
      const inspected = await succeeds('inspect', `s3://${s3.bucket}/${objects.at(-1)!.key}`, '--json');
      expect(JSON.parse(inspected.stdout)).toBeTypeOf('object');
    });

    it('gc removes hidden pieces and uploads that no checkpoint needs, its own alone', async () => {
      const job = await writeJob();
      await feed(0);
      await succeeds('backfill', job);
      const [part = ''] = await parts();
      const jobId = /part-([0-9a-f]{8})-/.exec(part)?.[1] ?? '';
      const stray = `lake/.part-${jobId}-7-1.ndjson.inprogress.00dead00`;
      const foreign = 'lake/.part-00000000-7-1.ndjson.inprogress.00dead00';
      for (const key of [stray, `${stray}.00dead00-1`, foreign]) await s3.put(key, Buffer.from('stray'));
      const client = s3.server.client();
      onTestFinished(() => client.destroy());
      const begin = async (Key: string) =>
        (await client.send(new CreateMultipartUploadCommand({ Bucket: s3.bucket, Key }))).UploadId ?? '';
      const uploads = {
        own: [`lake/part-${jobId}-7-2.ndjson`, await begin(`lake/part-${jobId}-7-2.ndjson`)],
        foreign: ['lake/part-00000000-7-2.ndjson', await begin('lake/part-00000000-7-2.ndjson')],
      } as const;
      const isOpen = async ([Key, UploadId]: readonly [string, string]) =>
        client.send(new ListPartsCommand({ Bucket: s3.bucket, Key, UploadId })).then(
          () => true,
          () => false,
        );
      const keys = async () =>
        (await s3.store.list({ bucket: s3.bucket, prefix: 'lake/.part' })).objects
          .map(({ key }) => key)
          .sort();
      const before = await keys();
      const dry = await succeeds('gc', job, '--json', '--min-age', '0s', '--dry-run');
      expect(JSON.parse(dry.stdout)).toMatchObject({ removed: 0 });
      expect(await keys()).toEqual(before);
      expect(await isOpen(uploads.own)).toBe(true);
      const report: unknown = JSON.parse((await succeeds('gc', job, '--json', '--min-age', '0s')).stdout);
      expect(report).toMatchObject({ removed: 2 });
      expect(await keys()).toEqual([foreign]);
      // A process that has its state in a store is not seen, and the upload may be its own: the next start aborts it.
      expect(await isOpen(uploads.own)).toBe(true);
      await succeeds('backfill', job);
      // MinIO lists open uploads by whole keys only: nobody can find those there.
      expect(await isOpen(uploads.own)).toBe(name === 'minio');
      expect(await isOpen(uploads.foreign)).toBe(true);
      expect(await rows()).toEqual(upTo(ROWS));
      await succeeds('backfill', job);
      expect(await rows()).toEqual(upTo(ROWS));
    });

    it('Parquet is read from the store as it is from a disk', async () => {
      const parquet = await readFile(PARQUET);
      await s3.put('in/a.parquet', parquet);
      const fromStore = await succeeds('backfill', await writeJob({ source: '{ type: parquet }' }), '--json');
      const local = path.join(s3.folder, 'local.yaml');
      await writeFile(
        local,
        `version: 1\njob: local\nsource: { path: ${PARQUET}, format: { type: parquet } }\nsink: { path: ./lake, format: { type: ndjson }, bucket: { type: base_path } }\n`,
      );
      const fromDisk = await succeeds('backfill', local, '--json');
      const [a, b] = [fromStore, fromDisk].map(({ stdout }) => JSON.parse(stdout));
      expect(a.rows).toBeGreaterThan(0);
      expect({ rows: a.rows, bytes_out: a.bytes_out }).toEqual({ rows: b.rows, bytes_out: b.bytes_out });
    });

    it('parts are compacted, every row once', async () => {
      const job = await writeJob({
        sink: ', compaction: { target_size: 1MiB, max_small_parts: 2, quiet: 1s }',
      });
      for (let run = 0; run < 4; run++) {
        await feed(run * ROWS);
        await succeeds('backfill', job);
      }
      expect(await rows()).toEqual(upTo(4 * ROWS));
      expect((await parts()).length).toBeLessThan(4);
    });

    it.each(['compaction.merged', 'compaction.published', 'compaction.swap.after'])(
      'sluice compact, killed at %s, is finished by the next start: every row once, nothing hidden left',
      async (failpoint) => {
        const job = await writeJob({ sink: ', compaction: { target_size: 1MiB, daemon: false }' });
        for (let run = 0; run < 3; run++) {
          await feed(run * ROWS);
          await succeeds('backfill', job);
        }
        expect((await parts()).length).toBeGreaterThan(1);
        const killed = await startSluice(['compact', job], { env: { SLUICE_FAILPOINT: failpoint } }).ended;
        expect(killed.signal, killed.stderr).toBe('SIGKILL');
        await succeeds('backfill', job);
        expect(await rows()).toEqual(upTo(3 * ROWS));
        await succeeds('compact', job);
        await succeeds('backfill', job);
        expect(await rows()).toEqual(upTo(3 * ROWS));
        expect(await parts()).toHaveLength(1);
        expect((await s3.store.list({ bucket: s3.bucket, prefix: 'lake/.part' })).objects).toEqual([]);
        await succeeds('verify', job, '--deep');
      },
    );

    it.skipIf(name !== 'minio')('parts are of the storage class that the job says', async () => {
      await feed(0);
      await succeeds('backfill', await writeJob({ s3: ', storage_class: REDUCED_REDUNDANCY' }));
      const client = s3.server.client();
      onTestFinished(() => client.destroy());
      const [part = ''] = await parts();
      const head = await client.send(new HeadObjectCommand({ Bucket: s3.bucket, Key: part }));
      expect(head.StorageClass).toBe('REDUCED_REDUNDANCY');
      expect(await rows()).toEqual(upTo(ROWS));
    });

    it.skipIf(name !== 'minio').each([
      ['s3:ListBucket', 'in'],
      ['s3:GetObject', 'in'],
      ['s3:PutObject', 'lake'],
      ['s3:PutObject', 'state'],
    ])('without %s on %s a job ends with exit 4 and says so; with it, it goes on', async (action, prefix) => {
      await feed(0);
      const job = await writeJob();
      await succeeds('backfill', job);
      await feed(ROWS);
      const below = { Resource: [`arn:aws:s3:::${s3.bucket}/${prefix}/*`] };
      const bucketOnly = {
        Resource: [`arn:aws:s3:::${s3.bucket}`],
        Condition: { StringLike: { 's3:prefix': [`${prefix}*`] } },
      };
      const env = await assumeRole(s3.server, {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Action: ['s3:*'], Resource: ['arn:aws:s3:::*'] },
          { Effect: 'Deny', Action: [action], ...(action === 's3:ListBucket' ? bucketOnly : below) },
        ],
      });
      const all = async () =>
        (await s3.store.list({ bucket: s3.bucket, prefix: 'lake/' })).objects.map(({ key }) => key);
      const before = await all();
      const { code, stderr } = await sluice(['backfill', job], { env });
      expect(code, stderr).toBe(4);
      expect(stderr).toMatch(/ACCESS_DENIED/);
      expect(stderr).toContain(`s3://${s3.bucket}/${prefix}`);
      expect(stderr).toMatch(/permissions/);
      for (const secret of [env.AWS_SECRET_ACCESS_KEY, env.AWS_SESSION_TOKEN])
        expect(stderr).not.toContain(secret);
      expect(await all()).toEqual(before);
      await succeeds('backfill', job);
      expect(await rows()).toEqual(upTo(2 * ROWS));
      await succeeds('verify', job, '--deep');
    });

    it.skipIf(name !== 'minio')('parts are encrypted and tagged as the job says', async () => {
      await feed(0);
      for (const encryption of ['AES256', 'aws:kms'] as const) {
        const key = encryption === 'aws:kms' ? ', kms_key: sluice-key' : '';
        const job = await writeJob({ s3: `, encryption: '${encryption}'${key}, tags: { team: data } ` });
        await succeeds('backfill', job);
        const client = s3.server.client();
        const found = await parts();
        const part = { Bucket: s3.bucket, Key: found.at(-1)! };
        expect(await client.send(new HeadObjectCommand(part))).toMatchObject({
          ServerSideEncryption: encryption,
        });
        const { TagSet: tags } = await client.send(new GetObjectTaggingCommand(part));
        expect(tags).toEqual([{ Key: 'team', Value: 'data' }]);
        client.destroy();
        expect(await rows()).toEqual(upTo(ROWS));
        s3.bucket = await s3.server.createBucket();
        await feed(0);
      }
    });
  });
}
