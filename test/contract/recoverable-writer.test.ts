import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
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
