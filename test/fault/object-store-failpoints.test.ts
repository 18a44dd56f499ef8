/**
 * Jobs from an object store to an object store, with their state there: a crash at every step of the protocol that is
 * different there, and requests that fail before and after they were applied. In the end every row is in exactly one
 * visible part, and nothing hidden is left: no piece, no upload.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CompiledJob } from '../../lib/core/compiled-job.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import { setFailpointHook } from '../../lib/core/failpoint.ts';
import type { ObjectStore } from '../../lib/storage/s3/object-store.ts';
import type { Finding } from '../../lib/verify/finding.ts';
import { verifyJob } from '../../lib/verify/verify-job.ts';
import { Crash, crashAt } from '../support/crash.ts';
import { GENERATED_COLUMNS, generateRows, hourBucket, toNdjson } from '../support/generate.ts';
import { ndjsonOutput, parquetOutput } from '../support/job.ts';
import { MemoryObjectStore } from '../support/memory-object-store.ts';
import { mirror } from '../support/mirror.ts';
import { objectStoreJob, runOnce, storageOf } from '../support/object-store-job.ts';
import { expectExactlyOnce } from '../support/oracle.ts';

/** Every failpoint of lib/storage/s3; a tidy test holds this list, and that of the local disk, against the code. */
const FAILPOINTS = [
  's3.close.after',
  's3.commit.after',
  's3.complete.answered',
  's3.exclusive.before',
  's3.persist.after',
  's3.publish.after',
  's3.publish.before',
  's3.upload.created',
  's3.write.after',
];
/** And those of the protocol that both have. */
const SHARED = [
  'checkpoint.write.before',
  'checkpoint.write.after',
  'commit.before',
  'commit.after',
  'segment.written',
];

const FILES = 4;
const ROWS_PER_FILE = 1500;

/** Which time of a failpoint the crash is at; fewer on a developer's machine. */
const TIMES = process.env.CI === 'true' ? [1, 2, 5] : [1, 2];

/** The store of a process that dies: nothing of what it still had under way arrives. */
function mortal(store: MemoryObjectStore, isDead: () => boolean): MemoryObjectStore {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function' || name === 'close') return value;
      return (...given: unknown[]) =>
        isDead() ? Promise.reject(new Crash('dead')) : Reflect.apply(value, target, given);
    },
  });
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-s3-failpoint-'));
});
afterEach(async () => {
  setFailpointHook(null);
  await rm(folder, { recursive: true });
});

function filledStore(): MemoryObjectStore {
  const store = new MemoryObjectStore('data');
  for (let file = 0; file < FILES; file++) {
    const rows = generateRows({ seed: 11, rows: ROWS_PER_FILE, first: file * ROWS_PER_FILE });
    store.plant('data', `in/${file % 2}/${file}.ndjson`, toNdjson(rows));
  }
  return store;
}

async function expectEverythingOnce(store: MemoryObjectStore, rows = FILES * ROWS_PER_FILE): Promise<void> {
  await mirror(store, 'data', 'lake', path.join(folder, 'lake'));
  await mirror(store, 'data', 'in', path.join(folder, 'in'));
  const { partRows } = await expectExactlyOnce({
    inputs: [path.join(folder, 'in')],
    lake: path.join(folder, 'lake'),
    columns: GENERATED_COLUMNS,
    bucketOf: hourBucket,
    // The lake's own memory of which state belongs to it.
    allowHidden: (file) => file === '.sluice-job.json',
  });
  expect(partRows).toBe(rows);
  expect([...store.uploads.values()].map(({ ref }) => ref.key)).toEqual([]);
}

/** Compact parts, so that both ways to publish are taken: uploads, and objects put whole. */
function job(format: typeof ndjsonOutput | typeof parquetOutput, parallelism: number): CompiledJob {
  return objectStoreJob('data', format, { parallelism });
}

/** What verify has to say, deep; nothing where the job died before it had a state. */
async function findings(compiled: CompiledJob, store: MemoryObjectStore): Promise<readonly Finding[]> {
  const fileSystem = storageOf(store, compiled.s3)('00bb');
  try {
    return (await verifyJob({ job: compiled, fileSystem, deep: true })).findings;
  } catch (thrown) {
    if (SluiceError.from(thrown).code === 'USAGE') return [];
    throw thrown;
  }
}

describe('crash at every failpoint of an object store', () => {
  for (const format of [ndjsonOutput, parquetOutput]) {
    for (const name of [...FAILPOINTS, ...SHARED]) {
      it(`${format.type}: ${name}`, async () => {
        let reached = 0;
        for (const nth of TIMES) {
          const store = filledStore();
          const compiled = job(format, nth === 2 ? 2 : 1);
          const crashed = crashAt(name, nth);
          await runOnce(compiled, mortal(store, crashed)).catch((error: unknown) => {
            if (!crashed()) throw error;
          });
          if (crashed()) reached++;
          setFailpointHook(null);
          expect(await findings(compiled, store), `after the crash, ${nth}`).toEqual([]);
          await runOnce(compiled, store);
          await runOnce(compiled, store);
          await expectEverythingOnce(store);
          expect(await findings(compiled, store), `in the end, ${nth}`).toEqual([]);
        }
        expect(reached, 'the failpoint was reached').toBeGreaterThanOrEqual(1);
      });
    }
  }
});

describe('many small objects, fetched ahead', () => {
  for (const nth of [1, 10, 40, 70]) {
    it(`crash at batch ${nth}: what waited for its turn is read by the next run, once`, async () => {
      const store = new MemoryObjectStore('data');
      const rows = 5;
      for (let file = 0; file < 90; file++)
        store.plant(
          'data',
          `in/${file}.ndjson`,
          toNdjson(generateRows({ seed: 3, rows, first: file * rows })),
        );
      const crashed = crashAt('subtask.batch.after', nth);
      await expect(runOnce(job(ndjsonOutput, 2), store)).rejects.toThrow('crash at subtask.batch.after');
      expect(crashed()).toBe(true);
      setFailpointHook(null);
      await runOnce(job(ndjsonOutput, 1), store);
      await runOnce(job(ndjsonOutput, 2), store);
      await expectEverythingOnce(store, 90 * rows);
    });
  }

  it('each is asked for once', async () => {
    const store = new MemoryObjectStore('data');
    for (let file = 0; file < 90; file++)
      store.plant('data', `in/${file}.ndjson`, toNdjson(generateRows({ seed: 3, rows: 5, first: file * 5 })));
    const got: string[] = [];
    const get = store.get.bind(store);
    store.get = (ref, request) => {
      if (ref.key.startsWith('in/')) got.push(ref.key);
      return get(ref, request);
    };
    await runOnce(job(ndjsonOutput, 2), store);
    expect(got).toHaveLength(90);
    expect(new Set(got).size).toBe(90);
    await expectEverythingOnce(store, 450);
  });
});

describe('requests that fail', () => {
  const OPERATIONS: readonly (keyof ObjectStore)[] = [
    'list',
    'head',
    'get',
    'put',
    'remove',
    'createUpload',
    'uploadPart',
    'listParts',
    'completeUpload',
    'listUploads',
  ];
  for (const operation of OPERATIONS) {
    for (const at of ['before', 'after'] as const) {
      it(`${operation}, ${at} it was applied: repeated, and no row is lost or doubled`, async () => {
        const store = filledStore();
        for (const skip of [0, 2, 7]) store.fail({ operation, at, skip, times: 2 });
        await runOnce(job(ndjsonOutput, 2), store);
        await runOnce(job(ndjsonOutput, 1), store);
        await expectEverythingOnce(store);
      });
    }
  }

  it('a server that says 200 to a Complete that did nothing', async () => {
    const store = filledStore();
    store.completesNothing = true;
    store.fail({ operation: 'completeUpload', at: 'after', times: 3 });
    await runOnce(job(ndjsonOutput, 1), store);
    await expectEverythingOnce(store);
  });

  it('bodies that break off are taken up at the byte', async () => {
    const store = filledStore();
    store.breaks.push(10, 1000, 0, 5000, 70, 3);
    await runOnce(job(ndjsonOutput, 1), store);
    await expectEverythingOnce(store);
  });
});

describe('the fence', () => {
  it('of two processes on one job, one ends with FENCED before it publishes, and every row is there once', async () => {
    const store = filledStore();
    const compiled = job(ndjsonOutput, 1);
    const ends = await Promise.allSettled([runOnce(compiled, store), runOnce(compiled, store)]);
    const fenced = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []));
    expect(fenced.length).toBeLessThanOrEqual(1);
    for (const error of fenced) expect(error).toMatchObject({ code: 'FENCED', exitCode: 6 });
    await runOnce(compiled, store);
    await expectEverythingOnce(store);
  });

  it('a server without conditional writes is refused for state, at the start', async () => {
    const store = filledStore();
    store.ignoresConditions = true;
    await expect(runOnce(job(ndjsonOutput, 1), store)).rejects.toMatchObject({ code: 'STORAGE_UNSUITABLE' });
    expect([...store.objects.keys()].filter((key) => !key.startsWith('data/in/'))).toEqual([]);
  });

  it('and for a Delta table, wherever the state is', async () => {
    const store = filledStore();
    store.ignoresConditions = true;
    const compiled = objectStoreJob('data', parquetOutput, {
      statePath: path.join(folder, 'state'),
      sink: { table: { type: 'delta', checkpointEvery: 50 } },
    });
    await expect(runOnce(compiled, store)).rejects.toMatchObject({ code: 'STORAGE_UNSUITABLE' });
    expect([...store.objects.keys()].filter((key) => key.includes('_delta_log'))).toEqual([]);
  });

  it('a bucket that does not exist is named', async () => {
    await expect(runOnce(job(ndjsonOutput, 1), new MemoryObjectStore())).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('data'),
    });
  });
});
