import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { expect, it, onTestFinished } from 'vitest';
import { randomIds } from '../../lib/core/ids.ts';
import { DelegatingWriter, serveWriter } from '../../lib/storage/local/delegating-writer.ts';
import { localFileSystem } from '../../lib/storage/local/local-file-system.ts';
import type { RecoverableWriter } from '../../lib/storage/recoverable-writer.ts';
import { fileSystemSuite } from './suites/file-system.ts';
import { type RecoverableWriterFixture, recoverableWriterSuite } from './suites/recoverable-writer.ts';

async function onLocalDisk(writer: () => RecoverableWriter): Promise<RecoverableWriterFixture> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sluice-writer-'));
  return {
    folder,
    writer,
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
}

const localWriter = () => localFileSystem(randomIds.hex(4)).recoverableWriter;

recoverableWriterSuite('local disk', () => onLocalDisk(localWriter));

recoverableWriterSuite('local disk, whole files handed over', async () => {
  const ports: MessagePort[] = [];
  const fixture = await onLocalDisk(() => {
    const { port1, port2 } = new MessageChannel();
    ports.push(port1);
    serveWriter(port1, localWriter());
    return new DelegatingWriter(randomIds.hex(4), port2);
  });
  return {
    ...fixture,
    dispose: async () => {
      for (const port of ports) port.close();
      await fixture.dispose();
    },
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
