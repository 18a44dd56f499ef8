import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { ObjectStore } from '../../lib/storage/s3/object-store.ts';
import { sdkObjectStore } from '../../lib/storage/s3/sdk-object-store.ts';
import { S3Server, type S3ServerName } from './s3-servers.ts';

/** Valid while tests run: one server for all of them; for each a bucket of its own and a folder on this machine. */
export interface S3Fixture {
  readonly server: S3Server;
  readonly store: ObjectStore;
  bucket: string;
  readonly folder: string;
  put(key: string, bytes: Uint8Array): Promise<void>;
}

/** To be called in a `describe`: starts a real S3 server for its tests. */
export function useS3Server(name: S3ServerName): S3Fixture {
  let server: S3Server;
  let store: ObjectStore;
  let folder: string;
  const fixture = {
    get server() {
      return server;
    },
    get store() {
      return store;
    },
    get folder() {
      return folder;
    },
    bucket: '',
    async put(key: string, bytes: Uint8Array) {
      await store.put({ bucket: fixture.bucket, key }, bytes, {
        ifAbsent: false,
        metadata: {},
        final: false,
      });
    },
  };
  beforeAll(() => {
    server = S3Server.start(name);
    store = sdkObjectStore(server.spec());
  });
  afterAll(() => {
    store.close();
    server.dispose();
  });
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sluice-s3-'));
    fixture.bucket = await server.createBucket();
  });
  afterEach(() => rm(folder, { recursive: true }));
  return fixture;
}
