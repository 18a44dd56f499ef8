/** Files in object stores: the contract of RecoverableWriter on the store in memory and on real servers. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../lib/core/clock.ts';
import { randomIds } from '../../lib/core/ids.ts';
import { parseS3Location } from '../../lib/core/location.ts';
import { DEFAULT_S3, MIB, type S3Spec } from '../../lib/core/specs.ts';
import { listPieces } from '../../lib/storage/s3/hidden-objects.ts';
import type { ObjectStore } from '../../lib/storage/s3/object-store.ts';
import { readObject } from '../../lib/storage/s3/read-piece.ts';
import { S3FileSystem } from '../../lib/storage/s3/s3-file-system.ts';
import { sdkObjectStore } from '../../lib/storage/s3/sdk-object-store.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { MemoryObjectStore } from '../support/memory-object-store.ts';
import { hasS3Server, S3_SERVERS, S3Server } from '../support/s3-servers.ts';
import { fileSystemSuite } from './suites/file-system.ts';
import { objectUploadsSuite } from './suites/object-uploads.ts';
import { type RecoverableWriterFixture, recoverableWriterSuite } from './suites/recoverable-writer.ts';

const RETRY = { clock: systemClock, random: Math.random, timeoutMs: 5000 };

interface Place {
  readonly store: ObjectStore;
  readonly bucket: string;
  readonly spec: S3Spec;
}

let nextFolder = 0;

async function fixtureOf({ store, bucket, spec }: Place): Promise<RecoverableWriterFixture> {
  const spoolFolder = await mkdtemp(path.join(tmpdir(), 'sluice-spool-test-'));
  const folder = `s3://${bucket}/f${nextFolder++}`;
  const prefix = `${parseS3Location(folder).key}/`;
  return {
    folder,
    writer: () => fileSystemOf({ store, bucket, spec: { ...spec, spoolFolder } }).recoverableWriter,
    names: async () =>
      (await store.list({ bucket, prefix })).objects.map(({ key }) => key.slice(key.lastIndexOf('/') + 1)),
    // A hidden file is its pieces.
    read: async (file) => {
      const pieces = [...(await listPieces(store, file)).keys()];
      const paths = pieces.length > 0 ? pieces : [file];
      const read = await Promise.all(paths.map((each) => readObject(store, parseS3Location(each), RETRY)));
      return read.includes(null)
        ? null
        : Buffer.concat(read.map((each) => each ?? Buffer.alloc(0))).toString();
    },
    plant: async (file, text) => {
      await store.put(parseS3Location(file), Buffer.from(text), {
        ifAbsent: false,
        metadata: {},
        final: false,
      });
    },
    remove: async (file) => {
      const pieces = [...(await listPieces(store, file)).keys()];
      await store.remove(
        bucket,
        [file, ...pieces].map((each) => parseS3Location(each).key),
      );
    },
    dispose: () => rm(spoolFolder, { recursive: true }),
  };
}

function fileSystemOf({ store, spec }: Place): S3FileSystem {
  return new S3FileSystem({
    store,
    spec,
    runId: randomIds.hex(4),
    clock: systemClock,
    ids: randomIds,
  });
}

/** Small parts where the store allows them: more of them come together. */
const memory: Place = {
  store: new MemoryObjectStore('lake'),
  bucket: 'lake',
  spec: { ...DEFAULT_S3, partBytes: 100_000, retryTimeoutMs: 2000 },
};

recoverableWriterSuite('object store in memory', () => fixtureOf(memory));
fileSystemSuite('object store in memory', async () => ({
  open: () => fileSystemOf(memory),
  folder: `s3://lake/f${nextFolder++}`,
}));
objectUploadsSuite('object store in memory', async () => ({
  ...memory,
  folder: `s3://lake/f${nextFolder++}`,
}));

for (const name of S3_SERVERS) {
  describe.skipIf(!hasS3Server(name))(name, () => {
    let server: S3Server;
    let place: Place;
    beforeAll(async () => {
      server = S3Server.start(name);
      const spec = server.spec({ partBytes: 5 * MIB, retryTimeoutMs: 5000 });
      place = { store: sdkObjectStore(spec), bucket: await server.createBucket(), spec };
    });
    afterAll(() => {
      place.store.close();
      server.dispose();
    });

    recoverableWriterSuite(name, () => fixtureOf(place));
    fileSystemSuite(name, async () => ({
      open: () => fileSystemOf(place),
      folder: `s3://${place.bucket}/f${nextFolder++}`,
    }));
    objectUploadsSuite(name, async () => ({ ...place, folder: `s3://${place.bucket}/f${nextFolder++}` }));

    it('objects that are read one after the other share a connection', async () => {
      const proxy = await FaultProxy.start(server.endpoint);
      const spec = { ...place.spec, endpoint: proxy.endpoint };
      const fileSystem = fileSystemOf({ ...place, store: sdkObjectStore(spec), spec });
      const path = `s3://${place.bucket}/f${nextFolder++}/small`;
      await fileSystem.replace(path, Buffer.from('small'));
      for (let i = 0; i < 20; i++) {
        const source = await fileSystem.open(path, 0);
        // A reader that knows the size asks for no more than that.
        expect(await source.read(new Uint8Array(5))).toBe(5);
        await source.close();
      }
      await fileSystem.close();
      await proxy.close();
      expect(proxy.connections).toBeLessThan(4);
    });

    it('F73: the spool folder is empty once files are closed', async () => {
      const fixture = await fixtureOf(place);
      const spool = await mkdtemp(path.join(tmpdir(), 'sluice-spool-test-'));
      const fileSystem = fileSystemOf({ ...place, spec: { ...place.spec, spoolFolder: spool } });
      const { recoverableWriter: writer } = fileSystem;
      const files = [
        await writer.open(`${fixture.folder}/part-0`, null),
        await writer.open(`${fixture.folder}/part-1`, null),
      ];
      // In turns: what waits of one goes to the disk for the other.
      const written = files.map(() => Buffer.alloc(0));
      for (let turn = 0; turn < 12; turn++) {
        for (const [at, file] of files.entries()) {
          const bytes = Buffer.alloc(1_000_000 + turn * 1000 + at, 1 + turn * 2 + at);
          await file.write(bytes);
          written[at] = Buffer.concat([written[at]!, bytes]);
        }
      }
      expect(await readdir(spool)).toHaveLength(1);
      await writer.commit([await files[0]!.closeForCommit(), await files[1]!.closeForCommit()]);
      for (const [at, expected] of written.entries()) {
        const ref = parseS3Location(`${fixture.folder}/part-${at}`);
        const published = await readObject(place.store, ref, RETRY);
        expect(Buffer.compare(published ?? new Uint8Array(0), expected), `part ${at}`).toBe(0);
      }
      expect(await readdir(spool)).toEqual([]);
      await fixture.dispose();
      await rm(spool, { recursive: true });
    });
  });
}
