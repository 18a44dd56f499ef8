/**
 * `npm run bench s3 [-- --rows N --repeat N --keys N]`: NDJSON handed on into an object store, next to plain copies of the
 * same bytes with the same SDK; objects of 1 KB, next to plain requests for them; a listing. In turns, on each server that
 * is there: test/support/s3-server.sh install.
 *
 * Requests are counted in a round of their own, by a proxy that would slow the others down.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../lib/core/clock.ts';
import { randomIds } from '../../lib/core/ids.ts';
import type { ObjectStore } from '../../lib/storage/s3/object-store.ts';
import { S3FileSystem } from '../../lib/storage/s3/s3-file-system.ts';
import { sdkObjectStore } from '../../lib/storage/s3/sdk-object-store.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { sluice } from '../support/program.ts';
import { hasS3Server, S3_SERVERS, S3Server, type S3ServerName } from '../support/s3-servers.ts';
import type { Candidate } from './candidate.ts';
import { measureProcess } from './measured-process.ts';
import { type Figures, formatStages, formatTable, type Run, summarise } from './report.ts';
import { inTurns } from './turns.ts';
import { type Events, eventTypes, webEvents } from './web-events.ts';

const MAIN = fileURLToPath(new URL('../../dist/lib/cli/main.cjs', import.meta.url));
const PLAIN = fileURLToPath(new URL('s3-plain-run.mjs', import.meta.url));
const SMALL_OBJECTS = 4000;
/** Requests at once that fill a bucket, and of those that small objects are compared with. */
const REQUESTS = 8;

export interface S3Result {
  readonly input: Events;
  readonly figures: readonly Figures[];
}

export async function benchS3(rows: number, repeat: number, keys: number): Promise<S3Result> {
  const input = await webEvents({ rows, format: 'ndjson', order: 'time', hours: 24 });
  const servers = S3_SERVERS.filter(hasS3Server);
  const figures: Figures[] = [];
  for (const name of servers) figures.push(...(await benchThroughput(name, input, repeat)));
  for (const name of servers) await benchSmallObjects(name, repeat);
  const [first] = servers;
  if (first !== undefined) await benchListing(first, keys);
  return { input, figures };
}

/** Whole processes, as everywhere: what is copied, and what copies. */
async function benchThroughput(
  name: S3ServerName,
  input: Events,
  repeat: number,
): Promise<readonly Figures[]> {
  const server = S3Server.start(name);
  const folder = await mkdtemp(path.join(tmpdir(), 'sluice-bench-s3-'));
  const store = sdkObjectStore(server.spec());
  try {
    const bucket = await server.createBucket();
    const source = `s3://${bucket}/in`;
    await measureProcess([PLAIN, input.folder, source], folder);
    const candidates = [
      plainCopy(`${name}: plain upload`, input.folder, bucket),
      backfill(`${name}: sluice, local to S3`, `${name}: plain upload`, input.folder, server, bucket),
      plainCopy(`${name}: plain download and upload`, source, bucket),
      backfill(`${name}: sluice, S3 to S3`, `${name}: plain download and upload`, source, server, bucket),
    ];
    const runs = new Map<Candidate, Run[]>(candidates.map((candidate) => [candidate, []]));
    for (let round = 0; round < repeat; round++) {
      for (const candidate of inTurns(candidates, round)) {
        const usage = await measureProcess(await candidate.prepare(folder, input), folder);
        // Each run finds the bucket as the one before did, and the disk no fuller.
        const { files, outputBytes } = await emptied(store, bucket, 'out/');
        await emptied(store, bucket, 'state/');
        if (outputBytes !== input.sizeBytes)
          throw new Error(`${candidate.name} left ${outputBytes} bytes of ${input.sizeBytes}`);
        runs.get(candidate)?.push({ ...usage, files, outputBytes });
      }
    }
    const figures = summarise(runs, input.sizeBytes);
    console.log(formatTable(figures));
    console.log(formatStages(figures) ?? '');
    await countRequests(server, bucket, source, folder, input);
    return figures;
  } finally {
    store.close();
    server.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}

function plainCopy(name: string, from: string, bucket: string): Candidate {
  return { name, versus: null, prepare: async () => [PLAIN, from, `s3://${bucket}/out`] };
}

/**
 * NDJSON as it is, by one subtask: what is decoded is what has to be checked. Checkpoints are frequent, so that the server
 * completes the first parts (some servers copy them for that) while the next are uploaded, as it does for the plain copy.
 */
function backfill(
  name: string,
  versus: string | null,
  from: string,
  { endpoint }: { readonly endpoint: string },
  bucket: string,
): Candidate {
  return {
    name,
    versus,
    async prepare(folder, input) {
      const job = path.join(folder, 'job.yaml');
      // Declared, as in the other benchmarks of handing on: finding them out takes the same second whatever the size.
      const schema = Object.entries(input === null ? {} : eventTypes(input))
        .map(([column, type]) => `{name: ${column}, type: '${type}'}`)
        .join(', ');
      await writeFile(
        job,
        `version: 1
job: bench
state: s3://${bucket}/state
parallelism: 1
checkpoint: { interval: 2s }
source: { path: '${from}', format: { type: ndjson, schema: [${schema}] } }
sink: { path: 's3://${bucket}/out', format: { type: ndjson }, bucket: { type: base_path } }
s3: { endpoint: '${endpoint}' }
`,
      );
      return [MAIN, 'backfill', job, '--json', '--timings', '--quiet'];
    },
  };
}

/** Removes what is below a prefix. @returns what was visible of it */
async function emptied(
  store: ObjectStore,
  bucket: string,
  prefix: string,
): Promise<{ readonly files: number; readonly outputBytes: number }> {
  const { objects } = await store.list({ bucket, prefix, maxKeys: 1000 });
  await store.remove(
    bucket,
    objects.map(({ key }) => key),
  );
  const visible = objects.filter(({ key }) => !/[/][._]/.test(key));
  return { files: visible.length, outputBytes: visible.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) };
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
  server: S3Server,
  bucket: string,
  source: string,
  folder: string,
  input: Events,
): Promise<void> {
  const proxy = await FaultProxy.start(server.endpoint);
  const counts = new Map<string, number>();
  proxy.choose = (line) => {
    const kind = line.includes('list-type=2') ? 'LIST' : (line.split(' ', 1)[0] ?? '');
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return null;
  };
  await measureProcess(await backfill('', null, source, proxy, bucket).prepare(folder, input), folder);
  await proxy.close();
  const text = [...counts].map(([kind, count]) => `${kind} ${count}`).join(', ');
  const megabytes = (input.sizeBytes / 1e6).toFixed(0);
  console.log(`${server.name}: requests for ${megabytes} MB, S3 to S3, start and end included: ${text}`);
}

async function benchListing(name: S3ServerName, keys: number): Promise<void> {
  const server = S3Server.start(name);
  try {
    await list(server, await server.createBucket(), keys);
  } finally {
    server.dispose();
  }
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
