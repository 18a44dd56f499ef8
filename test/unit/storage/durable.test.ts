import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeFolderDurably, makeMissingFolder, syncFolder } from '../../../lib/storage/local/durable.ts';
import { LocalRecoverableWriter } from '../../../lib/storage/local/local-recoverable-writer.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-durable-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const isFolder = async (at: string) => (await stat(at)).isDirectory();

describe.each([
  ['makeFolderDurably', makeFolderDurably],
  ['makeMissingFolder', makeMissingFolder],
])('%s', (_, make) => {
  test('makes what is missing above as well, and takes what is there', async () => {
    const deep = path.join(folder, 'a', 'b', 'c', 'd');
    await make(deep);
    expect(await isFolder(deep)).toBe(true);
    await make(deep);
    expect(await readdir(path.join(folder, 'a'))).toEqual(['b']);
  });

  test('many at once, in folders that each of them finds missing', async () => {
    const hours = Array.from({ length: 48 }, (_, i) =>
      path.join(folder, `dt=${i % 2}`, 'x', `hour=${i % 24}`),
    );
    await Promise.all([...hours, ...hours].map(make));
    for (const hour of hours) expect(await isFolder(hour)).toBe(true);
  });

  test('says which folder cannot be made where a file stands above it', async () => {
    await writeFile(path.join(folder, 'file'), '');
    const below = path.join(folder, 'file', 'b', 'c');
    await expect(make(below)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining(`cannot make the folder ${below}`),
    });
  });
});

test('a file where the folder should be', async () => {
  const file = path.join(folder, 'file');
  await writeFile(file, '');
  await expect(makeFolderDurably(file)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('a folder that is gone cannot be synced', async () => {
  await expect(syncFolder(path.join(folder, 'gone'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

describe('a part whose folder', () => {
  const begin = (at: string) => new LocalRecoverableWriter('9a8b7c6d').open(path.join(at, 'part'), null);

  test('is missing gets one; is there takes it', async () => {
    const bucket = path.join(folder, 'dt=1', 'hour=2');
    await (await begin(bucket)).release();
    expect(await readdir(bucket)).toEqual(['.part.inprogress.9a8b7c6d']);
    const there = path.join(folder, 'dt=1', 'hour=3');
    await mkdir(there);
    await (await begin(there)).release();
    expect(await readdir(there)).toEqual(['.part.inprogress.9a8b7c6d']);
  });

  test('is a file is refused, and the file stays', async () => {
    const file = path.join(folder, 'dt=1');
    await writeFile(file, 'mine');
    await expect(begin(file)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(begin(path.join(file, 'hour=2'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await stat(file)).size).toBe(4);
  });
});
