/** What files larger than a part of an upload go through in an object store. */
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../lib/core/clock.ts';
import { randomIds } from '../../../lib/core/ids.ts';
import { parseS3Location } from '../../../lib/core/location.ts';
import type { S3Spec } from '../../../lib/core/specs.ts';
import type { UnfinishedUpload } from '../../../lib/storage/file-system.ts';
import type { ResumePoint } from '../../../lib/storage/recoverable-writer.ts';
import type { ObjectStore } from '../../../lib/storage/s3/object-store.ts';
import { readObject } from '../../../lib/storage/s3/read-piece.ts';
import { S3FileSystem } from '../../../lib/storage/s3/s3-file-system.ts';

export interface ObjectUploadsFixture {
  readonly store: ObjectStore;
  readonly bucket: string;
  readonly spec: S3Spec;
  readonly folder: string;
}

/** What crosses a checkpoint is JSON. */
const stored = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** Bytes that differ everywhere, so that a piece in another's place is noticed. */
function pattern(length: number, from = 0): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = ((from + i) * 2654435761) >>> 24;
  return bytes;
}

export function objectUploadsSuite(name: string, make: () => Promise<ObjectUploadsFixture>): void {
  describe(`uploads of large files: ${name}`, () => {
    async function setUp() {
      const { store, bucket, spec, folder } = await make();
      const fileSystem = () =>
        new S3FileSystem({
          store,
          spec,
          runId: randomIds.hex(4),
          clock: systemClock,
          ids: randomIds,
        });
      const writer = () => fileSystem().recoverableWriter;
      const target = `${folder}/dt=1/part-0.bin`;
      const read = () =>
        readObject(store, parseS3Location(target), {
          clock: systemClock,
          random: Math.random,
          timeoutMs: 5000,
        });
      const keys = async () =>
        (await store.list({ bucket, prefix: `${parseS3Location(folder).key}/` })).objects.map(
          ({ key }) => key,
        );
      return { store, spec, fileSystem, writer, target, read, keys, part: spec.partBytes };
    }

    it('F71: full parts are uploaded in ascending order, what is behind them is a piece of a new name', async () => {
      const { writer, target, keys, part } = await setUp();
      const file = await writer().open(target, null);
      await file.write(pattern(part * 2 + 10));
      const first = await file.persist();
      expect(first.upload?.parts.map((each) => each.lengthBytes)).toEqual([part, part]);
      expect(first.upload?.parts.map((each) => each.number)).toEqual([1, 2]);
      expect(first.upload?.parts.every((each) => each.etag !== '')).toBe(true);
      expect(first.pieces?.map((each) => each.lengthBytes)).toEqual([10]);
      await file.write(pattern(5));
      const second = await file.persist();
      expect(second.pieces?.map((each) => each.lengthBytes)).toEqual([10, 5]);
      expect(new Set(second.pieces?.map((each) => each.path)).size).toBe(2);
      expect(await keys()).toHaveLength(2);
      await file.discard();
      expect(await keys()).toEqual([]);
    });

    it('F74: pieces are named after their file, beside it or in the staging folder, and hidden from readers', async () => {
      const { writer, target } = await setUp();
      const folder = target.slice(0, target.lastIndexOf('/'));
      const pieceOf = async (staging: string | null, finalPath: string) => {
        const file = await writer().open(finalPath, staging);
        await file.write(pattern(1));
        const { pieces } = await file.persist();
        await file.discard();
        return pieces?.[0]?.path;
      };
      const name = /\/\.part-0\.bin\.inprogress\.[0-9a-f]{8}\.[0-9a-f]{8}-0$/;
      expect(await pieceOf(null, target)).toMatch(new RegExp(`^${folder}${name.source}`));
      expect(await pieceOf(`${folder}/_staging`, target)).toMatch(
        new RegExp(`^${folder}/_staging${name.source}`),
      );
      const { bucket } = parseS3Location(target);
      expect(await pieceOf(null, `s3://${bucket}/part-0.bin`)).toMatch(
        new RegExp(`^s3://${bucket}${name.source}`),
      );
    });

    it('F72: cleanup removes pieces and upload, once', async () => {
      const { writer, target, keys, part } = await setUp();
      const file = await writer().open(target, null);
      await file.write(pattern(part + 10));
      const point = stored(await file.persist());
      await file.release();
      expect(await writer().cleanup(point)).toBe(true);
      expect(await writer().cleanup(point)).toBe(false);
      expect(await keys()).toEqual([]);
      await expect(writer().recover(point)).rejects.toMatchObject({ code: 'PART_MISSING' });
    });

    it('F73, F75, F76: resumed between parts, behind a part, with pieces and without, every byte is there', async () => {
      const { writer, target, read, keys, part } = await setUp();
      const whole = pattern(part * 3 + 777);
      let file = await writer().open(target, null);
      const cuts = [
        0,
        1000,
        part - 1,
        part,
        part + 1,
        part * 2 + 500,
        part * 3,
        part * 3 + 700,
        whole.length,
      ];
      for (let i = 1; i < cuts.length; i++) {
        await file.write(whole.subarray(cuts[i - 1], cuts[i]));
        const point = stored(await file.persist());
        expect(point.lengthBytes).toBe(cuts[i]);
        await file.write(pattern(3000, 99));
        await file.release();
        file = await writer().recover(point);
        expect(file.lengthBytes).toBe(cuts[i]);
      }
      const pending = stored(await file.closeForCommit());
      expect(await read()).toBeNull();
      await writer().commit([pending]);
      expect(whole.equals((await read()) ?? Buffer.alloc(0))).toBe(true);
      await writer().commit([pending]);
      expect(await keys()).toHaveLength(1);
    });

    it('many small persists are gathered, and nothing of them is left', async () => {
      const { writer, target, read, keys, part } = await setUp();
      const whole = pattern(part + 40);
      const file = await writer().open(target, null);
      let at = 0;
      for (let i = 0; i < 30; i++) {
        await file.write(whole.subarray(at, at + 1));
        at++;
        const point = await file.persist();
        expect(point.pieces?.length).toBeLessThanOrEqual(8);
      }
      await file.write(whole.subarray(at));
      await writer().commit([stored(await file.closeForCommit())]);
      expect(whole.equals((await read()) ?? Buffer.alloc(0))).toBe(true);
      expect(await keys()).toHaveLength(1);
    });

    it('part numbers of a resumed upload are not those that the process before may still use', async () => {
      const { writer, target, read, part } = await setUp();
      const whole = pattern(part * 2);
      const zombie = await writer().open(target, null);
      await zombie.write(whole.subarray(0, part));
      const point = stored(await zombie.persist());
      const resumed = await writer().recover(point);
      await resumed.write(whole.subarray(part));
      // Not dead after all: it goes on where it was, and knows nothing.
      await zombie.write(pattern(part, 5));
      await zombie.persist();
      await writer().commit([stored(await resumed.closeForCommit())]);
      expect(whole.equals((await read()) ?? Buffer.alloc(0))).toBe(true);
    });

    it('an upload that is gone is an error that names the part: at resuming, at going on, at the commit', async () => {
      const { store, writer, target, part } = await setUp();
      const file = await writer().open(target, null);
      await file.write(pattern(part));
      const point: ResumePoint = stored(await file.persist());
      await store.abortUpload(parseS3Location(target), point.upload?.id ?? '');
      await expect(writer().recover(point)).rejects.toMatchObject({
        code: 'PART_MISSING',
        message: expect.stringContaining('part-0.bin'),
      });
      await file.write(pattern(part));
      await expect(file.persist()).rejects.toMatchObject({ code: 'PART_MISSING' });
    });

    it('another object in the place of a part is not replaced', async () => {
      const { store, writer, target, read, part } = await setUp();
      const file = await writer().open(target, null);
      await file.write(pattern(part + 1));
      const pending = stored(await file.closeForCommit());
      await store.put(parseS3Location(target), Buffer.from('mine'), {
        ifAbsent: false,
        metadata: {},
        final: false,
      });
      await expect(writer().commit([pending])).rejects.toMatchObject({ code: 'TARGET_EXISTS' });
      expect(Buffer.from((await read()) ?? '').toString()).toBe('mine');
      await store.remove(parseS3Location(target).bucket, [parseS3Location(target).key]);
      await writer().commit([pending]);
      expect((await read())?.length).toBe(part + 1);
    });

    it('lists uploads that are open, and aborts them', async () => {
      const { fileSystem, writer, target, part } = await setUp();
      const file = await writer().open(target, null);
      await file.write(pattern(part));
      const { upload } = await file.persist();
      const { unfinishedUploads } = fileSystem();
      const listed = async () => {
        const found: UnfinishedUpload[] = [];
        for await (const piece of unfinishedUploads.list(target.slice(0, target.lastIndexOf('/dt=1'))))
          found.push(...piece);
        return found.map(({ path, uploadId }) => ({ path, uploadId }));
      };
      // MinIO lists by whole keys only: there, what is left over is the server's own to tidy up.
      if (name !== 'minio') expect(await listed()).toEqual([{ path: target, uploadId: upload?.id }]);
      expect(await unfinishedUploads.abort(target, upload?.id ?? '')).toBe(true);
      expect(await unfinishedUploads.abort(target, upload?.id ?? '')).toBe(false);
      expect(await listed()).toEqual([]);
    });
  });
}
