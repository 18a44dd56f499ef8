/**
 * `npm run bench s3 [-- --rows N --repeat N --keys N]`: NDJSON handed on into an object store, next to a plain upload of
 * the same file with the same SDK; objects of 1 KB, next to plain requests for them; a listing. In one run and in turns.
 * Needs servers: test/support/s3-server.sh install.
 *
 * Requests are counted in a round of their own, by a proxy that would slow the others down.
 */
import { mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { systemClock } from '../../lib/core/clock.ts';
import { randomIds } from '../../lib/core/ids.ts';
import type { ObjectStore } from '../../lib/storage/s3/object-store.ts';
import { S3FileSystem } from '../../lib/storage/s3/s3-file-system.ts';
import { sdkObjectStore } from '../../lib/storage/s3/sdk-object-store.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { sluice } from '../support/program.ts';
import { hasS3Server, S3_SERVERS, S3Server, type S3ServerName } from '../support/s3-servers.ts';
import { eventTypes, webEvents } from './web-events.ts';

const PART_BYTES = 8 * 1024 * 1024;
const CONCURRENT = 4;
const SMALL_OBJECTS = 4000;
/** Requests at once that fill a bucket, and of those that small objects are compared with. */
const REQUESTS = 8;

export async function benchS3(rows: number, repeat: number, keys: number): Promise<void> {
  if (!hasS3Server('versitygw')) return;
  const input = await webEvents({ rows, format: 'ndjson', order: 'time', hours: 24 });
  const megabytes = input.sizeBytes / 1e6;
  // Declared, as in the other benchmarks of handing on: finding them out takes the same second whatever the size.
  const schema = Object.entries(eventTypes(input))
    .map(([name, type]) => `{name: ${name}, type: '${type}'}`)
    .join(', ');
  const server = S3Server.start('versitygw');
  const folder = await mkdtemp(path.join(tmpdir(), 'sluice-bench-s3-'));
  const store = sdkObjectStore(server.spec());
  // As people use it: its defaults.
  const sdk = new S3Client({ endpoint: server.endpoint, forcePathStyle: true });
  try {
    const bucket = await server.createBucket();
    let job = 0;
    const backfill = async (source: string, endpoint: string) => {
      const file = path.join(folder, 'job.yaml');
      const name = `b${job++}`;
      await writeFile(
        file,
        `version: 1\njob: ${name}\nstate: s3://${bucket}/state\nparallelism: 1\nsource: { path: ${source}, format: { type: ndjson, schema: [${schema}] } }\nsink: { path: 's3://${bucket}/${name}', format: { type: ndjson }, bucket: { type: base_path } }\ns3: { endpoint: '${endpoint}' }\n`,
      );
      const { code, stdout, stderr } = await sluice(['backfill', file, '--json']);
      if (code !== 0) throw new Error(stderr);
      const summary: { seconds: number } = JSON.parse(stdout);
      return summary.seconds;
    };
    const plain = async (prefix: string) => {
      const start = systemClock.elapsed();
      for (const name of await readdir(input.folder)) await upload(name, `${prefix}/${name}`);
      return (systemClock.elapsed() - start) / 1000;
    };
    const upload = async (name: string, key: string) => {
      const ref = { Bucket: bucket, Key: key };
      const { UploadId } = await sdk.send(
        new CreateMultipartUploadCommand({ ...ref, ChecksumAlgorithm: 'CRC32' }),
      );
      const handle = await open(path.join(input.folder, name));
      const { size } = await handle.stat();
      const parts = Math.ceil(size / PART_BYTES);
      const done = new Array<CompletedPart>(parts);
      let next = 0;
      const work = async () => {
        for (let part = next++; part < parts; part = next++) {
          const Body = Buffer.alloc(Math.min(PART_BYTES, size - part * PART_BYTES));
          await handle.read(Body, 0, Body.length, part * PART_BYTES);
          const number = { UploadId, PartNumber: part + 1, ChecksumAlgorithm: 'CRC32' } as const;
          const { ETag, ChecksumCRC32 } = await sdk.send(new UploadPartCommand({ ...ref, ...number, Body }));
          done[part] = { PartNumber: part + 1, ETag, ChecksumCRC32 };
        }
      };
      await Promise.all(Array.from({ length: CONCURRENT }, work));
      await sdk.send(
        new CompleteMultipartUploadCommand({ ...ref, UploadId, MultipartUpload: { Parts: done } }),
      );
      await handle.close();
    };
    await plain('in');
    const candidates: readonly [string, () => Promise<number>][] = [
      ['plain upload', () => plain(`plain/${job++}`)],
      ['local -> S3', () => backfill(input.folder, server.endpoint)],
      ['S3 -> S3', () => backfill(`s3://${bucket}/in`, server.endpoint)],
    ];
    const seconds = new Map<string, number[]>(candidates.map(([name]) => [name, []]));
    for (let round = 0; round < repeat; round++) {
      for (let at = 0; at < candidates.length; at++) {
        const [name, run] = candidates[(at + round) % candidates.length]!;
        seconds.get(name)?.push(await run());
      }
    }
    const fastest = (name: string) => Math.min(...(seconds.get(name) ?? []));
    for (const [name] of candidates) {
      const share = Math.round((100 * fastest('plain upload')) / fastest(name));
      console.log(
        `${name.padEnd(14)} ${(megabytes / fastest(name)).toFixed(0).padStart(5)} MB/s  ${share} % of plain`,
      );
    }
    await countRequests(server.endpoint, (endpoint) => backfill(`s3://${bucket}/in`, endpoint), megabytes);
    await list(server, bucket, keys);
  } finally {
    store.close();
    sdk.destroy();
    server.dispose();
    await rm(folder, { recursive: true, force: true });
  }
  for (const name of S3_SERVERS) if (hasS3Server(name)) await benchSmallObjects(name, repeat);
}

/** With as many subtasks as there are cores, and plain requests in the bench's own process. */
async function benchSmallObjects(name: S3ServerName, repeat: number): Promise<void> {
  const server = S3Server.start(name);
  const folder = await mkdtemp(path.join(tmpdir(), 'sluice-bench-s3-'));
  const store = sdkObjectStore(server.spec());
  try {
    const bucket = await server.createBucket();
    const key = (at: number) => `in/${at % 10}/${at}.ndjson`;
    await fill(
      store,
      bucket,
      SMALL_OBJECTS,
      key,
      Buffer.from(`{"id":1,"text":"${'x'.repeat(80)}"}\n`.repeat(10)),
    );
    const plain: number[] = [];
    const job: number[] = [];
    for (let round = 0; round < repeat; round++) {
      const start = systemClock.elapsed();
      await each(SMALL_OBJECTS, async (at) => {
        const answer = await store.get({ bucket, key: key(at) }, { from: 0, to: null, ifMatch: null });
        if (typeof answer === 'string') throw new Error(answer);
        for await (const chunk of answer.chunks) if (chunk.length === 0) throw new Error('an empty chunk');
      });
      plain.push((systemClock.elapsed() - start) / 1000);
      const file = path.join(folder, `${round}.yaml`);
      await writeFile(
        file,
        `version: 1\njob: small-${round}\nstate: ./state\nsource: { path: s3://${bucket}/in, format: { type: ndjson, schema: [{name: id, type: int64}, {name: text, type: string}] } }\nsink: { path: ./lake-${round}, format: { type: ndjson }, bucket: { type: base_path } }\ns3: { endpoint: '${server.endpoint}' }\n`,
      );
      const { code, stdout, stderr } = await sluice(['backfill', file, '--json']);
      if (code !== 0) throw new Error(stderr);
      const summary: { seconds: number; files: number } = JSON.parse(stdout);
      if (summary.files !== SMALL_OBJECTS) throw new Error(`${summary.files} objects were read`);
      job.push(summary.seconds);
    }
    const perSecond = (seconds: number[]) => Math.round(SMALL_OBJECTS / Math.min(...seconds));
    console.log(
      `objects of 1 KB, ${name}: ${perSecond(job)} a second; plain GET, ${REQUESTS} at once: ${perSecond(plain)}`,
    );
  } finally {
    store.close();
    server.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}

async function each(count: number, run: (at: number) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async () => {
    for (let at = next++; at < count; at = next++) await run(at);
  };
  await Promise.all(Array.from({ length: REQUESTS }, work));
}

function fill(
  store: ObjectStore,
  bucket: string,
  count: number,
  key: (at: number) => string,
  bytes: Uint8Array,
): Promise<void> {
  const options = { ifAbsent: false, metadata: {}, final: false };
  return each(count, async (at) => {
    await store.put({ bucket, key: key(at) }, bytes, options);
  });
}

async function countRequests(
  target: string,
  run: (endpoint: string) => Promise<unknown>,
  megabytes: number,
): Promise<void> {
  const proxy = await FaultProxy.start(target);
  const counts = new Map<string, number>();
  proxy.choose = (line) => {
    const kind = line.includes('list-type=2') ? 'LIST' : (line.split(' ', 1)[0] ?? '');
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return null;
  };
  await run(proxy.endpoint);
  await proxy.close();
  const text = [...counts].map(([kind, count]) => `${kind} ${count}`).join(', ');
  console.log(`requests for ${megabytes.toFixed(0)} MB, S3 -> S3, start and end included: ${text}`);
}

async function list(server: S3Server, bucket: string, keys: number): Promise<void> {
  const spec = server.spec();
  const store = sdkObjectStore(spec);
  await fill(store, bucket, keys, (at) => `keys/${at % 100}/${at}`, new Uint8Array(1));
  const fileSystem = new S3FileSystem({ store, spec, runId: 'bench', clock: systemClock, ids: randomIds });
  const start = systemClock.elapsed();
  let found = 0;
  for await (const piece of fileSystem.list(`s3://${bucket}/keys`, {
    enterFolder: () => true,
    wantFile: () => true,
  }))
    found += piece.length;
  console.log(`listing ${found} keys: ${((systemClock.elapsed() - start) / 1000).toFixed(2)} s`);
  await fileSystem.close();
}
