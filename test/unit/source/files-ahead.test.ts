import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../lib/core/clock.ts';
import { randomIds } from '../../../lib/core/ids.ts';
import { DEFAULT_S3 } from '../../../lib/core/specs.ts';
import { FilesAhead } from '../../../lib/source/files-ahead.ts';
import { type Split, startPosition } from '../../../lib/source/split.ts';
import type { FileStatus, FileSystem } from '../../../lib/storage/file-system.ts';
import { localFileSystem } from '../../../lib/storage/local/local-file-system.ts';
import { S3FileSystem } from '../../../lib/storage/s3/s3-file-system.ts';
import { MemoryObjectStore } from '../../support/memory-object-store.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-ahead-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function splitsIn(fileSystem: FileSystem, root: string): Promise<Split[]> {
  const files: FileStatus[] = [];
  for await (const piece of fileSystem.list(root, { enterFolder: () => true, wantFile: () => true }))
    files.push(...piece);
  files.sort((a, b) => Number(path.basename(a.path)) - Number(path.basename(b.path)));
  return files.map(({ path: file, sizeBytes, modifiedNs, identity }, id) => ({
    id: `${id}.0`,
    fileId: String(id),
    path: file,
    sizeBytes,
    modifiedNs: String(modifiedNs),
    ...(identity === undefined ? {} : { identity: String(identity) }),
    compression: null,
    startByte: 0,
    endByte: null,
    position: startPosition(0),
  }));
}

async function onDisk(count: number) {
  for (let i = 0; i < count; i++) await writeFile(path.join(folder, String(i)), `file ${i}`);
  const fileSystem = localFileSystem('aa');
  return { splits: await splitsIn(fileSystem, folder), ahead: new FilesAhead(fileSystem) };
}

async function inStore(count: number) {
  const store = new MemoryObjectStore('b');
  for (let i = 0; i < count; i++) store.plant('b', `in/${i}`, `file ${i}`);
  const spec = { ...DEFAULT_S3, retryTimeoutMs: 0 };
  const fileSystem = new S3FileSystem({ store, spec, runId: 'aa', clock: systemClock, ids: randomIds });
  const requests = () => store.calls.get('get') ?? 0;
  const splits = await splitsIn(fileSystem, 's3://b/in');
  return { store, splits, ahead: new FilesAhead(fileSystem), requests };
}

const textOf = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString());

describe('files read ahead', () => {
  it('are given to whoever opens them, until their split is done, from a disk and from an object store', async () => {
    for (const { splits, ahead } of [await onDisk(3), await inStore(3)]) {
      for (const split of splits) ahead.add(split);
      for (const [i, split] of splits.entries()) expect(textOf(await ahead.bytesOf(split))).toBe(`file ${i}`);
      expect(textOf(await ahead.bytesOf(splits[0]!))).toBe('file 0');
      ahead.drop(splits[0]!);
      expect(await ahead.bytesOf(splits[0]!)).toBeNull();
      await ahead.close();
    }
  });

  it('are whole small ones, not followed', async () => {
    const { splits, ahead } = await onDisk(1);
    const [split] = splits;
    const large = path.join(folder, 'large');
    await writeFile(large, Buffer.alloc(1024 * 1024 + 1));
    const [, listed] = await splitsIn(localFileSystem('aa'), folder);
    expect(listed).toMatchObject({ path: large, sizeBytes: 1024 * 1024 + 1 });
    const prefix = { bytes: 3, fingerprint: '7', fileKey: '1' };
    for (const other of [
      { ...split!, endByte: 3 },
      { ...split!, startByte: 3 },
      { ...split!, prefix },
      listed!,
    ]) {
      ahead.add(other);
      expect(await ahead.bytesOf(other)).toBeNull();
    }
  });

  it('a file that changed after it was listed, or is gone, is none', async () => {
    const { splits, ahead } = await onDisk(5);
    await writeFile(splits[0]!.path, 'file 0 and more');
    await writeFile(splits[1]!.path, 'less');
    await utimes(splits[2]!.path, 1, 1);
    await rm(splits[3]!.path);
    for (const split of splits) ahead.add(split);
    const taken = await Promise.all(splits.map((split) => ahead.bytesOf(split)));
    expect(taken.map(textOf)).toEqual([null, null, null, null, 'file 4']);
  });

  it('an object that was replaced, is gone, or whose request fails, is none', async () => {
    const { store, splits, ahead } = await inStore(4);
    store.plant('b', 'in/0', 'other0');
    store.objects.delete('b/in/1');
    for (const split of splits.slice(0, 2)) ahead.add(split);
    const taken = await Promise.all(splits.slice(0, 2).map((split) => ahead.bytesOf(split)));
    store.fail({ operation: 'get', at: 'before', times: 1 });
    ahead.add(splits[2]!);
    taken.push(await ahead.bytesOf(splits[2]!));
    ahead.add(splits[3]!);
    taken.push(await ahead.bytesOf(splits[3]!));
    expect(taken.map(textOf)).toEqual([null, null, null, 'file 3']);
  });

  it('are bounded in number, and no more is begun once it is closed', async () => {
    const { splits, ahead, requests } = await inStore(100);
    for (const split of splits) ahead.add(split);
    const taken = await Promise.all(splits.map((split) => ahead.bytesOf(split)));
    expect(taken.filter((bytes) => bytes !== null)).toHaveLength(33);
    expect(requests()).toBe(33);
    for (const split of splits) ahead.drop(split);
    for (const split of splits) ahead.add(split);
    await ahead.close();
    const begun = requests();
    // Those that were under way.
    expect(begun).toBeLessThanOrEqual(33 + 8);
    ahead.add(splits[0]!);
    expect(await ahead.bytesOf(splits[0]!)).toBeNull();
    expect(requests()).toBe(begun);
  });

  it('are bounded in bytes', async () => {
    const { splits, ahead } = await onDisk(40);
    await Promise.all(splits.map(({ path: file }) => writeFile(file, Buffer.alloc(256 * 1024))));
    const listed = await splitsIn(localFileSystem('aa'), folder);
    for (const split of listed) ahead.add(split);
    const taken = await Promise.all(listed.map((split) => ahead.bytesOf(split)));
    expect(taken.filter((bytes) => bytes !== null)).toHaveLength(16);
  });
});
