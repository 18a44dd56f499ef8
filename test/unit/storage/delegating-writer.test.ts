import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DelegatingWriter, serveWriter } from '../../../lib/storage/local/delegating-writer.ts';
import { LocalRecoverableWriter } from '../../../lib/storage/local/local-recoverable-writer.ts';
import type { PendingFile } from '../../../lib/storage/recoverable-writer.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** Both ends of the port, and what the one who writes was asked for. */
class Watched extends LocalRecoverableWriter {
  readonly asked: string[] = [];
  gate: Promise<void> = Promise.resolve();

  override async writeWhole(
    finalPath: string,
    hiddenFolder: string | null,
    bytes: Uint8Array,
  ): Promise<PendingFile> {
    this.asked.push(path.basename(finalPath));
    await this.gate;
    return super.writeWhole(finalPath, hiddenFolder, bytes);
  }
}

let folder: string;
let ports: [MessagePort, MessagePort];
let watched: Watched;
let writer: DelegatingWriter;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-delegating-'));
  const { port1, port2 } = new MessageChannel();
  ports = [port1, port2];
  watched = new Watched('aa');
  writer = new DelegatingWriter('bb', port2);
});
afterEach(async () => {
  for (const port of ports) port.close();
  await rm(folder, { recursive: true });
});

const hidden = async (name: string) => readFile(path.join(folder, `.${name}.inprogress.aa`), 'utf8');

test('hands small files over, and leaves the memory that they were in alone', async () => {
  serveWriter(ports[0], watched);
  const memory = Buffer.from('before, the file, behind');
  const writing = writer.writeWhole(path.join(folder, 'a'), null, memory.subarray(8, 16));
  memory.fill('x');
  expect(await writing).toEqual({
    finalPath: path.join(folder, 'a'),
    hiddenPath: path.join(folder, '.a.inprogress.aa'),
    lengthBytes: 8,
  });
  expect(await hidden('a')).toBe('the file');
  expect(memory.toString()).toBe('x'.repeat(24));
});

test('writes large files itself', async () => {
  serveWriter(ports[0], watched);
  const file = await writer.writeWhole(path.join(folder, 'a'), null, Buffer.alloc(1024 * 1024 + 1));
  expect(file).toMatchObject({
    hiddenPath: path.join(folder, '.a.inprogress.bb'),
    lengthBytes: 1024 * 1024 + 1,
  });
  expect(watched.asked).toEqual([]);
});

test('what goes wrong there is thrown here, with its code; the others are written', async () => {
  serveWriter(ports[0], watched);
  await writeFile(path.join(folder, 'file'), '');
  const results = await Promise.allSettled(
    ['a', 'file/b', 'c'].map((name) => writer.writeWhole(path.join(folder, name), null, Buffer.from(name))),
  );
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(results[1]).toMatchObject({
    reason: {
      code: 'NOT_FOUND',
      message: expect.stringContaining('cannot make the folder'),
      retryable: false,
    },
  });
  expect(await hidden('c')).toBe('c');
});

test('once stopped, begins nothing, and has ended what it began', async () => {
  const served = serveWriter(ports[0], watched);
  let open = () => {};
  watched.gate = new Promise((resolve) => {
    open = resolve;
  });
  const names = Array.from({ length: 20 }, (_, i) => `${i}`);
  const writing = names.map((name) => writer.writeWhole(path.join(folder, name), null, Buffer.from(name)));
  await expect.poll(() => watched.asked.length).toBe(8);
  let stopped = false;
  const stopping = served.stop().then(() => {
    stopped = true;
  });
  await new Promise(setImmediate);
  expect(stopped).toBe(false);
  open();
  await stopping;
  expect(watched.asked).toEqual(names.slice(0, 8));
  expect((await readdir(folder)).length).toBe(8);
  await Promise.all(writing.slice(0, 8));
});

test('does not wait for ever for a disk that does not answer', async () => {
  const clock = new ManualClock();
  const served = serveWriter(ports[0], watched, clock);
  watched.gate = new Promise(() => {});
  void writer.writeWhole(path.join(folder, 'a'), null, Buffer.from('a'));
  await expect.poll(() => watched.asked).toEqual(['a']);
  const stopping = served.stop();
  clock.advance(1000);
  await stopping;
  expect(await readdir(folder)).toEqual([]);
});
