import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { randomIds } from '../../lib/core/ids.ts';
import { localFileSystem } from '../../lib/storage/local/local-file-system.ts';
import { fileSystemSuite } from './suites/file-system.ts';
import { recoverableWriterSuite } from './suites/recoverable-writer.ts';

recoverableWriterSuite('local disk', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'sluice-writer-'));
  return {
    folder,
    writer: () => localFileSystem(randomIds.hex(4)).recoverableWriter,
    names: async () =>
      (await readdir(folder, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => entry.name),
    read: (file) => readFile(file, 'utf8').catch(() => null),
    plant: async (file, text) => {
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, text);
    },
    remove: (file) => rm(file),
    dispose: () => rm(folder, { recursive: true }),
  };
});

fileSystemSuite('local disk', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'sluice-files-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return { open: () => localFileSystem(randomIds.hex(4)), folder };
});

it.each(['', 'AB', 'ABCD'])(
  'never shows a hidden file that is not as long as promised: "%s"',
  async (torn) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'sluice-torn-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const target = path.join(folder, 'part-1.txt');
    const writer = () => localFileSystem(randomIds.hex(4)).recoverableWriter;
    const file = await writer().open(target, null);
    await file.write(Buffer.from('ABC'));
    const pending = await file.closeForCommit();
    await writeFile(pending.hiddenPath, torn);
    await expect(writer().commit([pending])).rejects.toMatchObject({ code: 'PART_MISSING' });
    expect(await readdir(folder)).toEqual([path.basename(pending.hiddenPath)]);
  },
);
